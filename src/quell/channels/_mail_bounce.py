"""What a mail server reports about a mail of ours: which address, what happened, and which mail it was (RFC 3464)."""

import re
from email.message import Message

from quell.channels._clean import one_line
from quell.channels._mail_address import ids_in
from quell.channels._mail_charset import header

RECIPIENTS_MAX = 20
WORDS_SEARCHED_MAX = 100_000

_STATUS = re.compile(r"\d\.\d{1,3}\.\d{1,3}")


def deliveries(part: Message) -> list[str]:
    """One sentence a recipient of a `message/delivery-status` part."""
    told: list[str] = []
    for block in _inside(part):
        address = header(block, "final-recipient") or header(block, "original-recipient")
        if address and len(told) < RECIPIENTS_MAX:
            told.append(_sentence(block, address))
    return told


def original_ids(part: Message) -> list[str]:
    """The Message-ID of the mail that a `message/rfc822` or `text/rfc822-headers` part holds."""
    return [each for block in _inside(part)[:1] for each in ids_in(header(block, "message-id"))]


def ids_in_headers(words: str) -> list[str]:
    """The Message-ID in headers that came as plain text."""
    for line in words.split("\n")[:500]:
        if line.lower().startswith("message-id:"):
            return ids_in(line[11:2_000])
    return []


def own_ids_in(words: str, domain: str) -> list[str]:
    """Message-IDs that we made, found anywhere in a text: many mail servers return ours without any structure."""
    found = re.findall(rf"<quell\.\d{{1,12}}\.[0-9a-f]{{32}}@{re.escape(domain)}>", words[:WORDS_SEARCHED_MAX])
    return list(dict.fromkeys(found))[:RECIPIENTS_MAX]


def _inside(part: Message) -> list[Message]:
    blocks: object = part.get_payload() if part.is_multipart() else []
    return [each for each in blocks if isinstance(each, Message)] if isinstance(blocks, list) else []


def _sentence(block: Message, address: str) -> str:
    where = one_line(address.partition(";")[2] or address, 320)
    action = one_line(header(block, "action"), 40).lower() or "reported"
    status = "".join(_STATUS.findall(header(block, "status"))[:1])
    why = one_line(header(block, "diagnostic-code").partition(";")[2], 300)
    return f"Delivery to {where}: {action}" + (f" ({status})" if status else "") + (f", {why}" if why else "")
