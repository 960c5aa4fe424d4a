"""Deliveries: what arrived, raw and unique, stored before anyone is told that it arrived."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.incoming import Hook
from quell.store.change import Change
from quell.store.tables import channel, delivery, refusal

HEARD_EVERY = timedelta(seconds=10)
HEADERS_KEPT_MAX = 100


@dataclass(frozen=True)
class Line:
    """A channel that somebody switched on: its key in addresses, its kind, its settings and where it fetches from."""

    key: str
    name: str
    settings: Mapping[str, str]
    organisation: str
    active: bool
    heard_at: datetime | None = None
    state: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Delivery:
    """A stored delivery."""

    id: int
    channel: str
    source_key: str
    hook: Hook
    state: str
    attempts: int
    received_at: datetime


@dataclass(frozen=True)
class Arrived:
    """A verified request at a channel's address, with the key under which it is stored once."""

    line: Line
    source_key: str
    hook: Hook


# In one order for everybody: two that store the same deliveries at once must not wait for each other in a ring.
_KEEP = text(
    "INSERT INTO delivery (channel, source_key, received_at, hook, body)"
    " SELECT channel, source_key, :at, CAST(hook AS jsonb), body FROM unnest(CAST(:keys AS text[]),"
    " CAST(:source_keys AS text[]), CAST(:hooks AS text[]), CAST(:bodies AS bytea[]))"
    " AS one (channel, source_key, hook, body) ORDER BY channel, source_key"
    " ON CONFLICT DO NOTHING RETURNING id, channel"
)


async def add_line(change: Change, key: str, name: str, settings: Mapping[str, str], organisation: str) -> None:
    """Switch a channel on, or change its settings."""
    values = {
        "key": key,
        "name": name,
        "settings": dict(settings),
        "organisation": organisation,
        "active": True,
        "made_at": change.at,
    }
    query = insert(channel).values(values)
    await change.connection.execute(
        query.on_conflict_do_update(index_elements=["key"], set_={"settings": query.excluded.settings, "active": True})
    )


async def line(connection: AsyncConnection, key: str) -> Line | None:
    """The channel with this key, or None."""
    row = (await connection.execute(select(channel).where(channel.c.key == key))).one_or_none()
    return _line(row) if row is not None else None


async def lines_of(connection: AsyncConnection, keys: Iterable[str]) -> dict[str, Line]:
    """The channels with these keys, by key."""
    query = select(channel).where(channel.c.key.in_(list(keys)))
    return {row.key: _line(row) for row in await connection.execute(query)}


async def lines(connection: AsyncConnection, name: str | None = None) -> list[Line]:
    """The channels that are switched on, or those of one kind, oldest first."""
    query = select(channel).where(channel.c.active).order_by(channel.c.made_at, channel.c.key)
    rows = await connection.execute(query.where(channel.c.name == name) if name else query)
    return [_line(row) for row in rows]


async def save_state(change: Change, key: str, state: Mapping[str, object]) -> None:
    """Remember where a fetching channel stands."""
    await change.connection.execute(channel.update().where(channel.c.key == key).values(state=dict(state)))


async def keep(change: Change, arrived: Sequence[Arrived]) -> list[tuple[int, Line]]:
    """Store deliveries with one statement; the id and the line of each that was not stored already."""
    if not arrived:
        return []
    lines_by_key = {each.line.key: each.line for each in arrived}
    values = {
        "keys": [each.line.key for each in arrived],
        "source_keys": [each.source_key for each in arrived],
        "hooks": [json.dumps(_described(each.hook)) for each in arrived],
        "bodies": [each.hook.body for each in arrived],
        "at": change.at,
    }
    made = [(row.id, lines_by_key[row.channel]) for row in await change.connection.execute(_KEEP, values)]
    # Not each time: all deliveries of one channel would wait for each other to commit.
    stale = [each.key for each in lines_by_key.values() if _is_stale(each, change.at)]
    if stale:
        query = channel.update().where(channel.c.key.in_(sorted(stale))).values(heard_at=change.at)
        await change.connection.execute(query)
    return sorted(made, key=lambda each: each[0])


def _is_stale(line: Line, at: datetime) -> bool:
    return line.heard_at is None or at - line.heard_at >= HEARD_EVERY


def _described(hook: Hook) -> object:
    headers = dict(list(hook.headers.items())[:HEADERS_KEPT_MAX])
    more = {"query": dict(hook.query), "method": hook.method, "path": hook.path, "remote": hook.remote}
    return _clean({"headers": headers, **more})


async def load(connection: AsyncConnection, number: int) -> Delivery | None:
    """A delivery, locked: of two workers that read the same one the second waits and then finds it read."""
    row = (await connection.execute(select(delivery).where(delivery.c.id == number).with_for_update())).one_or_none()
    if row is None:
        return None
    hook = Hook(
        row.body, row.hook["headers"], row.hook["query"], row.hook["method"], row.hook["path"], row.hook["remote"]
    )
    return Delivery(row.id, row.channel, row.source_key, hook, row.state, row.attempts, row.received_at)


async def find(connection: AsyncConnection, key: str, source_key: str) -> int | None:
    """The id of a stored delivery."""
    query = select(delivery.c.id).where(delivery.c.channel == key, delivery.c.source_key == source_key)
    found = (await connection.execute(query)).scalar_one_or_none()
    return int(found) if found is not None else None


async def mark(change: Change, number: int, state: str, says: str = "") -> None:
    """Say what became of a delivery: `read` or `failed`."""
    values = {"state": state, "says": says, "read_at": change.at}
    await change.connection.execute(delivery.update().where(delivery.c.id == number).values(values))


async def spoken_by(change: Change, number: int, person: int | None) -> None:
    """Remember whose words a delivery holds, so that erasing the person finds it."""
    if person is not None:
        await change.connection.execute(delivery.update().where(delivery.c.id == number).values(person=person))


async def erase_of(connection: AsyncConnection, person: int) -> None:
    """Empty everything raw that a person sent; that it came stays known, so that it is not taken for new again."""
    empty = {"headers": {}, "query": {}, "method": "", "path": "", "remote": ""}
    query = delivery.update().where(delivery.c.person == person).values(body=b"", hook=empty, says="erased")
    await connection.execute(query)


async def count_attempt(change: Change, number: int) -> int:
    """One more try at this delivery; how many there were."""
    query = delivery.update().where(delivery.c.id == number).values(attempts=delivery.c.attempts + 1)
    return int((await change.connection.execute(query.returning(delivery.c.attempts))).scalar_one())


async def count_refusal(change: Change, key: str, code: str) -> None:
    """Count what was refused; nothing else of it is kept."""
    values = {"channel": key, "code": code, "day": change.at.date().isoformat(), "count": 1, "last_at": change.at}
    query = insert(refusal).values(values)
    changed = {"count": refusal.c.count + 1, "last_at": change.at}
    await change.connection.execute(
        query.on_conflict_do_update(index_elements=["channel", "code", "day"], set_=changed)
    )


def _line(row: object) -> Line:
    values: Mapping[str, object] = row._mapping  # type: ignore[attr-defined]
    names = ("key", "name", "settings", "organisation", "active", "heard_at", "state")
    return Line(**{name: values[name] for name in names})  # type: ignore[arg-type]


def _clean(value: object) -> object:
    if isinstance(value, dict):
        return {str(key).replace("\0", ""): _clean(each) for key, each in value.items()}
    return value.replace("\0", "") if isinstance(value, str) else value
