"""Splits HTML into tags and text in linear time, however broken; the standard library's parser takes quadratic."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Literal

QUOTE_TRIES_MAX = 4
ATTRIBUTES_CHARS_MAX = 8_000

_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_ATTRIBUTE = r"(?:^|\s){name}\s{{0,5}}=\s{{0,5}}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"

Token = tuple[Literal["text", "open", "close"], str, str]


def tokens(html: str) -> Iterator[Token]:
    """(kind, words or tag name, raw attributes) in reading order; comments and declarations are left out.

    A `<` that begins no tag is text; so is all that follows the last `>`.
    """
    place, closed_comments = 0, html.rfind("-->")
    while place < len(html):
        mark = html.find("<", place)
        if mark < 0:
            break
        if mark > place:
            yield "text", html[place:mark], ""
        end = _end_of(html, mark, closed_comments)
        if end < 0:
            place = mark
            break
        yield from _tag(html, mark, end)
        place = end
    if place < len(html):
        yield "text", html[place:], ""


def attribute(attributes: str, name: str) -> str:
    """The value of an attribute in a tag's raw attributes, or the empty text."""
    pattern = re.compile(_ATTRIBUTE.format(name=name), re.IGNORECASE)
    found = pattern.search(attributes)
    return unescape(next((each for each in found.groups() if each is not None), "")) if found else ""


def _end_of(html: str, mark: int, closed_comments: int) -> int:
    """Where the markup that begins at `mark` ends; -1 when there is no `>` any more.

    `closed_comments` is where the last comment ends, so that nobody looks for an end that is not there.
    """
    if html.startswith("<!--", mark) and mark + 4 <= closed_comments:
        return html.find("-->", mark + 4) + 3
    if not _NAME.match(html, mark) and html[mark + 1 : mark + 2] not in ("!", "?"):
        return mark + 1
    first = end = html.find(">", mark)
    for _ in range(QUOTE_TRIES_MAX):
        if end < 0:
            break
        if html.count('"', mark, end) % 2 == 0:
            return end + 1
        end = html.find(">", end + 1)
    return first + 1 if first >= 0 else -1


def _tag(html: str, mark: int, end: int) -> Iterator[Token]:
    name = _NAME.match(html, mark, end)
    if name is None:
        if end == mark + 1:
            yield "text", "<", ""
    elif name[1]:
        yield "close", name[2].lower(), ""
    else:
        tag, attributes = name[2].lower(), html[name.end() : end - 1][:ATTRIBUTES_CHARS_MAX]
        yield "open", tag, attributes
