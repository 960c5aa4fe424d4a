"""Turns the HTML of a mail into plain text for reading: no scripts, no styles, quotes marked by `>`."""

import re
from html.parser import HTMLParser

HTML_CHARS_MAX = 2_000_000
QUOTE_DEPTH_MAX = 10
LINKS_MAX = 500

_SILENT = frozenset("script style head title template noscript object svg select math".split())
_VOID = frozenset("br hr img input meta link area base col embed source track wbr".split())
_BLOCK = frozenset(
    "address article aside center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header li "
    "main nav ol p pre section table tbody tfoot thead tr ul blockquote hr".split()
)
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "blockquote", "table"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def html_to_text(html: str) -> str:
    """Readable text of an HTML mail; links stand behind their words where the two differ."""
    reader = _Reader()
    reader.feed(html[:HTML_CHARS_MAX])
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects lines; `silent` counts the open elements whose content nobody should read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.line = ""
        self.quote = 0
        self.silent: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.links_shown = 0
        self.pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if self.silent:
            if tag == self.silent[-1] and tag not in _VOID:
                self.silent.append(tag)
            return
        if tag in _SILENT or (tag not in _VOID and _hidden(given)):
            self.silent.append(tag)
            return
        self._open(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID or tag in _BLOCK:
            self.handle_starttag(tag, attrs)
            if tag not in _VOID:
                self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
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

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        if self.pre:
            first, *more = data.replace("\r\n", "\n").split("\n")
            self.line += first
            for each in more:
                self._break(keep_empty=True)
                self.line += each
            return
        words = _BLANKS.sub(" ", data)
        self.line += words.lstrip(" ") if not self.line or self.line.endswith(" ") else words

    def text(self) -> str:
        self._break()
        text = "\n".join(line.replace("\xa0", " ").rstrip() for line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _open(self, tag: str, given: dict[str, str]) -> None:
        if tag == "br":
            self._break(keep_empty=True)
        elif tag == "img":
            self.line += f"[{given['alt']}]" if given.get("alt", "").strip() else ""
        elif tag == "a":
            self.links.append((given.get("href", ""), len(self.line)))
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


def _hidden(given: dict[str, str]) -> bool:
    return "hidden" in given or bool(_HIDDEN.search(given.get("style", "")))


def _quoted(line: str, depth: int) -> str:
    return f"{'>' * depth} {line}".rstrip() if depth else line
