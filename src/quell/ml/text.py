"""What a model reads of a message: subject and visible body, without quotes and signatures, cut to a fixed length."""

import re

BODY_CHARACTERS_MAX = 1500
MAIL_CHANNELS = frozenset({"email", "portal"})

_QUOTE = re.compile(
    r"^(>|-{2,} ?(original|forwarded|message transf|ursprüngliche|doorgestuurd|oorspronkelijk|mensagem|mensaje)"
    r"|(on|am|op|le|el|em|den) .{6,80}(wrote|schrieb|schreef|a écrit|escribió|escreveu|skrev).{0,40}:\s*$"
    r"|(from|von|van|de|fra) ?: .+@)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^(--|__)\s*$")
_BLANKS = re.compile(r"[ \t]+")
_PREFIX = re.compile(r"^\s*((re|aw|fw|fwd|wg|sv|antw|tr|rv|vs)\s*:\s*)+", re.IGNORECASE)
TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)


def visible_body(text: str) -> str:
    """The body down to the first quote or signature, blanks squeezed; a body that is only a quote stays whole."""
    kept: list[str] = []
    for line in text.splitlines():
        if _SIGNATURE.match(line) or (kept and _QUOTE.match(line.strip())):
            break
        kept.append(line)
    body = "\n".join(kept).strip() or text.strip()
    return _BLANKS.sub(" ", body)[:BODY_CHARACTERS_MAX]


def bare_subject(subject: str | None) -> str:
    """The subject without reply and forward marks."""
    return _PREFIX.sub("", subject or "").strip()


def readable(subject: str | None, text: str) -> str:
    """Subject and visible body as one text, the form that every model reads."""
    title = bare_subject(subject)
    body = visible_body(text)
    return f"{title}\n{body}" if title else body


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, in order; digits count as letters."""
    return TOKEN.findall(text.lower())
