"""The live log: nothing is lost between a page and its stream, not even what commits late; a reconnect catches up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest_asyncio

from quell.core.permission import Role
from quell.store.chain import Position
from quell.store.change import Change, Store
from quell.store.database import connect, driver_url
from quell.store.jobs import InlineJobs
from quell.store.notify import Notifier
from quell.store.touched import log_end, touched_after
from quell.web.live import Live, position_text, read_position
from quell.web.pages.events import _stream
from tests.web.conftest import Hands, House

WAIT_S = 10


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    engine, notifier = connect(database_url), Notifier(driver_url(database_url))
    yield Store(engine, Hands(), InlineJobs(), notifier.poke)
    await notifier.stop()
    await engine.dispose()


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[Live]:
    live = Live(store)
    await live.start()
    yield live
    await live.stop()


async def say(store: Store, *streams: str) -> None:
    async with store.change() as change:
        for stream in streams:
            await change.record(stream, "note_added", "system", {})


async def messages(live: Live, position: Position, count: int) -> list[str]:
    """So many messages of a stream, without its heartbeats."""
    found: list[str] = []
    async with aclosing(_stream(live, position)) as stream, asyncio.timeout(WAIT_S):
        async for each in stream:
            if "data:" in each:
                found.append(each)
            if len(found) == count:
                break
    return found


async def test_an_event_reaches_an_open_stream_with_its_position_and_the_ticket_it_touched(store: Store) -> None:
    async with following(store) as live:
        task = asyncio.create_task(messages(live, await live.end(), 1))
        await asyncio.sleep(0.3)
        await say(store, "ticket:7", "ticket:9", "setting:x")
        (message,) = await task
    assert "event: tickets" in message and "data: [7, 9]" in message
    assert read_position(message.split("id: ")[1].split("\n")[0]) is not None


async def test_what_happened_between_the_page_and_its_stream_is_not_lost(store: Store) -> None:
    async with following(store) as live:
        page = await live.end()
        await say(store, "ticket:3")
        (message,) = await messages(live, page, 1)
    assert "data: [3]" in message


async def test_a_reconnect_goes_on_where_the_last_event_was(store: Store) -> None:
    async with following(store) as live:
        begin = await live.end()
        await say(store, "ticket:1")
        (first,) = await messages(live, begin, 1)
        last = read_position(first.split("id: ")[1].split("\n")[0])
        assert last is not None
        await say(store, "ticket:2")
        await say(store, "ticket:3")
        found = "".join(await messages(live, last, 1))
    assert "1" not in found.split("data: ")[1] and "2" in found.split("data: ")[1]


async def test_an_event_that_commits_late_is_passed_by_no_reader(store: Store) -> None:
    async with store.engine.connect() as early, store.engine.connect() as reader:
        begin = await log_end(reader)
        await reader.rollback()
        transaction = await early.begin()
        await Change(early, store.clock()).record("ticket:1", "note_added", "system", {})
        await say(store, "ticket:2")
        between = await touched_after(reader, begin)
        await reader.rollback()
        assert between.tickets == frozenset()
        await transaction.commit()
        after = await touched_after(reader, between.position)
    assert after.tickets == {1, 2}


async def test_many_pages_follow_at_once_and_none_misses_anything(store: Store) -> None:
    async with following(store) as live:
        begin = await live.end()

        async def hear() -> set[int]:
            heard: list[int] = []
            async with aclosing(_stream(live, begin)) as stream, asyncio.timeout(WAIT_S):
                async for each in stream:
                    if "data:" in each:
                        heard += [int(one) for one in each.split("data: [")[1].split("]")[0].split(",")]
                    if 40 in heard:
                        break
            # Where a page goes over from the table to our memory it may hear of a ticket twice: one more fetch.
            return set(heard)

        listeners = [asyncio.create_task(hear()) for _ in range(8)]
        for number in range(1, 41):
            await say(store, f"ticket:{number}")
        assert all(found == set(range(1, 41)) for found in await asyncio.gather(*listeners))
        assert live.streams == 0


async def test_the_log_is_followed_by_asking_when_no_notification_comes(store: Store) -> None:
    silent = Store(store.engine, store.clock, InlineJobs(), None)
    async with following(silent) as live:
        task = asyncio.create_task(messages(live, await live.end(), 1))
        await asyncio.sleep(0.3)
        await say(silent, "ticket:5")
        assert "data: [5]" in (await task)[0]


async def test_the_stream_is_for_those_who_may_read_the_queue(house: House) -> None:
    reporter = await house.signed_in(Role.REPORTER)
    for browser, status in ((house.browser(), 401), (reporter, 403)):
        answer = await browser.get("/events", headers={"accept": "text/event-stream"})
        assert answer.status_code == status


def test_a_position_is_read_back_as_it_was_written_and_nonsense_is_none() -> None:
    position = Position(123456789, 42)
    assert read_position(position_text(position)) == position
    nonsense: list[Any] = ["", "x-1", "1", "1-", "-1", "1-2-3", "9" * 50 + "-1", "１-2"]
    assert [read_position(each) for each in nonsense] == [None] * len(nonsense)
