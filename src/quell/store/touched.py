"""What the log has touched since a position: tickets and devices by number, for pages that fetch again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.store.chain import Position
from quell.store.tables import fix, report, ticket

CHANNEL = "quell_log"
EVENTS_MAX = 500
POLL_S = 1.0
AGAIN_AFTER_S = 1.0

# Only transactions below the oldest running one are safe to pass: a later id may still commit before an earlier one.
_AFTER = text(
    "SELECT xid::text AS xid, id, stream FROM event"
    " WHERE (xid, id) > (CAST(:xid AS xid8), :id) AND xid < pg_snapshot_xmin(pg_current_snapshot())"
    " ORDER BY xid, id LIMIT :most"
)
_END = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")


@dataclass(frozen=True)
class Touched:
    """What happened up to (and with) `position`; `more` when the read stopped at its limit."""

    position: Position
    tickets: frozenset[int] = frozenset()
    devices: frozenset[int] = frozenset()
    more: bool = False


async def log_end(connection: AsyncConnection) -> Position:
    """The position behind everything that is safe to read now."""
    return Position(int((await connection.execute(_END)).scalar_one()), 0)


async def touched_after(connection: AsyncConnection, after: Position) -> Touched:
    """What the next events after a position touched; a ticket that is joined also touches the one it is joined to."""
    ask = {"xid": str(after.xid), "id": after.id, "most": EVENTS_MAX}
    rows = (await connection.execute(_AFTER, ask)).all()
    if not rows:
        return Touched(after)
    streams = {row.stream for row in rows}
    tickets = _numbers(streams, "ticket")
    tickets |= await _of(connection, select(report.c.ticket).where(report.c.number.in_(_numbers(streams, "report"))))
    tickets |= await _of(connection, select(fix.c.ticket).where(fix.c.id.in_(_numbers(streams, "fix"))))
    tickets |= await _of(connection, select(ticket.c.root).where(ticket.c.number.in_(tickets)))
    last: Row[tuple[object, ...]] = rows[-1]
    position = Position(int(last.xid), last.id)
    return Touched(position, frozenset(tickets), frozenset(_numbers(streams, "device")), len(rows) == EVENTS_MAX)


async def listen(url: str, wake: Callable[[], None]) -> None:
    """Call `wake` after each notification and at least once a second, for ever; a lost connection is made again.

    `url` is libpq's; the connection must be a direct one, for a pooler between would swallow the notifications.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                while True:
                    async for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                        pass
                    wake()
        except psycopg.OperationalError:
            wake()
            await asyncio.sleep(AGAIN_AFTER_S)


def _numbers(streams: set[str], noun: str) -> set[int]:
    found = (each.partition(":") for each in streams)
    return {int(number) for name, _, number in found if name == noun and number.isdigit()}


async def _of(connection: AsyncConnection, query: object) -> set[int]:
    rows = await connection.execute(query)  # type: ignore[call-overload]
    return {row[0] for row in rows if row[0] is not None}
