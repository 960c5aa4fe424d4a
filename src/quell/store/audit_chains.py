"""Checks every chain event by event, and that the words which an event names are still the words that were said."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import START_HASH, Json, chain_hash
from quell.store.findings import Audited, place_of

BATCH = 1000

EVENTS = text(
    "SELECT event.id, event.stream, event.seq, kind, at, actor, body, previous, event.hash,"
    " head.seq AS head_seq, head.hash AS head_hash"
    " FROM event LEFT JOIN chain_head AS head ON head.stream = event.stream ORDER BY event.stream, event.seq"
)
EMPTY = text(
    "SELECT stream, seq FROM chain_head"
    " WHERE seq > 0 AND NOT EXISTS (SELECT 1 FROM event WHERE event.stream = chain_head.stream) ORDER BY stream"
)
CONTENTS = text(
    "SELECT id, digest, body IS NULL AND salt IS NULL AS gone, body IS NULL OR salt IS NULL AS broken, erased_at,"
    " sha256(salt || body) = digest AS fits, EXISTS (SELECT 1 FROM event"
    " WHERE event.stream = 'person:' || content.person AND event.kind = 'person_erased') AS said"
    " FROM content WHERE id = ANY(:ids)"
)


@dataclass(frozen=True)
class Mention:
    """Where an event names a content row, and the digest that it gives."""

    place: str
    content: int
    digest: str


async def check_chains(connection: AsyncConnection, found: Audited) -> None:
    """Walk all chains in batches."""
    before: Row[tuple[object, ...]] | None = None
    mentions: list[Mention] = []
    async for row in await connection.stream(EVENTS.execution_options(yield_per=BATCH)):
        if before is None or before.stream != row.stream:
            _check_end(found, before)
            before = None
            found.streams += 1
        _check_event(found, row, before)
        mentions += _mentions(row)
        before = row
        if len(mentions) >= BATCH:
            await _check_contents(connection, found, mentions)
            mentions = []
    _check_end(found, before)
    await _check_contents(connection, found, mentions)
    for row in await connection.execute(EMPTY):
        found.add(place_of(row.stream), f"all of its {row.seq} events are gone")


def _check_event(found: Audited, row: Row[tuple[object, ...]], before: Row[tuple[object, ...]] | None) -> None:
    found.events += 1
    place = place_of(row.stream, row.seq)
    expected = before.seq + 1 if before is not None else 1
    if row.seq != expected:
        missing = f"event {expected} is" if row.seq == expected + 1 else f"events {expected} to {row.seq - 1} are"
        found.add(place_of(row.stream), f"{missing} missing")
    elif row.previous != (before.hash if before is not None else START_HASH):
        found.add(place, "it does not follow the event before it: one of the two was exchanged or moved")
    if row.hash != chain_hash(row.previous, row.stream, row.seq, row.kind, row.at, row.actor, row.body):
        found.add(place, "it was changed after it was written")
    if before is not None and row.id <= before.id:
        found.add(place, "it was written before the event that it follows: the rows were reordered")


def _check_end(found: Audited, last: Row[tuple[object, ...]] | None) -> None:
    if last is None:
        return
    if last.head_seq is None:
        found.add(place_of(last.stream), "the end of its chain is not on record")
    elif last.head_seq > last.seq:
        found.add(
            place_of(last.stream), f"it is cut at its end: {last.head_seq} events were written, {last.seq} are left"
        )
    elif last.head_seq < last.seq:
        found.add(place_of(last.stream, last.seq), f"it was added: the chain ends at event {last.head_seq}")
    elif last.head_hash != last.hash:
        found.add(place_of(last.stream, last.seq), "it is not the event with which the chain ended")


def _mentions(row: Row[tuple[object, ...]]) -> Iterator[Mention]:
    if '"digest"' not in row.body:
        return
    try:
        body: Json = json.loads(row.body)
    except ValueError:
        return  # It was changed, and that was said.
    for each in _walk(body):
        content, digest = each.get("content"), each.get("digest")
        if isinstance(content, int) and isinstance(digest, str):
            yield Mention(place_of(row.stream, row.seq), content, digest)


def _walk(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)


async def _check_contents(connection: AsyncConnection, found: Audited, mentions: Sequence[Mention]) -> None:
    if not mentions:
        return
    rows = await connection.execute(CONTENTS, {"ids": sorted({each.content for each in mentions})})
    there = {row.id: row for row in rows}
    for each in mentions:
        _check_content(found, each, there.get(each.content))


def _check_content(found: Audited, mention: Mention, row: Row[tuple[object, ...]] | None) -> None:
    if row is None:
        found.add(mention.place, f"the content {mention.content} that it names is gone, and nobody erased it")
    elif row.digest.hex() != mention.digest:
        found.add(mention.place, f"the content {mention.content} is another than the one that it names")
    elif row.gone and row.erased_at is not None and row.said:
        found.erased += 1
    elif row.broken:
        found.add(mention.place, f"the content {mention.content} was taken away, and no event says that it was erased")
    elif not row.fits:
        found.add(mention.place, f"the content {mention.content} was changed after it was written")
