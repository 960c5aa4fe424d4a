"""Cuts the quoted mail off a reply, line by line in linear time, so that what was newly said is seen; loses nothing.

Whoever wants the quoted words reads the full text beside it. In doubt (answers between quotes, nothing left, a mail
that was passed on) everything is shown.
"""

import re
from collections.abc import Sequence

from quell.channels._mail_words import (
    FIELD_KIND,
    FORWARD_PREFIXES,
    FORWARDED,
    LEADS,
    ORIGINAL,
    REPLY_PREFIXES,
    VERBS,
)

MARKER = "##- Please reply above this line -##"
LINES_MAX = 20_000
ATTRIBUTION_LINES_MAX = 4
ATTRIBUTION_CHARS_MAX = 400
FIELD_LINES_MAX = 14

_DASHED = re.compile(r"^[ \t>*]*[-_=—–]{2,}[ \t]*(\S.{1,60}?)[ \t]*:?[ \t]*[-_=—–]{2,}[ \t*]*$")
_FIELD = re.compile(r"^[ \t\xa0*_|]{0,8}([^\W\d_][^:：\n]{0,22}?)[ \t\xa0]{0,3}[*_]{0,2}[ \t\xa0]{0,2}[:：]")
_DATE = re.compile(r"\d{1,2}[:.hH]\d{2}|(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}月")
_ADDRESS = re.compile(r"[^\s<>()@]@[^\s<>()@]")
_PREFIX = re.compile(r"^\s*([^\W\d_]{1,10})\s*(?:\[\d+\]|\(\d+\)|\d{1,2})?\s*[:：]")
_RULER = re.compile(r"^[ \t*]*[-_=—–]{3,}[ \t*]*$")
_SIGNATURE = re.compile(r"^(?:-- ?|__+|—+)$")


def visible(text: str, is_reply: bool = True, is_forward: bool = False) -> str:
    """What was newly said in this mail; the whole text when that cannot be told apart."""
    lines = text.split("\n")
    if is_forward or len(lines) > LINES_MAX:
        return text
    cut = _boundary(lines, is_reply)
    if cut is None:
        return text
    top, after = lines[:cut], lines[cut:]
    if _quoted_by_marks(after):
        below = _below_quotes(after)
        if below is None:
            return text
        if _says(below):
            return text if _says(top) else _said(below)
    return _said(top) if _says(top) else text


def is_reply_subject(subject: str) -> bool:
    """Whether the subject begins with some language's "Re:"."""
    found = _PREFIX.match(subject)
    return bool(found) and found[1].lower() in REPLY_PREFIXES if found else False


def is_forward_subject(subject: str) -> bool:
    """Whether the subject begins with some language's "Fwd:"."""
    found = _PREFIX.match(subject)
    return bool(found) and found[1].lower() in FORWARD_PREFIXES if found else False


def _boundary(lines: Sequence[str], is_reply: bool) -> int | None:
    """The first line that belongs to an earlier mail, or None."""
    for index, line in enumerate(lines):
        if MARKER in line:
            return _before_marker(lines, index)
        if _is_quoted(line):
            if _quote_begins(lines, index):
                return index
            continue
        name = _between_dashes(line)
        if name in FORWARDED or line.strip(" *>:").lower() in FORWARDED:
            return None
        if name in ORIGINAL or _is_field_block(lines, index):
            return _with_ruler(lines, index)
        start = _attribution_ending_at(lines, index, is_reply)
        if start is not None:
            return start
    return None


def _between_dashes(line: str) -> str:
    found = _DASHED.match(line[:120])
    return found[1].strip().lower().replace("’", "'") if found else ""


def _before_marker(lines: Sequence[str], index: int) -> int:
    """Our own marker was quoted: whatever paragraph ends in a colon right above it announces the quote."""
    start = index
    while start and not lines[start - 1].strip(" >"):
        start -= 1
    first = start
    while first and lines[first - 1].strip() and start - first < ATTRIBUTION_LINES_MAX:
        first -= 1
    announced = start and lines[start - 1].rstrip(" *").endswith((":", "："))
    return first if announced else start


def _quote_begins(lines: Sequence[str], index: int) -> bool:
    """A `>` line that is no lone mark in a sentence: another follows, or it stands apart."""
    rest = [line for line in lines[index + 1 : index + 4] if line.strip()]
    return bool(rest and _is_quoted(rest[0])) or not index or not lines[index - 1].strip()


def _with_ruler(lines: Sequence[str], index: int) -> int:
    while index and (_RULER.match(lines[index - 1]) or (not lines[index - 1].strip() and index > 1)):
        index -= 1
    return index


