"""One ticket's chain recomputed on the spot: whether each entry still follows from the one before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import START_HASH, Event, chain_hash
from quell.store.chain import as_event
from quell.store.tables import chain_head, checkpoint, event

ENTRIES_MAX = 5000


@dataclass(frozen=True)
class Sealed:
    """The events of a stream with what recomputing them found; `broken_at` is the first entry that does not fit."""

    events: tuple[Event, ...]
    head: str
    broken_at: int | None
    checkpoint_at: datetime | None


async def sealed_stream(connection: AsyncConnection, stream: str) -> Sealed:
    """Read a stream and recompute its chain up to its end on record."""
    query = select(event).where(event.c.stream == stream).order_by(event.c.seq).limit(ENTRIES_MAX)
    rows = (await connection.execute(query)).all()
    ending = await connection.execute(select(chain_head.c.seq, chain_head.c.hash).where(chain_head.c.stream == stream))
    head = ending.one_or_none()
    signed = select(checkpoint.c.at).order_by(checkpoint.c.id.desc()).limit(1)
    at = (await connection.execute(signed)).scalar_one_or_none()
    end = (head.seq, head.hash) if head is not None else (0, START_HASH)
    return Sealed(tuple(as_event(row) for row in rows), end[1].hex(), _broken_at(rows, end), at)


def _broken_at(rows: Any, end: tuple[int, bytes]) -> int | None:
    previous, seq = START_HASH, 0
    for row in rows:
        good = row.seq == seq + 1 and row.previous == previous
        if not good or row.hash != chain_hash(previous, row.stream, row.seq, row.kind, row.at, row.actor, row.body):
            return int(seq + 1)
        previous, seq = row.hash, row.seq
    whole = len(rows) == ENTRIES_MAX or (seq, previous) == end
    return None if whole else int(seq + 1)
