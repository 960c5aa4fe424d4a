"""The live log: one reader a process for all open pages; whoever lags behind its memory catches up by himself."""

import asyncio
import logging
from collections import deque
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from quell.store.chain import Position
from quell.store.change import Store
from quell.store.database import driver_url
from quell.store.touched import Touched, listen, log_end, touched_after

REMEMBERED_MAX = 500
BEAT_S = 15.0
PAUSE_S = 0.1

log = logging.getLogger(__name__)


class Live:
    """Reads the log once for all pages of this process; pages that lag behind its memory read for themselves."""

    def __init__(self, store: Store) -> None:
        """Nothing is read before `start`."""
        self.store = store
        self.streams = 0
        self._end: Position | None = None
        self._recent: deque[tuple[Position, Touched]] = deque(maxlen=REMEMBERED_MAX)
        self._wake = asyncio.Event()
        self._news = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to follow the log from its end."""
        url = driver_url(self.store.engine.url.render_as_string(hide_password=False))
        self._tasks = [asyncio.create_task(listen(url, self._wake.set)), asyncio.create_task(self._follow())]

    async def stop(self) -> None:
        """Stop following; open streams end with their connections."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        # Nothing may keep the cancelled tasks: one that was just connecting holds its half-open connection with it.
        await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> Position:
        """Where a page that is rendered now begins to listen."""
        async with self.store.read() as connection:
            return await log_end(connection)

    async def after(self, position: Position) -> Touched:
        """What happened after a position; waits for up to a heartbeat, then says that nothing did."""
        await self._anchor()
        found = await self._read(position)
        if found.position != position:
            return found
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S), self._news:
                if not self._news_since(position):
                    await self._news.wait()
        return await self._read(position)

    async def _anchor(self) -> None:
        # Before a page reads the past for itself, so that what commits in between is announced by us.
        if self._end is None:
            async with self.store.read() as connection:
                end = await log_end(connection)
            self._end = self._end or end

    async def _read(self, position: Position) -> Touched:
        found = self._remembered(position)
        if found is not None:
            return found
        async with self.store.read() as connection:
            return await touched_after(connection, position)

    def _news_since(self, position: Position) -> bool:
        return bool(self._recent) and _key(self._recent[-1][1].position) > _key(position)

    def _remembered(self, position: Position) -> Touched | None:
        """The sum of what memory holds after a position, None when memory does not reach back so far."""
        if not self._recent or _key(position) < _key(self._recent[0][0]):
            return None
        later = [each for _, each in self._recent if _key(each.position) > _key(position)]
        if not later:
            return Touched(position)
        return Touched(
            later[-1].position,
            frozenset().union(*(each.tickets for each in later)),
            frozenset().union(*(each.devices for each in later)),
        )

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._advance()
            except DBAPIError as trouble:
                log.warning("live_log_not_read reason=%s", type(trouble.orig).__name__)
            await asyncio.sleep(PAUSE_S)

    async def _advance(self) -> None:
        if not self.streams:
            self._end = None
            self._recent.clear()
            return
        async with self.store.read() as connection:
            before = self._end or await log_end(connection)
            found = await touched_after(connection, before)
        self._end = found.position
        if found.position == before:
            return
        self._recent.append((before, found))
        if found.more:
            self._wake.set()
        async with self._news:
            self._news.notify_all()


def position_text(position: Position) -> str:
    """A position as it stands in a page and in an event's id."""
    return f"{position.xid}-{position.id}"


def read_position(text: str) -> Position | None:
    """The position that a browser sends back, None when it is none."""
    xid, dash, number = text.partition("-")
    good = dash and xid.isascii() and xid.isdigit() and number.isascii() and number.isdigit() and len(text) < 45
    return Position(int(xid), int(number)) if good else None


def _key(position: Position) -> tuple[int, int]:
    return position.xid, position.id
