"""Signed names of a report in mail addresses and subjects: an answer finds its way home, a guess does not.

The server fills in the settings `token_key` and, after a rotation, `token_key_old`.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from quell.channels._secret import same

ADDRESS_MAC_CHARS = 16
SUBJECT_MAC_CHARS = 8

_IN_ADDRESS = re.compile(r"\+([tb])([0-9]{1,12})\.([a-z2-7]{16})$")
_IN_SUBJECT = re.compile(r"\[#([0-9]{1,12})-([a-z2-7]{8})\]", re.IGNORECASE)


def reply_address(key: str, mailbox: str, report: int) -> str:
    """Where answers about this report go: `support+t42.<mac>@…`."""
    return _signed_address(key, mailbox, "t", report)


def bounce_address(key: str, mailbox: str, report: int) -> str:
    """The envelope sender of our mail about this report: `support+b42.<mac>@…`."""
    return _signed_address(key, mailbox, "b", report)


def subject_token(key: str, report: int) -> str:
    """`[#42-abcdefgh]`, for programs that lose everything but the subject."""
    return f"[#{report}-{_mac(key, 's', report, SUBJECT_MAC_CHARS)}]"


def report_in_addresses(settings: Mapping[str, str], addresses: Iterable[str]) -> tuple[int, str] | None:
    """(report, "t" or "b") of the first address that we signed ourselves, or None."""
    for address in addresses:
        found = _IN_ADDRESS.search(address.rpartition("@")[0].lower())
        if found and _ours(settings, found[1], int(found[2]), found[3]):
            return int(found[2]), found[1]
    return None


def report_in_subject(settings: Mapping[str, str], subject: str) -> int | None:
    """The report whose signed token stands in the subject, or None."""
    for number, mac in _IN_SUBJECT.findall(subject):
        if _ours(settings, "s", int(number), mac.lower()):
            return int(number)
    return None


def without_token(subject: str) -> str:
    """The subject without such tokens, signed or not."""
    return re.sub(r"\s{2,}", " ", _IN_SUBJECT.sub("", subject)).strip()


def mailbox_of(address: str) -> str:
    """The address in lower case without a `+…` part."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _signed_address(key: str, mailbox: str, purpose: str, report: int) -> str:
    local, _, domain = mailbox.rpartition("@")
    return f"{local.partition('+')[0]}+{purpose}{report}.{_mac(key, purpose, report, ADDRESS_MAC_CHARS)}@{domain}"


def _ours(settings: Mapping[str, str], purpose: str, report: int, mac: str) -> bool:
    keys = [settings.get(name, "") for name in ("token_key", "token_key_old")]
    return same(mac, *(_mac(key, purpose, report, len(mac)) for key in keys if key))


def _mac(key: str, purpose: str, report: int, chars: int) -> str:
    raw = hmac.new(key.encode(), f"quell-mail-{purpose}-{report}".encode(), hashlib.sha256).digest()
    return base64.b32encode(raw).decode().lower()[:chars]
