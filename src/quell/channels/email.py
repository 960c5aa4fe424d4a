"""Email: a raw mail in, from our own listener or a mailbox; answers out by SMTP in the same thread."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from quell.channels import _mail_send
from quell.channels._clean import one_line, storable
from quell.channels._mail_address import addresses, first, ids, is_sendable
from quell.channels._mail_bounce import own_ids_in
from quell.channels._mail_charset import header, headers
from quell.channels._mail_loop import signs
from quell.channels._mail_parse import Content, headers_of, take_apart
from quell.channels._mail_reply import is_forward_subject, is_reply_subject, visible
from quell.channels._mail_token import mailbox_of, report_in_addresses, report_in_subject, without_token
from quell.channels._mail_trust import strength
from quell.core.errors import Refused
from quell.core.incoming import Answer, Hook, Incoming, Party, Receipt, Said, Sent, Strength
from quell.seams import Channel, Setting

MAIL_BYTES_MAX = 25 * 1024 * 1024
VISIBLE_CHARS_MAX = 200_000
THREAD_KEYS_MAX = 50
RECIPIENTS_MAX = 50


@dataclass(frozen=True)
class Email:
    """One mailbox, such as `support@…`."""

    name: str = "email"
    settings: tuple[Setting, ...] = (
        Setting("address", "The mailbox's own address, such as `support@company.example`.", required=True),
        Setting("aliases", "Other addresses of the same mailbox, separated by commas."),
        Setting(
            "imap_url",
            "Where to fetch: `imaps://user:password@host/INBOX`; empty when mail is delivered to our listener.",
            secret=True,
        ),
        Setting("imap_poll_s", "Seconds between two looks into the mailbox.", default="30"),
        Setting("smtp_url", "Where answers go out: `smtp://user:password@host:587` or `smtps://…`.", secret=True),
        Setting("from_name", "The name that answers carry.", default="IT support"),
        Setting("authserv_id", "The name of your mail server in `Authentication-Results`; only that one is believed."),
        Setting("bounce_address", "Where reports about undeliverable mail go; empty: the mailbox itself with a `+`."),
        Setting("plus_address", "`no` when the mailbox cannot receive `name+word@…`.", default="yes"),
    )

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """Nobody signs a mail for us here; the size, and that it is a mail, are all that can be checked."""
        if len(hook.body) > MAIL_BYTES_MAX:
            raise Refused(f"The mail is larger than {MAIL_BYTES_MAX} bytes.", 413, "too_large")
        if not hook.body.strip():
            raise Refused("The mail is empty.", 400, "empty")
        return Receipt(_source_key(hook, headers_of(hook.body), settings))

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """One message: what was newly said, the whole text beside it, files, thread keys and signs of a loop."""
        message, content = take_apart(hook.body)
        sender, name = _sender(message)
        party, odd = _party(message, sender, name, settings)
        recipients = _recipients(hook, message)
        subject = one_line(header(message, "subject"))
        own_id = ids(message, "message-id")[:1]
        loop = _loop(hook, message, sender, recipients, settings)
        return (
            Incoming(
                source_key=_source_key(hook, message, settings),
                said=Said.WORDS,
                text=_visible(message, content, subject)[:VISIBLE_CHARS_MAX],
                full_text=content.text or None,
                subject=without_token(subject) or None,
                sender=party if sender else None,
                thread=_thread(message, _returned(content, settings) if loop else [], recipients, subject, settings),
                own_keys=tuple(_key(each) for each in own_id),
                at=_date(message),
                attachments=tuple(content.files),
                loop=loop,
                route=_route(message, party, subject, own_id, settings),
                notes=tuple(storable(note) for note in (*([odd] if odd else []), *content.notes)),
            ),
        )

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """A mail into the reporter's thread."""
        return await _mail_send.send(answer, settings)


def own_mailboxes(settings: Mapping[str, str]) -> frozenset[str]:
    """The addresses that are this mailbox, without their `+…` parts."""
    named = [settings.get("address", ""), settings.get("bounce_address", ""), *settings.get("aliases", "").split(",")]
    return frozenset(mailbox_of(each) for each in named if each.strip())


