"""A small SMTP server that keeps what it is handed and answers what it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Sink:
    """What it was handed, and what it answers."""

    data_reply: str = "250 ok"
    rcpt_reply: str = "250 ok"
    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)

    @property
    def url(self) -> str:
        """How the email channel's `smtp_url` names it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[Message]:
        """The mails it was handed, oldest first."""
        return [message_from_bytes(each.original_content or b"") for each in self.envelopes]

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        """Take a recipient."""
        if self.rcpt_reply.startswith("2"):
            envelope.rcpt_tos.append(to)
        return self.rcpt_reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        if self.data_reply.startswith("2"):
            self.envelopes.append(envelope)
        return self.data_reply


@asynccontextmanager
async def smtp_sink(sink: Sink | None = None, **more: object) -> AsyncIterator[Sink]:
    """Listen on a free port for as long as the block runs; `more` goes to aiosmtpd."""
    kept = sink or Sink()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(kept, **more), "127.0.0.1", 0)  # type: ignore[arg-type]
    async with server:
        kept.port = server.sockets[0].getsockname()[1]
        yield kept