def _is_field_block(lines: Sequence[str], index: int) -> bool:
    """`From: … Sent: … To: … Subject: …` in any known language, wrapped lines allowed."""
    if _field_kind(lines[index]) is None:
        return False
    kinds: set[str] = set()
    loose = 0
    block: list[str] = []
    for line in lines[index : index + FIELD_LINES_MAX]:
        kind = _field_kind(line)
        loose = 0 if kind else loose + 1
        if loose > 2 or (not kind and not line.strip() and len(kinds) > 2):
            break
        kinds |= {kind} if kind else set()
        block.append(line[:1_000])
    words = "\n".join(block)
    addressed = bool(_ADDRESS.search(words)) or "subject" in kinds
    return "from" in kinds and len(kinds) >= 3 and addressed


def _field_kind(line: str) -> str | None:
    found = _FIELD.match(line[:80])
    return FIELD_KIND.get(found[1].strip(" *_").lower()) if found else None


def _attribution_ending_at(lines: Sequence[str], end: int, is_reply: bool) -> int | None:
    """Where "On … wrote:" begins, if it ends on this line; the shortest stretch that is one wins."""
    if not lines[end].rstrip(" *\u200e\u200f").endswith((":", "：")):
        return None
    followed = _next_is_quoted(lines, end)
    for start in range(end, max(-1, end - ATTRIBUTION_LINES_MAX), -1):
        if not lines[start].strip():
            return None
        words = " ".join(line.strip() for line in lines[start : end + 1])
        if len(words) > ATTRIBUTION_CHARS_MAX:
            return None
        opens = start == 0 or not lines[start - 1].strip()
        if not _is_torn(lines[start]) and _announces(words, followed, opens, is_reply):
            return _from_lead(lines, start)
    return None


def _is_torn(line: str) -> bool:
    """Whether the line begins inside an address that was opened on the line above."""
    for mark, shut in ("<>", "()"):
        before, closed, _ = line.partition(shut)
        if closed and mark not in before:
            return True
    return False


def _announces(words: str, followed: bool, opens: bool, is_reply: bool) -> bool:
    low = words.lower()
    verb = any(each in low for each in VERBS)
    date, address = bool(_DATE.search(low)), bool(_ADDRESS.search(low))
    lead = _has_lead(low)
    if followed and (date or address or lead) and (verb or address):
        return True
    if date and address and (verb or opens):
        return True
    return is_reply and verb and date and lead


def _has_lead(low: str) -> bool:
    start = low.lstrip(" *_\"'(")
    return start[:1].isdigit() or any(start.startswith((f"{each} ", f"{each}.", f"{each},")) for each in LEADS)


def _from_lead(lines: Sequence[str], start: int) -> int:
    """A date that was torn off onto lines of its own belongs to the announcement too."""
    begins = start
    for first in range(start - 1, max(-1, start - ATTRIBUTION_LINES_MAX), -1):
        line = lines[first].strip().lower()
        if not line:
            break
        if _has_lead(line) and any(letter.isdigit() for letter in line) and len(line) < 60:
            begins = first
    return begins


def _next_is_quoted(lines: Sequence[str], index: int) -> bool:
    for line in lines[index + 1 : index + 4]:
        if line.strip():
            return _is_quoted(line)
    return False


def _is_quoted(line: str) -> bool:
    """A line of a quoted mail; `>:` alone is the torn-off end of an address."""
    words = line.strip()
    return words.startswith(">") and words not in (">:", ">：")


def _quoted_by_marks(after: Sequence[str]) -> bool:
    """Whether the earlier mail is marked line by line with `>`; if not, all that follows belongs to it."""
    return any(_is_quoted(line) for line in after[: ATTRIBUTION_LINES_MAX + 4])


def _below_quotes(after: Sequence[str]) -> list[str] | None:
    """What stands below the only quote; None when words stand between quotes, as in answers point by point."""
    first = next(index for index, line in enumerate(after) if _is_quoted(line))
    below: list[str] = []
    for line in after[first:]:
        if _is_quoted(line):
            if _says(below):
                return None
            below = []
        else:
            below.append(line)
    return below


def _says(lines: Sequence[str]) -> bool:
    """Whether these lines hold words beside a signature block and rulers."""
    for line in lines:
        words = line.strip()
        if _SIGNATURE.match(words):
            return False
        if words and not _RULER.match(words):
            return True
    return False


def _said(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip("\n").rstrip()
