"""Checks the checkpoints, table against file, signature by signature, and the log against what they bear witness to."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.core.event import START_HASH
from quell.core.merkle import Head, Merkle, bucket_of, root_of
from quell.store import checkpoint_file
from quell.store.checkpoint_form import Checkpoint, from_line, to_line
from quell.store.checkpoints import as_checkpoint
from quell.store.findings import Audited, place_of
from quell.store.tables import checkpoint, event

HEADS_BATCH = 500
CHECKPOINTS_BATCH = 20

# Every head as the checkpoints tell it: for each stream the one that was named last; bucket by bucket, as `bucket_of`
# counts them.
WITNESSED = text(
    'SELECT stream, seq, hash FROM (SELECT DISTINCT ON ((moved ->> 0) COLLATE "C") moved ->> 0 AS stream,'
    " CAST(moved ->> 1 AS integer) AS seq, moved ->> 2 AS hash"
    " FROM checkpoint, jsonb_array_elements(CAST(changed AS jsonb)) AS moved"
    ' ORDER BY (moved ->> 0) COLLATE "C", checkpoint.id DESC) AS witnessed'
    " ORDER BY get_byte(sha256(convert_to(stream, 'UTF8')), 0), get_byte(sha256(convert_to(stream, 'UTF8')), 1) / 16,"
    ' stream COLLATE "C"'
)


@dataclass(frozen=True)
class Written:
    """The file of checkpoints as far as it reached when the audit began (None: it is not looked at)."""

    path: Path | None
    bytes: int = 0


@dataclass(frozen=True)
class Copies:
    """One checkpoint as the table and the file have it; `goes_on` says whether the file has later ones."""

    number: int
    in_table: Checkpoint | None
    in_file: Checkpoint | None
    goes_on: bool


def written_now(path: Path | None) -> Written:
    """The file as long as it is now; a missing one is empty."""
    return Written(path, path.stat().st_size if path is not None and path.exists() else 0)


async def check_checkpoints(
    connection: AsyncConnection, found: Audited, written: Written, public_key: str | None
) -> None:
    """Check all checkpoints in order, and the head of every chain that one of them names.

    Of the two copies one that is truly signed is enough to bear witness. Refused when there is no key to check with.
    """
    previous, number, newest = START_HASH, 0, None
    accused: set[str] = set()
    async for copies in _side_by_side(connection, found, written):
        if public_key is None:
            raise Refused("there are checkpoints and no key to check them with", 422, "no_public_key")
        found.checkpoints += 1
        true = _true_copy(found, copies, public_key)
        if copies.number != number + 1:
            found.add(_name(copies.number), f"what was between it and checkpoint {number} was removed")
        elif true is not None and true.previous != previous:
            found.add(_name(copies.number), "it does not follow the checkpoint before it")
        number = copies.number
        if true is not None:
            previous, newest = true.digest, true
            await _check_heads(connection, found, true, accused)
    if written.path is not None and not written.bytes and found.checkpoints:
        found.add(written.path.name, f"it is gone or empty; the table has {found.checkpoints} checkpoints")
    if newest is not None and not found.findings:
        await _check_root(connection, found, newest)


async def _side_by_side(connection: AsyncConnection, found: Audited, written: Written) -> AsyncIterator[Copies]:
    lines = _in_file(found, written)
    line = next(lines, None)
    query = select(checkpoint).order_by(checkpoint.c.id).execution_options(yield_per=CHECKPOINTS_BATCH)
    async for row in await connection.stream(query):
        in_table = as_checkpoint(row)
        while line is not None and line.number < in_table.number:
            yield Copies(line.number, None, line, True)
            line = next(lines, None)
        if line is not None and line.number == in_table.number:
            same, line = line, next(lines, None)
            yield Copies(in_table.number, in_table, same, line is not None)
        else:
            yield Copies(in_table.number, in_table, None, line is not None)
    while line is not None:
        yield Copies(line.number, None, line, True)
        line = next(lines, None)


def _in_file(found: Audited, written: Written) -> Iterator[Checkpoint]:
    if written.path is None or not written.bytes:
        return
    torn, last = "", 0
    for index, line in enumerate(checkpoint_file.lines(written.path, written.bytes), 1):
        place = f"{written.path.name}, line {index}"
        try:
            made = from_line(line)
        except ValueError:
            if torn:
                found.add(place, "it is no checkpoint")
            torn = line
            continue
        if torn and not line.startswith(torn):
            found.add(f"{written.path.name}, line {index - 1}", "it is no checkpoint")
        torn = ""
        if made.number <= last:
            found.add(place, f"checkpoint {made.number} comes after checkpoint {last}")
            continue
        last = made.number
        yield made
    if torn:
        found.add(f"{written.path.name}, its last line", "it is no checkpoint")


def _true_copy(found: Audited, copies: Copies, public_key: str) -> Checkpoint | None:
    name = _name(copies.number)
    if copies.in_table is None:
        found.add(name, "it was removed from the table; the file still has it")
    if copies.in_file is None and copies.goes_on:
        found.add(name, "it was removed from the file; the table still has it")
    true: list[Checkpoint] = []
    for where, copy in (("table", copies.in_table), ("file", copies.in_file)):
        if copy is not None and copy.is_sound(public_key):
            true.append(copy)
        elif copy is not None:
            found.add(name, f"in the {where} it is forged or changed: the signature does not fit")
    if len(true) == 2 and to_line(true[0]) != to_line(true[1]):
        found.add(name, "two of this number were signed: the table has one, the file the other")
    return true[0] if true else None


async def _check_heads(connection: AsyncConnection, found: Audited, true: Checkpoint, accused: set[str]) -> None:
    moved = true.moved()
    for start in range(0, len(moved), HEADS_BATCH):
        batch = moved[start : start + HEADS_BATCH]
        pairs = [(stream, seq) for stream, seq, _ in batch]
        query = select(event.c.stream, event.c.seq, event.c.hash).where(tuple_(event.c.stream, event.c.seq).in_(pairs))
        there = {(row.stream, row.seq): row.hash for row in await connection.execute(query)}
        for head in batch:
            _check_head(found, true.number, head, there.get(head[:2]), accused)


def _check_head(found: Audited, number: int, head: Head, there: bytes | None, accused: set[str]) -> None:
    stream, seq, digest = head
    if there == digest or stream in accused:
        return
    accused.add(stream)  # Every later checkpoint would say the same of this chain.
    if there is None:
        found.add(place_of(stream, seq), f"it is gone; checkpoint {number} saw it")
    else:
        says = f"checkpoint {number} saw another event here: the chain was written anew up to it"
        found.add(place_of(stream, seq), says)


async def _check_root(connection: AsyncConnection, found: Audited, newest: Checkpoint) -> None:
    buckets: list[tuple[int, int, bytes]] = []
    number, tree = -1, Merkle()
    async for row in await connection.stream(WITNESSED.execution_options(yield_per=HEADS_BATCH)):
        if (bucket := bucket_of(row.stream)) != number:
            buckets += [(number, tree.leaves, tree.root())] if tree.leaves else []
            number, tree = bucket, Merkle()
        tree.add(row.stream, row.seq, bytes.fromhex(row.hash))
    buckets += [(number, tree.leaves, tree.root())] if tree.leaves else []
    if (root_of(buckets), sum(heads for _, heads, _ in buckets)) != (newest.root, newest.heads):
        found.add(_name(newest.number), "its root is not that of the heads which the checkpoints name")


def _name(number: int) -> str:
    return f"checkpoint {number}"
