"""Fetches new mail from a mailbox by IMAP, and marks it as seen only when it is stored for good."""

import asyncio
import imaplib
import logging
import re
import select
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from quell.channels._mail_server import Server, tls_context
from quell.channels.email import MAIL_BYTES_MAX
from quell.core.errors import Refused

TIMEOUT_S = 60.0
PUSH_WAIT_S_MAX = 25 * 60
RESCAN_DAYS = 7
BACK_OFF_S = (5, 15, 60, 300)

log = logging.getLogger("quell.listen")

TROUBLE = (imaplib.IMAP4.error, OSError, EOFError, ValueError, UnicodeError)


@dataclass(frozen=True)
class Stand:
    """How far a mailbox was read: the mailbox's generation and the highest UID that is stored."""

    uid_validity: int = 0
    last_uid: int = 0


# Stores one raw mail; returns when it is durable; Refused for what is not to be had.
Take = Callable[[bytes], Awaitable[None]]
Load = Callable[[], Awaitable[Stand | None]]
Save = Callable[[Stand], Awaitable[None]]


async def watch(server: Server, load: Load, save: Save, take: Take, poll_s: float, stopped: asyncio.Event) -> None:
    """Keep fetching until stopped: at once where the server pushes (IDLE), else every `poll_s` seconds."""
    failures = 0
    while not stopped.is_set():
        try:
            mailbox = await asyncio.to_thread(_Mailbox, server)
            try:
                while not stopped.is_set():
                    await _fetch(mailbox, load, save, take)
                    failures = 0
                    await _wait(mailbox, poll_s, stopped)
            finally:
                await asyncio.to_thread(mailbox.leave)
        except Exception as trouble:
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            failures += 1
            kind = type(trouble).__name__
            log.warning("mail_not_fetched host=%s trouble=%s again_s=%s", server.host, kind, pause_s)
            await _pause(pause_s, stopped)


async def fetch_once(server: Server, load: Load, save: Save, take: Take) -> int:
    """Fetch what is new now; how many mails were stored. Raises what stopped it, with all before that stored."""
    mailbox = await asyncio.to_thread(_Mailbox, server)
    try:
        return await _fetch(mailbox, load, save, take)
    finally:
        await asyncio.to_thread(mailbox.leave)


async def _fetch(mailbox: "_Mailbox", load: Load, save: Save, take: Take) -> int:
    """Oldest first. The first time only what nobody has read is taken; in a mailbox of another generation, where all
    numbers are new, the mails of the last days are read again, and what is known is stored once all the same.
    """
    stand = await load()
    validity = await asyncio.to_thread(mailbox.enter)
    fresh = stand is None or stand.uid_validity != validity
    last = 0 if stand is None or fresh else stand.last_uid
    wanted = "UNSEEN" if stand is None else _since(RESCAN_DAYS) if fresh else f"UID {last + 1}:*"
    stored = 0
    for uid in await asyncio.to_thread(mailbox.search, wanted):
        if uid <= last:
            continue
        raw = await asyncio.to_thread(mailbox.mail, uid)
        if raw is not None:
            stored += await _keep(take, raw, uid)
            await asyncio.to_thread(mailbox.mark_seen, uid)
        last = uid
        await save(Stand(validity, last))
    if fresh and not stored:
        await save(Stand(validity, max(last, await asyncio.to_thread(mailbox.highest))))
    return stored


def _since(days: int) -> str:
    day = datetime.now(UTC) - timedelta(days=days)
    return f"SINCE {imaplib.Time2Internaldate(day)[1:12].strip()}"


async def _keep(take: Take, raw: bytes, uid: int) -> int:
    try:
        await take(raw)
    except Refused as refused:
        log.warning("mail_refused uid=%s code=%s", uid, refused.code)
        return 0
    return 1


async def _wait(mailbox: "_Mailbox", poll_s: float, stopped: asyncio.Event) -> None:
    if not mailbox.pushes:
        await _pause(poll_s, stopped)
        return
    cancelled = threading.Event()
    try:
        await asyncio.to_thread(mailbox.wait_for_push, lambda: stopped.is_set() or cancelled.is_set())
    finally:
        cancelled.set()


