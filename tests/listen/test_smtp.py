"""Our own mail listener: only for our mailboxes, and 250 only when the mail is stored for good."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from quell.core.errors import Refused, TryAgain
from quell.core.incoming import Hook
from quell.listen.smtp import serve_lmtp, serve_smtp
from tests.channels.samples import mail

OURS = {"support@quell.example": "it", "hr@quell.example": "hr"}


@dataclass
class Storage:
    """A store that keeps what it is given, or raises what the test wants."""

    kept: list[tuple[str, Hook]] = field(default_factory=list)
    trouble: Exception | None = None

    async def key_of(self, address: str) -> str | None:
        """Which mailbox an address belongs to."""
        local, _, domain = address.lower().partition("@")
        return OURS.get(f"{local.partition('+')[0]}@{domain}")

    async def take(self, key: str, hook: Hook) -> None:
        """Keep a delivery."""
        await asyncio.sleep(0)
        if self.trouble is not None and key != "hr":
            raise self.trouble
        self.kept.append((key, hook))


@asynccontextmanager
async def listening(storage: Storage, serve: Callable[..., object] = serve_lmtp) -> AsyncIterator[int]:
    server = await serve("127.0.0.1", 0, storage.key_of, storage.take)  # type: ignore[misc]
    async with server:
        yield server.sockets[0].getsockname()[1]


def said(port: int, commands: list[str], data: bytes, replies: int) -> list[str]:
    """Speak LMTP by hand; every reply line, the last ones after the data."""
    with smtplib.LMTP("127.0.0.1", port, timeout=20) as lmtp:
        lines = [f"{code} {words.decode()}" for code, words in (lmtp.docmd(each) for each in commands)]
        lmtp.send(data.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        lines += [f"{code} {words.decode()}" for code, words in (lmtp.getreply() for _ in range(replies))]
    return lines


ENVELOPE = ["LHLO test", "MAIL FROM:<ann@client.example>"]


async def test_every_recipient_hears_its_own_reply_after_the_data() -> None:
    storage = Storage(trouble=TryAgain("the database is away"))
    commands = [*ENVELOPE, "RCPT TO:<support@quell.example>", "RCPT TO:<hr@quell.example>", "DATA"]
    async with listening(storage) as port:
        lines = await asyncio.to_thread(said, port, commands, mail(), 2)
    assert [line[:3] for line in lines[-2:]] == ["451", "250"]
    assert [key for key, _ in storage.kept] == ["hr"]


async def test_a_mail_is_stored_with_its_envelope_and_its_bytes_untouched() -> None:
    storage = Storage()
    raw = mail("Zwölf Boxkämpfer\n.punkt\n" + "x" * 50_000).replace(b"Subject: Screen", "Subject: Größe".encode())
    commands = [*ENVELOPE, "RCPT TO:<Support+t42.abc@Quell.example>", "RCPT TO:<support@quell.example>", "DATA"]
    async with listening(storage) as port:
        lines = await asyncio.to_thread(said, port, commands, raw, 2)
    assert [line[:3] for line in lines[-2:]] == ["250", "250"]
    ((key, hook),) = storage.kept
    assert key == "it" and hook.body == raw + b"\r\n"
    assert hook.headers["x-envelope-from"] == "ann@client.example"
    assert hook.headers["x-envelope-to"] == "Support+t42.abc@Quell.example, support@quell.example"


@pytest.mark.parametrize("serve", [serve_lmtp, serve_smtp])
async def test_the_null_reverse_path_is_empty(serve: Callable[..., object]) -> None:
    storage = Storage()
    kind = smtplib.LMTP if serve is serve_lmtp else smtplib.SMTP
    async with listening(storage, serve) as port:

        def deliver() -> None:
            with kind("127.0.0.1", port, timeout=20) as client:
                client.sendmail("", ["support@quell.example"], mail())

        await asyncio.to_thread(deliver)
    assert storage.kept[0][1].headers["x-envelope-from"] == ""


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (TryAgain("away"), "451"),
        (RuntimeError("a bug"), "451"),
        (Refused("empty"), "550"),
        (Refused("big", 413), "552"),
    ],
)
async def test_what_was_not_stored_is_never_said_to_be(trouble: Exception, code: str) -> None:
    storage = Storage(trouble=trouble)
    async with listening(storage) as port:
        lines = await asyncio.to_thread(said, port, [*ENVELOPE, "RCPT TO:<support@quell.example>", "DATA"], mail(), 1)
    assert lines[-1][:3] == code and not storage.kept


async def test_other_peoples_mailboxes_are_refused() -> None:
    storage = Storage()
    async with listening(storage, serve_smtp) as port:

        def deliver() -> dict[str, tuple[int, bytes]]:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                return client.sendmail("a@b.example", ["support@quell.example", "you@elsewhere.example"], mail())

        refused = await asyncio.to_thread(deliver)
    assert refused["you@elsewhere.example"][0] == 550 and len(storage.kept) == 1


async def test_smtp_says_come_again_when_one_of_two_mailboxes_could_not_be_stored() -> None:
    storage = Storage(trouble=TryAgain("away"))
    async with listening(storage, serve_smtp) as port:

        def deliver() -> int:
            with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
                try:
                    client.sendmail("a@b.example", list(OURS), mail())
                except smtplib.SMTPDataError as error:
                    return error.smtp_code
            return 250

        assert await asyncio.to_thread(deliver) == 451


async def test_a_mail_that_is_too_large_is_refused_once_for_each_recipient() -> None:
    storage = Storage()
    commands = [*ENVELOPE, "RCPT TO:<support@quell.example>", "RCPT TO:<hr@quell.example>", "DATA"]
    large = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * (26 * 1024 * 1024 // 78)
    async with listening(storage) as port:
        lines = await asyncio.to_thread(said, port, commands, large, 2)

        def declared() -> int:
            with smtplib.LMTP("127.0.0.1", port, timeout=20) as lmtp:
                lmtp.docmd("LHLO test")
                return lmtp.docmd("MAIL FROM:<a@b.example> SIZE=30000000")[0]

        assert await asyncio.to_thread(declared) == 552
    assert [line[:3] for line in lines[-2:]] == ["552", "552"] and not storage.kept
