"""The log of events: appended under one lock a stream, each event hung onto the hash of the one before."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import START_HASH, Event, Json, link
from quell.core.merkle import bucket_of
from quell.store.tables import chain_head, event

BATCH = 1000


@dataclass(frozen=True)
class Position:
    """A place in the log that a reader can go on from: (transaction, id), never the id alone."""

    xid: int
    id: int


@dataclass(frozen=True)
class Head:
    """The end of one chain: the last event's number and hash."""

    seq: int
    hash: bytes


@dataclass(frozen=True)
class Logged:
    """An event as a reader gets it, with its place."""

    id: int
    event: Event


async def lock_stream(connection: AsyncConnection, stream: str) -> Head:
    """Lock the end of one chain until the transaction ends; its (seq, hash), (0, zeros) for a new one."""
    query = select(chain_head.c.seq, chain_head.c.hash).where(chain_head.c.stream == stream).with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        new = insert(chain_head).values(stream=stream, seq=0, hash=START_HASH, bucket=bucket_of(stream))
        new = new.on_conflict_do_nothing()
        if (await connection.execute(new.returning(chain_head.c.seq))).one_or_none() is not None:
            return Head(0, START_HASH)
        # Somebody else began this stream between our two looks, and has committed by now.
        row = (await connection.execute(query)).one()
    return Head(row.seq, row.hash)


async def append(
    connection: AsyncConnection, end: Head, stream: str, kind: str, at: datetime, actor: str, body: Mapping[str, Json]
) -> tuple[Event, Head]:
    """Hang one event onto its stream, whose locked end is `end`; the event, and the end from now on."""
    new = link(Event(stream, end.seq + 1, kind, at, actor, body), end.hash)
    values = {
        "stream": stream,
        "seq": new.event.seq,
        "kind": kind,
        "at": at,
        "actor": actor,
        "body": new.text,
        "previous": end.hash,
        "hash": new.hash,
    }
    head = chain_head.update().where(chain_head.c.stream == stream).values(seq=new.event.seq, hash=new.hash)
    # One statement for both, since every verb writes events and each way to the database costs more than the write.
    await connection.execute(head.add_cte(event.insert().values(values).cte("written")))
    return new.event, Head(new.event.seq, new.hash)


async def read_stream(connection: AsyncConnection, stream: str, after: int = 0) -> list[Event]:
    """The events of one stream in order, those after the given sequence number."""
    query = select(event).where(event.c.stream == stream, event.c.seq > after).order_by(event.c.seq)
    return [as_event(row) for row in await connection.execute(query)]


async def read_all(connection: AsyncConnection, prefix: str) -> AsyncIterator[list[Event]]:
    """All streams whose name starts with this, one list of events each, streamed from the server."""
    query = (
        select(event).where(event.c.stream.startswith(prefix, autoescape=True)).order_by(event.c.stream, event.c.seq)
    )
    found: list[Event] = []
    async for row in await connection.stream(query.execution_options(yield_per=BATCH)):
        if found and found[0].stream != row.stream:
            yield found
            found = []
        found.append(as_event(row))
    if found:
        yield found


def as_event(row: object) -> Event:
    """The event of one row of the table."""
    values: Mapping[str, object] = row._mapping  # type: ignore[attr-defined]
    at = values["at"]
    seq = values["seq"]
    assert isinstance(at, datetime) and isinstance(seq, int)
    return Event(
        stream=str(values["stream"]),
        seq=seq,
        kind=str(values["kind"]),
        at=at,
        actor=str(values["actor"]),
        body=json.loads(str(values["body"])),
    )
