"""Turns the bytes of a mail into text: what it declares, else UTF-8, else what it looks like, else Windows-1252."""

import base64
import binascii
import codecs
import quopri
import re
from email.message import Message

from charset_normalizer import from_bytes

from quell.channels._clean import storable

HEADER_CHARS_MAX = 16_000
SAMPLE_BYTES = 32_000

# What people declare and what they mean: the wider set that contains the narrow one.
_MEANT = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
}
# Codecs that are no alphabet of mail; some of them take quadratic time.
_NEVER = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")


def text_of(raw: bytes, declared: str = "") -> str:
    """The text of these bytes; never raises, and loses nothing that some alphabet can show."""
    for charset in (_meant(declared), "utf-8"):
        try:
            return storable(raw.decode(charset)) if charset else storable(_undeclared(raw))
        except (LookupError, ValueError):
            continue
    guess = from_bytes(raw[:SAMPLE_BYTES]).best() if raw else None
    charset = guess.encoding if guess else "cp1252"
    return storable(raw.decode(charset, "replace"))


def header(message: Message, name: str) -> str:
    """The first header of this name, decoded to one text; empty when it is absent."""
    found = headers(message, name)
    return found[0] if found else ""


def headers(message: Message, name: str) -> list[str]:
    """Every header of this name from the top, decoded, unfolded and bounded."""
    return [decoded(value) for value in raw_headers(message, name)]


def raw_headers(message: Message, name: str) -> list[str]:
    """Every header of this name as it stands in the mail; foreign bytes are surrogates."""
    wanted = name.lower()
    found = [str(value) for key, value in message.raw_items() if str(key).lower() == wanted]
    return [re.sub(r"\r?\n[ \t]*|\r", " ", value[:HEADER_CHARS_MAX]).strip() for value in found]


def decoded(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) and its foreign bytes made readable."""
    parts: list[str] = []
    pending: list[tuple[str, bytes]] = []
    end = 0
    for word in _ENCODED_WORD.finditer(value):
        between = value[end : word.start()]
        if between.strip() or not pending:
            parts += [_joined(pending), _plain(between)]
            pending = []
        pending.append((word[1].partition("*")[0], _word_bytes(word[2], word[3])))
        end = word.end()
    parts += [_joined(pending), _plain(value[end:])]
    return "".join(parts).strip()


def _undeclared(raw: bytes) -> str:
    return raw.decode("utf-8")


def _meant(declared: str) -> str:
    try:
        name = codecs.lookup(declared.strip().strip("\"'")).name if declared.strip() else ""
    except (LookupError, ValueError):
        return ""
    return "" if name in _NEVER else _MEANT.get(name, name)


def _joined(words: list[tuple[str, bytes]]) -> str:
    """Neighbouring words of one alphabet are decoded as one: a letter may be torn between two of them."""
    text, run = "", b""
    for position, (charset, raw) in enumerate(words):
        run += raw
        last = position + 1 == len(words) or words[position + 1][0].lower() != charset.lower()
        if last:
            text, run = text + text_of(run, charset), b""
    return text


def _plain(value: str) -> str:
    return text_of(value.encode("utf-8", "surrogateescape"))


def _word_bytes(how: str, words: str) -> bytes:
    raw = words.encode("utf-8", "surrogateescape")
    if how in "qQ":
        return quopri.decodestring(raw, header=True)
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return base64.b64decode(kept[: len(kept) - (len(kept) % 4 == 1)] + b"=" * (-len(kept) % 4))
    except (binascii.Error, ValueError):
        return raw
