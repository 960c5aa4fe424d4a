"""The log's readers: streams come whole and in order, and names that look alike are not mixed up."""

import asyncio

from quell.store import chain
from quell.store.change import Store


async def happen(store: Store, stream: str, times: int) -> None:
    for _ in range(times):
        async with store.change() as change:
            await change.record(stream, "ceiling_set", "account:1", {"times": times})


async def test_streams_that_are_written_at_once_stay_apart(store: Store) -> None:
    names = [f"ticket:{each}" for each in (1, 2, 10, 11)]
    await asyncio.gather(*(happen(store, name, 6) for name in names))
    async with store.read() as connection:
        found = [events async for events in chain.read_all(connection, "ticket:")]
    assert {events[0].stream for events in found} == set(names)
    assert all([each.seq for each in events] == [1, 2, 3, 4, 5, 6] for events in found)


async def test_a_prefix_is_taken_literally(store: Store) -> None:
    await happen(store, "a_b", 1)
    await happen(store, "axb", 1)
    async with store.read() as connection:
        assert [events[0].stream async for events in chain.read_all(connection, "a_")] == ["a_b"]


async def test_a_stream_is_read_on_from_where_one_stood(store: Store) -> None:
    await happen(store, "a", 4)
    async with store.read() as connection:
        assert [each.seq for each in await chain.read_stream(connection, "a", after=2)] == [3, 4]
        assert await chain.read_stream(connection, "b") == []


async def test_two_that_begin_one_stream_at_once_share_it(store: Store) -> None:
    await asyncio.gather(*(happen(store, "new", 1) for _ in range(8)))
    async with store.read() as connection:
        assert [each.seq for each in await chain.read_stream(connection, "new")] == list(range(1, 9))
