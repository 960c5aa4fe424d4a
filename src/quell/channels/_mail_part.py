"""One part of a mail, looked at without believing its headers: kind, name, bytes, words."""

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

from quell.channels._clean import one_line
from quell.channels._files import file_name
from quell.channels._mail_charset import decoded, header, raw_headers, text_of

# What the standard library raises on mails that no standard knows.
PARSE_TROUBLE = (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError)

_KIND = re.compile(r"^\s*([a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120})\s*(?:;|$|\s)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A part with what its headers claim, made safe; `message` is the parser's own object."""

    message: Message
    kind: str
    disposition: str
    name: str
    named: bool

    @property
    def is_multipart(self) -> bool:
        """Whether it truly holds parts, whatever it calls itself."""
        return self.kind.startswith("multipart/") and self.message.is_multipart()

    @property
    def is_body(self) -> bool:
        """Whether these are words of the mail itself and no file."""
        words = self.kind in ("text/plain", "text/html", "text/enriched") or self.kind.startswith("multipart/")
        return words and self.disposition != "attachment" and not self.named

    @property
    def is_inline(self) -> bool:
        """Whether the text shows it in place, by its content id."""
        return self.disposition != "attachment" and bool(header(self.message, "content-id"))

    def children(self) -> Sequence[Message]:
        """The parts inside."""
        inside: object = self.message.get_payload() if self.message.is_multipart() else []
        return [each for each in inside if isinstance(each, Message)] if isinstance(inside, list) else []

    def content(self) -> bytes:
        """The decoded bytes; of what cannot be decoded as it says, the bytes as they stand."""
        try:
            raw = self.message.get_payload(decode=True)
        except PARSE_TROUBLE:
            return b""
        return raw if isinstance(raw, bytes) else b""

    def text(self) -> str:
        """The words, with plain line ends."""
        words = text_of(self.content(), self.parameter("charset"))
        return words.replace("\r\n", "\n").replace("\r", "\n")

    def parameter(self, name: str) -> str:
        """A parameter of the content type, or the empty text."""
        return _parameter(self.message, "content-type", name)

    def nested(self) -> tuple[bytes, str]:
        """(bytes, subject) of the mail inside a `message/…` part."""
        inside = self.children()
        if not inside:
            return self.content(), ""
        try:
            return inside[0].as_bytes(), header(inside[0], "subject")
        except PARSE_TROUBLE:
            return b"", header(inside[0], "subject")

    def invented_name(self, number: int) -> str:
        """A name for a file that has none."""
        return f"file-{number}{mimetypes.guess_extension(self.kind) or ''}"

    @staticmethod
    def clean_name(words: str) -> str:
        """A file name without path or tricks."""
        return file_name(words)

    @staticmethod
    def guessed_kind(name: str) -> str:
        """The media type that a file's ending suggests."""
        return mimetypes.guess_type(file_name(name))[0] or "application/octet-stream"


def looked_at(message: Message) -> Part:
    """The part with its headers read; a missing or broken content type is plain text, or mixed when it holds parts."""
    found = _KIND.match(header(message, "content-type"))
    kind = found[1].lower() if found else "text/plain"
    if message.is_multipart() and not kind.startswith(("multipart/", "message/")):
        kind = "multipart/mixed"
    if kind.startswith("multipart/") and not message.is_multipart():
        kind = "text/plain"
    disposition = header(message, "content-disposition").partition(";")[0].strip().lower()
    words = _parameter(message, "content-disposition", "filename") or _parameter(message, "content-type", "name")
    name = file_name(decoded(words))
    return Part(message, kind, disposition, name, bool(words.strip()))


def flowed(words: str, delete_space: bool) -> str:
    """Lines that were broken softly (RFC 3676) made whole again."""
    lines: list[str] = []
    soft = False
    depth_before = 0
    for line in words.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        if soft and depth == depth_before and rest != "-- ":
            lines[-1] += rest
        else:
            lines.append(f"{'>' * depth} {rest}" if depth else rest)
        soft = rest.endswith(" ") and rest != "-- "
        if soft and delete_space:
            lines[-1] = lines[-1][:-1]
        depth_before = depth
    return "\n".join(line.rstrip() if line != "-- " else line for line in lines)


def _parameter(message: Message, name: str, key: str) -> str:
    """A header's parameter, RFC 2231 and raw foreign bytes included; headers are re-read as text for that."""
    values = raw_headers(message, name)
    if not values:
        return ""
    again = Message()
    again[name] = text_of(values[0].encode("utf-8", "surrogateescape"))
    try:
        found = again.get_param(key, "", header=name)
        words = collapse_rfc2231_value(found) if found else ""
    except PARSE_TROUBLE:
        return ""
    return one_line(words, 2_000)
