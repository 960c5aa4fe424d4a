"""The portal's form and `POST /api/v1/reports`: both hand over the same JSON."""

import base64
import binascii
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quell.channels._clean import labels_of, one_line, storable
from quell.channels._files import ATTACHMENTS_MAX, file_name
from quell.channels._json import Object, flat, inner, listed, moment, read_object, text_at
from quell.core.errors import Fault, Refused
from quell.core.incoming import Answer, Attachment, Hook, Incoming, Party, Receipt, Said, Sent, Strength
from quell.seams import Channel, Setting

BODY_BYTES_MAX = 36 * 1024 * 1024
TEXT_CHARS_MAX = 200_000
ADDRESS_CHARS_MAX = 320


@dataclass(frozen=True)
class Portal:
    """A report typed into the portal, or posted by a program with a token.

    The door has checked who is asking. It says what it knows in headers that it never takes over from outside:
    `x-quell-proven: yes` (the reporter is signed in as himself); intake names the stored delivery in
    `x-quell-delivery`, so that the same words said on two days are two reports.
    """

    name: str = "portal"
    settings: tuple[Setting, ...] = ()

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """The shape, with every fault and its place; without an idempotency key each arrival is a new report."""
        body = read_object(hook.body, BODY_BYTES_MAX)
        faults = _faults(body)
        if faults:
            raise Refused("The report is not complete.", 400, "wrong_fields", faults)
        once = hook.headers.get("idempotency-key", "") or f"at {at.isoformat()}"
        raw = once.encode("utf-8", "surrogateescape") + b"\n" + hook.body
        return Receipt(hashlib.sha256(raw).hexdigest(), status=202)

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """One message: words of a person, or an alert's state when the labels carry a fingerprint."""
        body = read_object(hook.body, BODY_BYTES_MAX)
        labels = labels_of(flat(inner(body, "labels")))
        files, notes = _files(body)
        sender = _sender(body, proven=hook.headers.get("x-quell-proven") == "yes")
        answers = text_at(body, "reply_to")
        return (
            Incoming(
                source_key=hook.headers.get("x-quell-delivery") or hashlib.sha256(hook.body).hexdigest(),
                said=_said(labels),
                text=storable(text_at(body, "text"))[:TEXT_CHARS_MAX],
                subject=one_line(text_at(body, "subject")) or None,
                sender=sender,
                device=one_line(text_at(body, "device"), 255) or None,
                labels=labels,
                thread=(f"portal:{one_line(answers, 40)}",) if answers else (),
                identity=labels.get("fingerprint") or None,
                at=moment(text_at(body, "at")),
                attachments=files,
                route={"reporter": sender.address} if sender else {},
                notes=(*notes, *_notes(body)),
                organisation=one_line(text_at(body, "organisation"), 200) or None,
            ),
        )

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """The reporter reads the answer on the report's own page, where the conversation already holds it."""
        return Sent((f"portal:{answer.report}",))


def _faults(body: Object) -> tuple[Fault, ...]:
    labels = flat(inner(body, "labels"))
    faults = []
    if not text_at(body, "text").strip() and not text_at(body, "subject").strip():
        faults.append(Fault("text", "Say in a few words what is wrong."))
    if not text_at(body, "reporter").strip() and not labels.get("fingerprint") and not text_at(body, "device"):
        faults.append(Fault("reporter", "Say who reports this: a mail address."))
    if not isinstance(body.get("labels", {}), dict):
        faults.append(Fault("labels", "Labels are an object of names and texts."))
    if len(listed(body, "files")) > ATTACHMENTS_MAX:
        faults.append(Fault("files", f"No more than {ATTACHMENTS_MAX} files."))
    return tuple(faults)


def _sender(body: Object, proven: bool) -> Party | None:
    address = one_line(text_at(body, "reporter"), ADDRESS_CHARS_MAX).lower()
    if not address:
        return None
    name = one_line(text_at(body, "name"), 200) or None
    strength = Strength.SIGNED if proven else Strength.TEXT
    return Party(address, name, strength, address if "@" in address else None)


def _said(labels: Mapping[str, str]) -> Said:
    if not labels.get("fingerprint"):
        return Said.WORDS
    return Said.RESOLVED if labels.get("status", "").lower() == "resolved" else Said.FIRING


def _files(body: Object) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    kept, notes = [], []
    for number, each in enumerate(listed(body, "files")[:ATTACHMENTS_MAX], 1):
        name = file_name(text_at(each, "name")) or f"file-{number}"
        kind = one_line(text_at(each, "media_type"), 100) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        try:
            content = base64.b64decode(text_at(each, "content"), validate=True)
        except (binascii.Error, ValueError):
            notes.append(f"The file {name} was not readable (no base64) and is left out.")
            continue
        kept.append(Attachment(name, kind, content))
    return tuple(kept), tuple(notes)


def _notes(body: Object) -> tuple[str, ...]:
    through = one_line(text_at(body, "channel"), 60)
    return (f"It first came through: {through}.",) if through else ()


CHANNEL: Channel = Portal()