def _key(message_id: str) -> str:
    return f"mail:{message_id}"


def _source_key(hook: Hook, message: Message, settings: Mapping[str, str]) -> str:
    """Message-ID, mailbox and sender; a mail without an id is known by its bytes."""
    named = ids(message, "message-id")[:1]
    if not named:
        return hashlib.sha256(hook.body).hexdigest()
    words = "\n".join([named[0], mailbox_of(settings.get("address", "")), _sender(message)[0]])
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _sender(message: Message) -> tuple[str, str]:
    name, address = first(addresses(message, "from"))
    return address, name


def _party(message: Message, sender: str, name: str, settings: Mapping[str, str]) -> tuple[Party, str]:
    sure, odd = strength(message, sender, settings.get("authserv_id", ""), len(addresses(message, "from")))
    return Party(sender, name or None, sure, sender or None), odd


def _recipients(hook: Hook, message: Message) -> list[str]:
    """Whom the envelope named, then what mail servers wrote down about it, then whom the mail itself names."""
    named = [each.strip().lower() for each in hook.headers.get("x-envelope-to", "").split(",") if each.strip()]
    for field in ("delivered-to", "x-original-to", "envelope-to", "to", "cc"):
        named += [address for _, address in addresses(message, field)]
    return named[:RECIPIENTS_MAX]


def _visible(message: Message, content: Content, subject: str) -> str:
    answers = bool(header(message, "in-reply-to") or header(message, "references")) or is_reply_subject(subject)
    return visible(content.text, answers, is_forward_subject(subject))


def _thread(
    message: Message, returned: list[str], recipients: list[str], subject: str, settings: Mapping[str, str]
) -> tuple[str, ...]:
    """Keys of what this answers, surest first; the words of a subject are never one of them.

    `returned` are the ids of our mails that a mail server's report brought back.
    """
    keys: list[str] = []
    signed = report_in_addresses(settings, recipients)
    if signed:
        keys.append(f"report:{signed[0]}")
    keys += [_key(each) for each in ids(message, "in-reply-to")]
    keys += [_key(each) for each in reversed(ids(message, "references"))]
    keys += [_key(each) for each in returned]
    token = report_in_subject(settings, subject)
    if token:
        keys.append(f"report:{token}")
    return tuple(dict.fromkeys(keys))[:THREAD_KEYS_MAX]


def _returned(content: Content, settings: Mapping[str, str]) -> list[str]:
    domain = settings.get("address", "").rpartition("@")[2]
    return [*content.originals, *own_ids_in(content.text, domain)]


def _loop(
    hook: Hook, message: Message, sender: str, recipients: list[str], settings: Mapping[str, str]
) -> tuple[str, ...]:
    found = signs(message, hook.headers.get("x-envelope-from"), sender, own_mailboxes(settings))
    signed = report_in_addresses(settings, recipients)
    if signed and signed[1] == "b":
        found = (*found, "it came to our bounce address")
    return tuple(one_line(sign, 200) for sign in found)


def _route(
    message: Message, party: Party, subject: str, own_id: list[str], settings: Mapping[str, str]
) -> dict[str, str]:
    """Where an answer goes: a Reply-To of another domain counts only when we are sure who asks for it."""
    wanted = first(addresses(message, "reply-to"))[1]
    domain = party.address.rpartition("@")[2]
    trusted = party.strength in (Strength.SIGNED, Strength.ALIGNED) or wanted.rpartition("@")[2] == domain
    to = wanted if wanted and trusted and is_sendable(wanted) else party.address
    if not is_sendable(to) or mailbox_of(to) in own_mailboxes(settings):
        return {}
    references = [*ids(message, "references"), *own_id]
    return {
        "to": to,
        "name": party.name or "",
        "subject": without_token(subject),
        "message_id": own_id[0] if own_id else "",
        "references": " ".join(dict.fromkeys(references)),
    }


def _date(message: Message) -> datetime | None:
    for value in headers(message, "date")[:1]:
        try:
            at = parsedate_to_datetime(value[:200])
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


CHANNEL: Channel = Email()
