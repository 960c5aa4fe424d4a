"""Turns Slack's markup into plain words: mentions, links and its three escaped characters."""

import re

from quell.channels._clean import one_line, storable
from quell.channels._json import Object, inner, listed, text_at

TEXT_CHARS_MAX = 40_000
BLOCK_NODES_MAX = 2_000

_ANGLE = re.compile(r"<([^<>|]{1,2000})(?:\|([^<>]{0,2000}))?>")


def plain_text(message: Object, own_users: frozenset[str] = frozenset()) -> str:
    """The words of a message: its text, else its blocks, then what it forwards; our own name left out."""
    text = text_at(message, "text") or _from_blocks(listed(message, "blocks"))
    parts = [_words(text, own_users)]
    for each in listed(message, "attachments")[:20]:
        if inner({"_": each}, "_"):
            parts.append(_words(text_at(each, "text", "fallback"), own_users))
    return storable("\n\n".join(part for part in parts if part))[:TEXT_CHARS_MAX]


def escaped(text: str) -> str:
    """Our words for Slack: nothing in them can call a channel or hide a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _words(text: str, own_users: frozenset[str]) -> str:
    text = _ANGLE.sub(lambda found: _spoken(found[1], found[2] or "", own_users), text[: TEXT_CHARS_MAX * 2])
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _spoken(target: str, label: str, own_users: frozenset[str]) -> str:
    if target[0] in "@#":
        return "" if target[1:] in own_users else target[0] + (label.lstrip("@#") or target[1:])
    if target[0] == "!":
        return "@" + (label.lstrip("@") or target[1:].partition("^")[0])
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return address if not label or label in target else f"{label} ({target})"


def _from_blocks(blocks: list[object]) -> str:
    """Every text in the blocks in reading order, walked without recursion and within a bound."""
    words: list[str] = []
    waiting: list[object] = list(reversed(blocks))
    for _ in range(BLOCK_NODES_MAX):
        if not waiting:
            break
        node = waiting.pop()
        if text_at(node, "text"):
            words.append(text_at(node, "text"))
        elif inner(node, "text"):
            words.append(text_at(inner(node, "text"), "text"))
        waiting.extend(reversed(listed(node, "elements") + listed(node, "fields")))
    return " ".join(one_line(each, 4_000) for each in words if each.strip())
