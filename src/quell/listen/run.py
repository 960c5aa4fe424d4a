"""The listening process: LMTP and SMTP for our own mailboxes, and fetching by IMAP."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack

from sqlalchemy import func, select

from quell.channels._mail_server import server_of
from quell.channels._mail_token import mailbox_of
from quell.channels.email import own_mailboxes
from quell.core.incoming import Hook
from quell.journey.intake import room as intake
from quell.listen import imap, smtp
from quell.listen.imap import Stand
from quell.settings import Settings
from quell.store import deliveries
from quell.store.deliveries import Line
from quell.wiring import Built, opened

MAIL = "email"
LOOK_EVERY_S = 5.0
POLL_S_DEFAULT = 30.0
HOLD_LOCK = 0x494D4150  # "IMAP": one process fetches at a time.

log = logging.getLogger("quell.listen")


async def run(settings: Settings) -> None:
    """Listen until told to stop."""
    async with opened(settings, "quell listen") as built, AsyncExitStack() as stack:
        for port, serve in ((settings.lmtp_port, smtp.serve_lmtp), (settings.smtp_port, smtp.serve_smtp)):
            if port is not None:
                server = await serve(settings.bind, port, _key_of(built), _take(built))
                await stack.enter_async_context(server)
        log.info("listening lmtp=%s smtp=%s", settings.lmtp_port, settings.smtp_port)
        await fetch_all(built, asyncio.Event())


def _key_of(built: Built) -> smtp.KeyOf:
    async def key_of(address: str) -> str | None:
        async with built.store.read() as connection:
            lines = await deliveries.lines(connection, MAIL)
        wanted = mailbox_of(address)
        return next((each.key for each in lines if wanted in own_mailboxes(each.settings)), None)

    return key_of


def _take(built: Built) -> smtp.Take:
    async def take(key: str, hook: Hook) -> None:
        await intake.take(built.house, key, hook)

    return take


async def fetch_all(built: Built, stopped: asyncio.Event) -> None:
    """Fetch from every mailbox that names an IMAP server; only one process does, and mailboxes may come and go."""
    async with built.store.engine.connect() as holder:
        while not (await holder.execute(select(func.pg_try_advisory_lock(HOLD_LOCK)))).scalar_one():
            await asyncio.sleep(LOOK_EVERY_S)
        await holder.commit()
        watching: dict[str, tuple[Mapping[str, str], asyncio.Task[None]]] = {}
        try:
            while not stopped.is_set():
                await _follow(built, watching, stopped)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for _, task in watching.values():
                task.cancel()


async def _follow(
    built: Built, watching: dict[str, tuple[Mapping[str, str], asyncio.Task[None]]], stopped: asyncio.Event
) -> None:
    async with built.store.read() as connection:
        lines = {each.key: each for each in await deliveries.lines(connection, MAIL) if each.settings.get("imap_url")}
    for key, (settings, task) in list(watching.items()):
        if key not in lines or lines[key].settings != settings or task.done():
            task.cancel()
            del watching[key]
    for key, line in lines.items():
        if key not in watching:
            watching[key] = (line.settings, asyncio.create_task(_watch(built, line, stopped)))


async def _watch(built: Built, line: Line, stopped: asyncio.Event) -> None:
    async def load() -> Stand | None:
        async with built.store.read() as connection:
            now = await deliveries.line(connection, line.key)
        state = now.state if now is not None and now.state else {}
        validity, last = state.get("uid_validity"), state.get("last_uid")
        return Stand(validity, last) if isinstance(validity, int) and isinstance(last, int) else None

    async def save(stand: Stand) -> None:
        async with built.store.change() as change:
            state = {"uid_validity": stand.uid_validity, "last_uid": stand.last_uid}
            await deliveries.save_state(change, line.key, state)

    async def take(raw: bytes) -> None:
        await intake.take(built.house, line.key, Hook(raw))

    server = server_of(line.settings["imap_url"], "imap")
    poll_s = float(line.settings.get("imap_poll_s") or POLL_S_DEFAULT)
    await imap.watch(server, load, save, take, poll_s, stopped)
