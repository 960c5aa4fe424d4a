"""Takes mail by LMTP or SMTP for our own mailboxes only, and says 250 when it is stored for good."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import AnyStr

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from quell.channels._mail_loop import is_null_path
from quell.channels.email import MAIL_BYTES_MAX
from quell.core.errors import Refused
from quell.core.incoming import Hook

LINE_BYTES_MAX = 1024 * 1024
RECIPIENTS_MAX = 100
IDLE_S_MAX = 300.0

log = logging.getLogger("quell.listen")

# The key of the channel whose mailbox this address is, or None when it is none of ours.
KeyOf = Callable[[str], Awaitable[str | None]]
# Stores a delivery of that channel; returns when it is durable; Refused when it is not to be had.
Take = Callable[[str, Hook], Awaitable[None]]

STORED = "250 2.0.0 stored"
LATER = "451 4.3.0 we could not store it, please try again"
NOT_OURS = "550 5.1.1 no such mailbox here"


async def serve_lmtp(host: str, port: int, key_of: KeyOf, take: Take, hostname: str = "quell") -> asyncio.Server:
    """Listen for LMTP; every recipient gets a reply of its own after the data."""
    return await _serve(_Lmtp, host, port, _Handler(key_of, take, a_reply_each=True), hostname)


async def serve_smtp(host: str, port: int, key_of: KeyOf, take: Take, hostname: str = "quell") -> asyncio.Server:
    """Listen for SMTP; it relays nothing, since it knows no other mailboxes than ours."""
    return await _serve(_Smtp, host, port, _Handler(key_of, take, a_reply_each=False), hostname)


async def _serve(kind: type[SMTP], host: str, port: int, handler: "_Handler", hostname: str) -> asyncio.Server:
    def made() -> SMTP:
        limit = MAIL_BYTES_MAX
        return kind(handler, data_size_limit=limit, enable_SMTPUTF8=True, hostname=hostname, timeout=IDLE_S_MAX)

    return await asyncio.get_running_loop().create_server(made, host, port)


class _Smtp(SMTP):
    """Real mails have lines longer than the standard's 1,000 bytes; they are taken."""

    line_length_limit = LINE_BYTES_MAX
    __ident__ = "Quell"


class _Lmtp(LMTP):
    """LMTP owes one reply a recipient after the data, for a mail that is too large as well."""

    line_length_limit = LINE_BYTES_MAX
    __ident__ = "Quell"

    async def push(self, status: AnyStr) -> None:
        """Send a reply; one that refuses the data itself once for every recipient."""
        if self.envelope and str(status).startswith(("552 Error: Too much", "500 Line too long")):
            for _ in self.envelope.rcpt_tos[1:]:
                await super().push(status)
        await super().push(status)


class _Handler:
    """What aiosmtpd asks on each command."""

    def __init__(self, key_of: KeyOf, take: Take, a_reply_each: bool) -> None:
        self.key_of, self.take, self.a_reply_each = key_of, take, a_reply_each

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 too many recipients"
        try:
            key = await self.key_of(address)
        except Exception as trouble:
            log.error("recipient_unknown trouble=%s", type(trouble).__name__)
            return LATER
        if key is None:
            return NOT_OURS
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.append(key)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One delivery a mailbox, however many of its addresses were named."""
        keys = [str(key) for key in envelope.rcpt_options]
        verdicts: dict[str, str] = {}
        for key in dict.fromkeys(keys):
            to = [address for address, its in zip(envelope.rcpt_tos, keys, strict=True) if its == key]
            verdicts[key] = await self._keep(key, _hook(session, envelope, to))
        if self.a_reply_each:
            return "\r\n".join(verdicts[key] for key in keys)
        return _worst(list(verdicts.values()))

    async def _keep(self, key: str, hook: Hook) -> str:
        try:
            await self.take(key, hook)
        except Refused as refused:
            return f"{552 if refused.status == 413 else 550} 5.6.0 {_ascii(refused.says)}"
        except Exception as trouble:
            log.error("mail_not_stored channel=%s trouble=%s", key, type(trouble).__name__)
            return LATER
        return STORED


def _hook(session: Session, envelope: Envelope, to: list[str]) -> Hook:
    sender = envelope.mail_from or ""
    headers = {"x-envelope-from": "" if is_null_path(sender) else sender, "x-envelope-to": ", ".join(to)}
    body = envelope.original_content or b""
    peer: object = session.peer
    remote = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    return Hook(bytes(body), headers, method="MAIL", remote=remote)


def _worst(verdicts: list[str]) -> str:
    """SMTP has one reply for all: come again if any could not be stored (what was stored is known then)."""
    if LATER in verdicts:
        return LATER
    return STORED if STORED in verdicts else verdicts[0]


def _ascii(words: str) -> str:
    return words.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")[:200]
