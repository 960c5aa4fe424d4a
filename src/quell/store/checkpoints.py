"""Signed checkpoints: every so often one signature over the ends of all chains, in a table and in a file beside it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Broken
from quell.core.event import START_HASH
from quell.core.merkle import BUCKETS, Head, Merkle, bucket_of, root_of
from quell.store import checkpoint_file
from quell.store.change import Store
from quell.store.checkpoint_form import Checkpoint, changed_text, digest_of
from quell.store.tables import checkpoint, checkpoint_bucket

EVERY = timedelta(seconds=60)
EVENTS_MAX = 1000
BATCH = 1000
MAKING_LOCK = 0x434845434B  # "CHECK": one checkpoint after the other over all processes.

Sign = Callable[[bytes], Awaitable[bytes]]

NEW_EVENTS = text(
    "SELECT count(*) FROM (SELECT 1 FROM event WHERE xid >= CAST(:below AS xid8) AND xid < CAST(:until AS xid8)"
    " LIMIT :most) AS found"
)
# Events of one stream are appended one after the other, so the greatest seq that has surely committed is its head.
MOVED = text(
    "SELECT moved.stream, head.seq, head.hash"
    " FROM (SELECT DISTINCT stream FROM event"
    " WHERE xid >= CAST(:below AS xid8) AND xid < CAST(:until AS xid8)) AS moved"
    " CROSS JOIN LATERAL (SELECT seq, hash FROM event WHERE event.stream = moved.stream AND xid < CAST(:until AS xid8)"
    " ORDER BY seq DESC LIMIT 1) AS head"
)
RUNNING = text(
    "SELECT running.stream, head.seq, head.hash"
    " FROM (SELECT DISTINCT stream FROM event WHERE xid >= CAST(:until AS xid8)) AS running"
    " LEFT JOIN LATERAL (SELECT seq, hash FROM event WHERE event.stream = running.stream"
    " AND xid < CAST(:until AS xid8) ORDER BY seq DESC LIMIT 1) AS head ON true"
)
HEADS = text(
    "SELECT bucket, stream, seq, hash FROM chain_head WHERE seq > 0 AND bucket = ANY(:buckets)"
    ' ORDER BY bucket, stream COLLATE "C"'
)
ALL_BUCKETS = frozenset(range(BUCKETS))


@dataclass(frozen=True)
class Draft:
    """A checkpoint that is not signed yet, and the trees of the buckets whose chains have moved."""

    checkpoint: Checkpoint
    buckets: Mapping[int, tuple[int, bytes]]


async def make(store: Store, sign: Sign, file: Path, *, now: bool = False) -> Checkpoint | None:
    """Make a checkpoint when one is due: a minute or 1,000 events after the last; None when there is nothing to do.

    `sign` gives the signature (64 bytes) for a payload; no transaction is open meanwhile. With `now` any new event is
    enough. What the file lacks is written to it first. Broken when the file knows of checkpoints that the table lacks.
    """
    at = store.clock()
    async with store.read() as connection:
        await catch_up(connection, file)
        draft = await _draft(connection, at, now)
    if draft is None:
        return None
    payload = draft.checkpoint.payload()
    made = replace(draft.checkpoint, digest=digest_of(payload), signature=await sign(payload))
    if not await _save(store, made, draft.buckets):
        return None
    async with store.read() as connection:
        await catch_up(connection, file)
    return made


async def last(connection: AsyncConnection) -> Checkpoint | None:
    """The newest checkpoint."""
    query = select(checkpoint).order_by(checkpoint.c.id.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return as_checkpoint(row) if row is not None else None


async def catch_up(connection: AsyncConnection, file: Path) -> None:
    """Append to the file what only the table has; Broken when the two tell different stories."""
    newest = await last(connection)
    written = await asyncio.to_thread(checkpoint_file.newest, file)
    number = written.number if written else 0
    if written is not None and (newest is None or newest.number < number):
        raise Broken(f"{file} knows checkpoint {number}, and the database does not: run quell audit verify")
    while newest is not None and number < newest.number:
        query = select(checkpoint).where(checkpoint.c.id > number).order_by(checkpoint.c.id).limit(BATCH)
        batch = [as_checkpoint(row) for row in await connection.execute(query)]
        if written is not None and batch[0].previous != written.digest:
            raise Broken(f"checkpoint {batch[0].number} does not follow the one in {file}: run quell audit verify")
        await asyncio.to_thread(checkpoint_file.append, file, batch)
        written, number = batch[-1], batch[-1].number


async def _draft(connection: AsyncConnection, at: datetime, now: bool) -> Draft | None:
    await connection.rollback()
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    before = await last(connection)
    until = str((await connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())"))).scalar_one())
    below = before.below_xid if before and int(before.below_xid) <= int(until) else "0"
    counting = {"below": below, "until": until, "most": EVENTS_MAX}
    new = int((await connection.execute(NEW_EVENTS, counting)).scalar_one())
    waited = before is None or at - before.at >= EVERY
    if new == 0 or not (now or waited or new >= EVENTS_MAX):
        return None
    rows = await connection.execute(MOVED, {"below": below, "until": until})
    moved: list[Head] = [(row.stream, row.seq, row.hash) for row in rows]
    known = await _buckets(connection)
    # Trees that were never made, or belong to a database that was restored elsewhere, are all made anew.
    touched = {bucket_of(stream) for stream, _, _ in moved} if known and below != "0" else ALL_BUCKETS
    fresh = await _trees(connection, touched, until)
    trees = {number: tree for number, tree in (known | fresh).items() if tree[0]}
    return Draft(
        Checkpoint(
            number=before.number + 1 if before else 1,
            at=at,
            root=root_of((number, *trees[number]) for number in sorted(trees)),
            heads=sum(heads for heads, _ in trees.values()),
            below_xid=until,
            changed=changed_text(moved),
            previous=before.digest if before else START_HASH,
        ),
        fresh,
    )


async def _buckets(connection: AsyncConnection) -> dict[int, tuple[int, bytes]]:
    """The trees (heads, root) of all buckets as of the last checkpoint."""
    return {row.number: (row.heads, row.root) for row in await connection.execute(select(checkpoint_bucket))}


async def _trees(connection: AsyncConnection, buckets: Set[int], until: str) -> dict[int, tuple[int, bytes]]:
    """The trees of some buckets, over their heads as they were before the oldest transaction that still runs."""
    rows = await connection.execute(RUNNING, {"until": until})
    running = {row.stream: (row.seq, row.hash) for row in rows}
    trees: defaultdict[int, Merkle] = defaultdict(Merkle)
    heads = HEADS.bindparams(buckets=sorted(buckets)).execution_options(yield_per=BATCH)
    async for row in await connection.stream(heads):
        seq, digest = running.get(row.stream, (row.seq, row.hash))
        if seq is not None:
            trees[row.bucket].add(row.stream, seq, digest)
    return {number: (trees[number].leaves, trees[number].root()) for number in buckets}


async def _save(store: Store, made: Checkpoint, buckets: Mapping[int, tuple[int, bytes]]) -> bool:
    async with store.change() as change:
        await change.connection.execute(select(func.pg_advisory_xact_lock(MAKING_LOCK)))
        before = await last(change.connection)
        if (before.digest if before else START_HASH) != made.previous:
            return False  # another process was faster
        values = {name: getattr(made, name) for name in Checkpoint.__dataclass_fields__ if name != "number"}
        await change.connection.execute(checkpoint.insert().values(id=made.number, **values))
        query = insert(checkpoint_bucket)
        changed = {name: query.excluded[name] for name in ("heads", "root")}
        query = query.on_conflict_do_update(index_elements=["number"], set_=changed)
        rows = [{"number": number, "heads": heads, "root": root} for number, (heads, root) in buckets.items()]
        await change.connection.execute(query, rows)
    return True


def as_checkpoint(row: object) -> Checkpoint:
    """The checkpoint of one row."""
    values = dict(row._mapping)  # type: ignore[attr-defined]
    number = values.pop("id")
    return Checkpoint(number=number, **values)
