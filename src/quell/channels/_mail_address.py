"""Reads mail addresses and message ids out of headers that may hold anything."""

import re
from collections.abc import Iterable
from email.message import Message
from email.utils import getaddresses

from quell.channels._clean import one_line
from quell.channels._mail_charset import decoded, raw_headers

ADDRESSES_MAX = 200
IDS_MAX = 100
ADDRESS_CHARS_MAX = 320
LIST_CHARS_MAX = 8_000

_ANGLE = re.compile(r"<([^<>\s]{1,254}@[^<>\s]{1,254})>")
_LONE = re.compile(r"^([^<>]*)<([^<>\s]{1,254}@[^<>\s]{1,254})>\s*$")
_BARE = re.compile(r"[^\s<>()\[\],;:\"]{1,64}@[^\s<>()\[\],;:\"]{1,254}")
_ID = re.compile(r"<([^<>\s]{1,500})>")
_BARE_ID = re.compile(r"[^<>\s]{1,250}@[^<>\s]{1,250}")
_SENDABLE = re.compile(r"^[^\s@<>()\[\],;:\\\"\x00-\x1f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f]{1,253}$")


def addresses(message: Message, name: str) -> list[tuple[str, str]]:
    """(display name, address in lower case) of every address in the headers of this name."""
    found: list[tuple[str, str]] = []
    for value in raw_headers(message, name):
        found += _addresses_of(value[:LIST_CHARS_MAX])
    return found[:ADDRESSES_MAX]


def is_sendable(address: str) -> bool:
    """Whether a mail can be sent to this address at all."""
    return bool(_SENDABLE.match(address))


def ids(message: Message, name: str) -> list[str]:
    """Message ids in the headers of this name, in order, with their angle brackets."""
    found: list[str] = []
    for value in raw_headers(message, name):
        found += ids_in(value)
    return found[:IDS_MAX]


def ids_in(value: str) -> list[str]:
    """Message ids in a text; where no angle bracket is left, what looks like one."""
    named = _ID.findall(value) or _BARE_ID.findall(value)
    return [f"<{one_line(each, 500)}>" for each in named]


def first(found: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The first pair, or two empty texts."""
    return next(iter(found), ("", ""))


def _addresses_of(value: str) -> list[tuple[str, str]]:
    lone = _LONE.match(value)
    try:
        # An address as the name of another is no second address: `ann@a.example <ann@a.example>`.
        pairs = [(lone[1].strip().strip('"'), lone[2])] if lone and "," not in lone[1] else getaddresses([value])
    except (ValueError, LookupError, TypeError, RecursionError):
        pairs = []
    kept = [(name, address) for name, address in pairs if _BARE.fullmatch(address)]
    if not kept:
        marked = _ANGLE.findall(value)
        kept = [("", each) for each in (marked[-1:] or _BARE.findall(value))]
    return [(one_line(decoded(name), 200), one_line(decoded(each), ADDRESS_CHARS_MAX).lower()) for name, each in kept]
