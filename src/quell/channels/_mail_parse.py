"""Takes a raw mail apart: headers, readable text, files, and what must be said about them; no mail makes it raise."""

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser

from quell.channels._clean import one_line, storable
from quell.channels._files import ATTACHMENTS_MAX
from quell.channels._mail_bounce import deliveries, ids_in_headers, original_ids
from quell.channels._mail_html import html_to_text
from quell.channels._mail_part import Part, flowed, looked_at
from quell.channels._mail_tnef import open_tnef
from quell.core.incoming import Attachment

DEPTH_MAX = 32
PARTS_MAX = 1_000
BOUNDARIES_MAX = 200
TEXT_CHARS_MAX = 1_000_000

_BOUNDARY = re.compile(rb"boundary\s{0,5}=\s{0,5}\"?([^\"\r\n;]{1,200})", re.IGNORECASE)
_USELESS = re.compile(r"html|does not support|cannot display|viewer|browser", re.IGNORECASE)
USELESS_CHARS_MAX = 200


@dataclass
class Content:
    """What was in a mail; `originals` are the ids of mails that a mail server's report is about."""

    text: str = ""
    html: str = ""
    files: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)
    enclosed: str = ""
    files_left_out: int = 0

    def add_file(self, one: Attachment) -> None:
        """Keep a file, or count it when there are too many."""
        if len(self.files) < ATTACHMENTS_MAX:
            self.files.append(one)
        else:
            self.files_left_out += 1


def headers_of(raw: bytes) -> Message:
    """Only the headers, parsed."""
    return BytesHeaderParser().parsebytes(raw)


def take_apart(raw: bytes) -> tuple[Message, Content]:
    """The mail and its content; a mail that is a bomb gives its headers and a note."""
    content = Content()
    if _is_bomb(raw):
        content.notes.append("The mail has too many parts to be opened; only its headers were read.")
        return headers_of(raw), content
    try:
        message = message_from_bytes(raw)
        _gather(message, content, 0)
    except RecursionError:
        message, content = headers_of(raw), Content(notes=["The mail is nested too deeply to be opened."])
    words = (content.text or html_to_text(content.html))[:TEXT_CHARS_MAX]
    content.text = storable(words).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not content.text.strip() and content.enclosed.strip():
        content.text = content.enclosed
        content.notes.append("The mail holds only another mail; these are the words of that one.")
    if content.files_left_out:
        content.notes.append(f"{content.files_left_out} more files are only in the raw mail.")
    return message, content


def _is_bomb(raw: bytes) -> bool:
    """Counted before parsing: every declared boundary, and how often each is used."""
    boundaries = set(_BOUNDARY.findall(raw)[: BOUNDARIES_MAX * 10])
    if len(boundaries) > BOUNDARIES_MAX:
        return True
    return sum(raw.count(b"\n--" + each.strip()) for each in boundaries) > PARTS_MAX


def _gather(message: Message, content: Content, depth: int) -> None:
    """Walk one part in reading order; words are appended to text or HTML, the rest becomes files and notes."""
    part = looked_at(message)
    if depth > DEPTH_MAX:
        content.notes.append(f"Parts nested deeper than {DEPTH_MAX} levels were not opened.")
    elif part.kind == "multipart/alternative":
        _choose(part, content, depth)
    elif part.is_multipart:
        _gather_all(part, content, depth)
    elif part.kind.startswith("message/"):
        _gather_message(part, content, depth)
    elif part.kind == "text/rfc822-headers":
        content.originals += ids_in_headers(part.text())
    elif part.is_body and part.kind == "text/html":
        content.html += part.text() + "\n"
        content.text += ("\n" + html_to_text(part.text())) if content.text.strip() else ""
    elif part.is_body:
        _add_text(part, content)
    else:
        _gather_file(part, content)


def _gather_all(part: Part, content: Content, depth: int) -> None:
    if part.kind == "multipart/encrypted":
        content.notes.append("The mail is encrypted (PGP); Quell cannot read it.")
    if part.kind == "multipart/signed":
        content.notes.append("The mail carries a signature, which was not checked.")
    for each in part.children():
        _gather(each, content, depth + 1)


def _choose(part: Part, content: Content, depth: int) -> None:
    """Of several forms of the same words the plain one, unless it only says that there is another."""
    forms = []
    for each in part.children():
        form = Content()
        _gather(each, form, depth + 1)
        forms.append(form)
        content.notes += form.notes
        content.originals += form.originals
        content.files_left_out += form.files_left_out
        for one in form.files:
            content.add_file(one)
    plain = next((form.text for form in forms if form.text.strip()), "")
    html = next((form.html for form in reversed(forms) if form.html.strip()), "")
    useless = len(plain.strip()) < USELESS_CHARS_MAX and _USELESS.search(plain)
    if html and (not plain.strip() or (useless and len(html_to_text(html)) > len(plain))):
        plain = html_to_text(html) if content.text.strip() else ""
        content.html += html
    content.text += plain


def _add_text(part: Part, content: Content) -> None:
    words = part.text()
    if part.parameter("format").lower() == "flowed":
        words = flowed(words, part.parameter("delsp").lower() == "yes")
    if content.html and not content.text.strip():
        content.text = html_to_text(content.html)
    content.text += ("\n" if content.text.strip() else "") + words


def _gather_message(part: Part, content: Content, depth: int) -> None:
    """A mail inside the mail is a file; a mail server's report about one of ours tells which it was."""
    if part.kind == "message/delivery-status":
        content.notes += deliveries(part.message)
        return
    if part.kind == "message/feedback-report":
        content.notes.append("The receiver's mail provider reports a mail as unwanted.")
        return
    content.originals += original_ids(part.message)
    for inside in part.children()[:1]:
        enclosed = Content()
        _gather(inside, enclosed, depth + 1)
        content.enclosed = content.enclosed or enclosed.text or html_to_text(enclosed.html) or enclosed.enclosed
    raw, subject = part.nested()
    content.add_file(Attachment(part.name or f"{one_line(subject, 80) or 'message'}.eml", "message/rfc822", raw))
    if not raw:
        content.notes.append("A mail inside the mail could not be read.")


def _gather_file(part: Part, content: Content) -> None:
    raw = part.content()
    if part.kind in ("application/ms-tnef", "application/vnd.ms-tnef") or part.name.lower() == "winmail.dat":
        _gather_tnef(raw, content)
        return
    if part.kind == "text/calendar":
        content.notes.append(f"The mail is a calendar entry ({one_line(part.parameter('method'), 20) or 'no method'}).")
    if part.kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        content.notes.append("The mail is signed or encrypted (S/MIME); Quell cannot open it.")
    if raw or part.named:
        number = len(content.files) + content.files_left_out + 1
        content.add_file(Attachment(part.name or part.invented_name(number), part.kind, raw, part.is_inline))


def _gather_tnef(raw: bytes, content: Content) -> None:
    opened = open_tnef(raw)
    if not content.text.strip() and not content.html.strip():
        content.text, content.html = opened.text, opened.html
    for number, (name, inside, inline) in enumerate(opened.files, 1):
        content.add_file(Attachment(Part.clean_name(name) or f"file-{number}", Part.guessed_kind(name), inside, inline))
    if not opened.files and not opened.text.strip() and not opened.html.strip():
        content.notes.append("Outlook packed its files into winmail.dat, and nothing in it could be read.")
        content.add_file(Attachment("winmail.dat", "application/ms-tnef", raw))