async def _pause(seconds: float, stopped: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopped.wait()
    except TimeoutError:
        pass


class _Mailbox:
    """One connection; every method blocks and runs in a thread."""

    def __init__(self, server: Server) -> None:
        self.folder = server.path or "INBOX"
        where, context = (server.host, server.port), tls_context(server)
        self.imap: imaplib.IMAP4
        if server.tls == "always":
            self.imap = imaplib.IMAP4_SSL(*where, ssl_context=context, timeout=TIMEOUT_S)
        else:
            self.imap = imaplib.IMAP4(*where, timeout=TIMEOUT_S)
        if server.tls == "insist" or (server.tls == "offered" and "STARTTLS" in self.imap.capabilities):
            self.imap.starttls(context)
        self.imap.login(server.user, server.password)
        self.pushes = "IDLE" in self._capabilities()

    def enter(self) -> int:
        """Open the folder anew, so that new mail is seen; its generation."""
        self._ok(*self.imap.select(_quoted(self.folder)))
        return int(self._number("UIDVALIDITY"))

    def highest(self) -> int:
        """The UID below which everything was there when the folder was opened."""
        return max(0, int(self._number("UIDNEXT")) - 1)

    def search(self, wanted: str) -> list[int]:
        """UIDs, lowest first."""
        found = self._ok(*self.imap.uid("SEARCH", wanted))
        return sorted(int(each) for each in b" ".join(part for part in found if isinstance(part, bytes)).split())

    def mail(self, uid: int) -> bytes | None:
        """The raw mail without marking it; of one that is too large the headers and a word about it; None when gone."""
        size = self._size(uid)
        if size is None:
            return None
        if size > MAIL_BYTES_MAX:
            head = self._part(uid, "BODY.PEEK[HEADER]")
            return head + f"(This mail of {size} bytes is too large and stays in the mailbox.)\r\n".encode()
        return self._part(uid, "BODY.PEEK[]") or None

    def mark_seen(self, uid: int) -> None:
        """Tell the mailbox's readers that it was taken."""
        self._ok(*self.imap.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Seen)"))

    def wait_for_push(self, is_stopped: Callable[[], bool]) -> None:
        """IDLE (RFC 2177) until the server says anything, for less than the 29 minutes it allows."""
        tag = self.imap._new_tag()
        self.imap.send(tag + b" IDLE\r\n")
        answer = self.imap.readline()
        if not answer.startswith(b"+"):
            raise OSError("the server does not idle")
        for _ in range(PUSH_WAIT_S_MAX):
            if is_stopped() or select.select([self.imap.sock], [], [], 1.0)[0]:
                break
        self.imap.send(b"DONE\r\n")
        while line := self.imap.readline():
            if line.startswith(tag):
                return
        raise EOFError("the server hung up")

    def leave(self) -> None:
        """Close the connection; a server that is gone does not matter any more."""
        try:
            self.imap.logout()
        except TROUBLE:
            self.imap.shutdown()

    def _capabilities(self) -> str:
        found = self._ok(*self.imap.capability())
        return b" ".join(part for part in found if isinstance(part, bytes)).decode("ascii", "replace").upper()

    def _size(self, uid: int) -> int | None:
        found = self._ok(*self.imap.uid("FETCH", str(uid), "(RFC822.SIZE)"))
        sized = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(part for part in found if isinstance(part, bytes)))
        return int(sized[1]) if sized else None

    def _part(self, uid: int, what: str) -> bytes:
        found = self._ok(*self.imap.uid("FETCH", str(uid), f"({what})"))
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), b"")

    def _number(self, name: str) -> str:
        _, found = self.imap.response(name)
        return next((each.decode("ascii") for each in found if isinstance(each, bytes)), "0")

    @staticmethod
    def _ok(status: str, found: Sequence[object]) -> Sequence[object]:
        if status != "OK":
            raise imaplib.IMAP4.error(status)
        return found


def _quoted(folder: str) -> str:
    """The folder's name as IMAP wants it: in quotes, its foreign letters in modified UTF-7."""
    plain = folder.replace("&", "&-")
    text = plain if folder.isascii() else folder.encode("utf-7").replace(b"+", b"&").decode("ascii")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
