"""Turns the HTML of a mail into plain text for reading: no scripts, no styles, quotes marked by `>`."""

import re
from html import unescape

from quell.channels._mail_tags import attribute, tokens

HTML_CHARS_MAX = 2_000_000
QUOTE_DEPTH_MAX = 10
LINKS_MAX = 500
LINE_CHARS_MAX = 10_000

_SILENT = frozenset("script style head title template noscript object svg select math".split())
_VOID = frozenset("br hr img input meta link area base col embed source track wbr".split())
_BLOCK = frozenset(
    "address article aside center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header li "
    "main nav ol p pre section table tbody tfoot thead tr ul blockquote hr".split()
)
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "blockquote", "table"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_HIDDEN_WORD = re.compile(r"(?:^|\s)hidden(?:\s|$)", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def html_to_text(html: str) -> str:
    """Readable text of an HTML mail; links stand behind their words where the two differ."""
    reader = _Reader(hides=True)
    reader.read(html[:HTML_CHARS_MAX])
    if reader.silent and reader.hid:
        # Something hidden was never closed: rather show too much than lose the mail.
        reader = _Reader(hides=False)
        reader.read(html[:HTML_CHARS_MAX])
    return reader.text()


class _Reader:
    """Collects lines; `silent` holds the open elements whose content nobody should read."""

    def __init__(self, hides: bool) -> None:
        self.hides, self.hid = hides, False
        self.lines: list[str] = []
        self.line = ""
        self.quote = 0
        self.silent: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.links_shown = 0
        self.pre = 0

    def read(self, html: str) -> None:
        for kind, value, attributes in tokens(html):
            if kind == "text":
                self._data(unescape(value))
            elif kind == "open":
                self._start(value, attributes)
            else:
                self._end(value)

    def _start(self, tag: str, attributes: str) -> None:
        if self.silent:
            if tag == self.silent[-1] and tag not in _VOID:
                self.silent.append(tag)
            return
        hidden = self.hides and tag not in _VOID and _is_hidden(attributes)
        if tag in _SILENT or hidden:
            self.hid = self.hid or hidden
            self.silent.append(tag)
            return
        self._open(tag, attributes)

    def _end(self, tag: str) -> None:
        if self.silent:
            if tag == self.silent[-1]:
                self.silent.pop()
            return
        if tag == "a" and self.links:
            self._close_link()
        if tag == "blockquote":
            self._break()
            self.quote = max(0, self.quote - 1)
        if tag == "pre":
            self.pre = max(0, self.pre - 1)
        if tag in _BLOCK:
            self._break(apart=tag in _APART)

    def _data(self, data: str) -> None:
        if self.silent:
            return
        if self.pre:
            first, *more = data.replace("\r\n", "\n").split("\n")
            self.line += first
            for each in more:
                self._break(keep_empty=True)
                self.line += each
            return
        if len(self.line) > LINE_CHARS_MAX:
            self._break()
        words = _BLANKS.sub(" ", data)
        self.line += words.lstrip(" ") if not self.line or self.line.endswith(" ") else words

    def text(self) -> str:
        self._break()
        text = "\n".join(line.replace("\xa0", " ").rstrip() for line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _open(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self._break(keep_empty=True)
        elif tag == "img":
            words = attribute(attributes, "alt").strip()
            self.line += f"[{words[:200]}]" if words else ""
        elif tag == "a":
            self.links.append((attribute(attributes, "href"), len(self.line)))
        elif tag in ("td", "th") and self.line.strip():
            self.line += "  "
        elif tag in _BLOCK:
            self._break(apart=tag in _APART)
            self._begin_block(tag)

    def _begin_block(self, tag: str) -> None:
        if tag == "blockquote":
            self.quote = min(self.quote + 1, QUOTE_DEPTH_MAX)
        elif tag == "pre":
            self.pre += 1
        elif tag == "li":
            self.line = "- "
        elif tag == "hr":
            self.line = "_" * 32
            self._break()

    def _break(self, apart: bool = False, keep_empty: bool = False) -> None:
        line, self.line = self.line.rstrip(" \t"), ""
        if line or keep_empty:
            self.lines.append(_quoted(line, self.quote))
        if apart and self.lines and self.lines[-1].strip("> "):
            self.lines.append(_quoted("", self.quote))

    def _close_link(self) -> None:
        address, start = self.links.pop()
        words = self.line[start:].strip()
        target = address.strip()
        shown = target.removeprefix("mailto:").removeprefix("tel:")
        worth = target.lower().startswith(("http://", "https://", "mailto:", "tel:", "ftp://"))
        if worth and shown and shown not in words and words not in shown.rstrip("/") and self.links_shown < LINKS_MAX:
            self.links_shown += 1
            self.line += f" <{shown[:2000]}>"


def _is_hidden(attributes: str) -> bool:
    if not attributes:
        return False
    return bool(_HIDDEN.search(attribute(attributes, "style"))) or bool(_HIDDEN_WORD.search(attributes[:200]))


def _quoted(line: str, depth: int) -> str:
    return f"{'>' * depth} {line}".rstrip() if depth else line
