"""Mail on its real ways: Postfix delivers to our listener, Dovecot gives us a mailbox to fetch from."""

import asyncio
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from quell.channels._mail_server import server_of
from quell.core.errors import TryAgain
from quell.listen.imap import Stand, fetch_once, watch
from quell.listen.smtp import serve_lmtp
from tests.channels.samples import mail
from tests.listen.test_smtp import Storage
from tests.real.dovecot import Dovecot, dovecot
from tests.real.postfix import postfix

BOX = "support@quell.example"


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    """One Dovecot for all tests of this file; each uses mailboxes of its own."""
    with dovecot() as running:
        yield running


@dataclass
class Fetched:
    """Where fetched mail ends up: the raw mails, and how far the mailbox was read."""

    raws: list[bytes] = field(default_factory=list)
    stand: Stand | None = None
    trouble: Exception | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def load(self) -> Stand | None:
        """How far."""
        return self.stand

    async def save(self, stand: Stand) -> None:
        """Remember how far."""
        self.stand = stand

    async def take(self, raw: bytes) -> None:
        """Keep a mail."""
        if self.trouble:
            raise self.trouble
        self.raws.append(raw)
        self.came.set()


def seen(mailboxes: Dovecot, user: str) -> list[bool]:
    imap = mailboxes.open(user)
    try:
        answers = imap.fetch("1:*", "(FLAGS)")[1]
    finally:
        imap.logout()
    return [b"\\Seen" in each for each in answers if isinstance(each, bytes)]


async def test_postfix_delivers_to_our_listener() -> None:
    storage = Storage()
    server = await serve_lmtp("127.0.0.1", 0, storage.key_of, storage.take)
    async with server:
        with postfix({"quell.example": server.sockets[0].getsockname()[1]}) as mta:
            await asyncio.to_thread(_send, mta.smtp_port, "support+t1.xyz@quell.example", mail("Grüße\n.\nEnde"))
            async with asyncio.timeout(20):
                while not storage.kept:
                    await asyncio.sleep(0.05)
    ((key, hook),) = storage.kept
    assert key == "it" and hook.headers["x-envelope-to"] == "support+t1.xyz@quell.example"
    assert "Grüße\r\n.\r\nEnde".encode() in hook.body and b"Received: from" in hook.body


async def test_postfix_keeps_a_mail_that_we_could_not_store_and_brings_it_again() -> None:
    storage = Storage(trouble=TryAgain("the database is away"))
    server = await serve_lmtp("127.0.0.1", 0, storage.key_of, storage.take)
    async with server:
        with postfix({"quell.example": server.sockets[0].getsockname()[1]}) as mta:
            await asyncio.to_thread(_send, mta.smtp_port, BOX, mail())
            async with asyncio.timeout(100):
                while "451" not in mta.log.read_text():
                    await asyncio.sleep(0.1)
                storage.trouble = None
                while not storage.kept:
                    await asyncio.sleep(0.1)
    assert len(storage.kept) == 1


def _send(port: int, to: str, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("ann@client.example", [to], raw)


async def test_new_mail_is_fetched_once_and_marked_only_when_stored(mailboxes: Dovecot) -> None:
    user = "first@quell.example"
    server, fetched = server_of(mailboxes.imap_url(user), "imap"), Fetched()
    for number in (1, 2):
        mailboxes.deliver(mail(f"mail {number}"), user)
    fetched.trouble = TryAgain("the database is away")
    with pytest.raises(TryAgain):
        await fetch_once(server, fetched.load, fetched.save, fetched.take)
    assert fetched.stand is None and seen(mailboxes, user) == [False, False]
    fetched.trouble = None
    assert await fetch_once(server, fetched.load, fetched.save, fetched.take) == 2
    assert b"mail 1" in fetched.raws[0] and b"mail 2" in fetched.raws[1]
    assert b"Delivered-To: first@quell.example" in fetched.raws[0]
    assert seen(mailboxes, user) == [True, True]
    assert await fetch_once(server, fetched.load, fetched.save, fetched.take) == 0
    mailboxes.deliver(mail("mail 3"), user)
    assert await fetch_once(server, fetched.load, fetched.save, fetched.take) == 1


async def test_what_was_read_before_we_came_stays_where_it_is(mailboxes: Dovecot) -> None:
    user = "old@quell.example"
    server, fetched = server_of(mailboxes.imap_url(user), "imap"), Fetched()
    for number in (1, 2, 3):
        mailboxes.deliver(mail(f"mail {number}"), user)
    imap = mailboxes.open(user)
    imap.store("1:2", "+FLAGS", "(\\Seen)")
    imap.logout()
    assert await fetch_once(server, fetched.load, fetched.save, fetched.take) == 1
    assert b"mail 3" in fetched.raws[0]


async def test_a_mailbox_of_another_generation_is_read_anew(mailboxes: Dovecot) -> None:
    user = "moved@quell.example"
    server, fetched = server_of(mailboxes.imap_url(user), "imap"), Fetched()
    mailboxes.deliver(mail("mail 1"), user)
    await fetch_once(server, fetched.load, fetched.save, fetched.take)
    assert fetched.stand is not None
    fetched.stand = Stand(fetched.stand.uid_validity - 1, 900)
    assert await fetch_once(server, fetched.load, fetched.save, fetched.take) == 1
    assert fetched.raws[0] == fetched.raws[1] and fetched.stand.last_uid == 1


async def test_a_pushed_mail_is_there_at_once_and_watching_stops_when_told(mailboxes: Dovecot) -> None:
    user = "pushed@quell.example"
    server, fetched, stopped = server_of(mailboxes.imap_url(user), "imap"), Fetched(), asyncio.Event()
    task = asyncio.create_task(watch(server, fetched.load, fetched.save, fetched.take, 3600, stopped))
    async with asyncio.timeout(20):
        while fetched.stand is None:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(mailboxes.deliver, mail(), user)
        await fetched.came.wait()
        stopped.set()
        await task
    assert len(fetched.raws) == 1


async def test_watching_goes_on_when_the_store_was_away(mailboxes: Dovecot) -> None:
    user = "later@quell.example"
    server, fetched, stopped = server_of(mailboxes.imap_url(user), "imap"), Fetched(), asyncio.Event()
    fetched.trouble = TryAgain("the database is away")
    mailboxes.deliver(mail(), user)
    task = asyncio.create_task(watch(server, fetched.load, fetched.save, fetched.take, 3600, stopped))
    await asyncio.sleep(1)
    assert not task.done() and seen(mailboxes, user) == [False]
    fetched.trouble = None
    async with asyncio.timeout(20):
        await fetched.came.wait()
        stopped.set()
        await task
    assert len(fetched.raws) == 1


async def test_a_mailbox_that_is_away_is_tried_again() -> None:
    stopped, fetched = asyncio.Event(), Fetched()
    server = server_of("imap://u:p@127.0.0.1:9/INBOX", "imap")
    task = asyncio.create_task(watch(server, fetched.load, fetched.save, fetched.take, 1, stopped))
    await asyncio.sleep(0.3)
    assert not task.done()
    stopped.set()
    await asyncio.wait_for(task, 10)
