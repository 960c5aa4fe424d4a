"""The verbs of joining on a real PostgreSQL: whatever is joined, undone and said meanwhile, all can be taken back."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from quell.core.errors import Refused, TryAgain
from quell.core.incident import gather
from quell.core.incoming import Party
from quell.core.priority import LEVELS, Crowd
from quell.core.ticket import OPEN_STATUSES, Ticket, fold
from quell.journey.triage import joins
from quell.store import chain, deliveries, incidents, people, rebuilding, reports, tickets
from quell.store.change import Store
from quell.store.database import connect
from quell.store.jobs import InlineJobs
from quell.store.reports import NewReport
from quell.store.tables import ticket as table

ACTOR = "account:1"
OVERLAY = {"ticket_joined", "ticket_left", "member_joined", "member_left", "ticket_stirred"}
COLLISIONS_MAX = 10
TICKETS = 4
Step = tuple[str, int, int]

numbers = st.integers(0, TICKETS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), numbers, numbers),
        st.tuples(st.sampled_from(["leave", "reply", "end", "noise"]), numbers, st.just(0)),
        st.tuples(st.sampled_from(["model", "rule", "person"]), numbers, st.integers(0, 3)),
    ),
    max_size=14,
)


class Ticking:
    """A clock that goes a minute on with each look."""

    now = datetime(2025, 5, 4, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    engine = connect(database_url, "quell-test", 6)
    yield Store(engine, Ticking(), InlineJobs())
    await engine.dispose()


async def open_tickets(store: Store, count: int = TICKETS) -> list[int]:
    """Tickets that one person each has reported; the model found them all P3."""
    made = []
    async with store.change() as change:
        await deliveries.add_line(change, "desk", "portal", {}, "default")
        for each in range(count):
            person = await people.find_or_add(change, "portal", Party(f"p{each}@brook.example"))
            new = NewReport("default", "portal", "desk", change.at, person=person.id)
            number = await reports.add(change, new, "channel:portal")
            opened = await tickets.open_ticket(change, number, "default", "help", "intake")
            await reports.update(change.connection, number, ticket=opened.number)
            body = {"field": "priority", "value": "P3", "by": "model"}
            await tickets.record(change, opened.number, "field_set", "model:m/1", {**body})
            await incidents.regather(change, opened.number)
            made.append(opened.number)
    return made


async def do(store: Store, all_: list[int], step: Step) -> None:
    """One verb, again when it collided, as every door does it; a collision has changed nothing."""
    for _ in range(COLLISIONS_MAX):
        with suppress(TryAgain):
            return await do_once(store, all_, step)
    raise AssertionError(f"{step} collided {COLLISIONS_MAX} times")


async def do_once(store: Store, all_: list[int], step: Step) -> None:
    """One verb in one transaction; what may not be is refused with 409 and changes nothing."""
    verb, first, second = step
    number = all_[first]
    try:
        async with store.change() as change:
            if verb == "join":
                await joins.join(change, number, all_[second], ACTOR, 0.9)
            elif verb == "leave":
                await joins.leave(change, number, ACTOR)
            elif verb == "reply":
                await tickets.record(change, number, "reporter_replied", ACTOR, {"message": 1})
                await joins.stir(change, number, ACTOR)
            else:
                await work(store, change, number, verb, second)
    except Refused as refused:
        assert refused.status == 409, refused


async def work(store: Store, change: object, number: int, verb: str, level: int) -> None:
    """What people and models do to one ticket, joined or not."""
    state = await tickets.take(change, number)  # type: ignore[attr-defined]
    body: dict[str, object] = {"field": "priority", "value": LEVELS[level], "by": verb}
    kind = "field_set"
    if verb == "noise":
        kind, body = "noise_set", {"noise": not state.noise}
    if verb == "end":
        if state.status not in OPEN_STATUSES:
            return
        kind, body = "ticket_resolved", {"proof": "assumed"}
    await tickets.record(change, number, kind, ACTOR, body)  # type: ignore[arg-type]
    root = await incidents.root_of(change.connection, number)  # type: ignore[attr-defined]
    await incidents.regather(change, root)  # type: ignore[arg-type]


async def joined(store: Store, all_: list[int]) -> list[int]:
    async with store.read() as connection:
        found = await tickets.load_many(connection, all_)
    return [number for number in all_ if found[number].joined_to is not None]


async def alone(store: Store, number: int) -> Ticket:
    """The ticket as its own events make it, as if nobody had ever joined anything."""
    async with store.read() as connection:
        own = [each for each in await chain.read_stream(connection, f"ticket:{number}") if each.kind not in OVERLAY]
    return fold(replace(each, seq=seq) for seq, each in enumerate(own, 1))


@given(said=steps, order=st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_undoing_all_joins_gives_each_ticket_back_as_it_would_have_been_alone(
    store: Store, said: list[Step], order: random.Random
) -> None:
    all_ = await open_tickets(store)
    for step in said:
        await do(store, all_, step)
    async with store.read() as connection:
        assert await rebuilding.compare(connection) == [], "also while they are joined, the rows are what the log says"
    while left := await joined(store, all_):
        await do(store, all_, ("leave", all_.index(order.choice(left)), 0))
    for number in all_:
        expected = await alone(store, number)
        async with store.read() as connection:
            state = await tickets.load(connection, number)
            row = (await connection.execute(select(table).where(table.c.number == number))).one()
        assert replace(state, version=0) == replace(expected, version=0)
        shown = gather(expected, (), Crowd(1, 0 if expected.noise else 1, 0, 0))
        for name, value in incidents.gathered_columns(shown).items():
            assert row._mapping[name] == value, name
        assert (row.root, row.open, row.joined_to) == (number, expected.is_open, None)


async def test_a_later_reply_goes_to_its_own_report_and_wakes_what_had_ended_above(store: Store) -> None:
    first, second, third, _ = all_ = await open_tickets(store)
    for step in (("join", 2, 1), ("join", 1, 0), ("end", 0, 0), ("reply", 2, 0)):
        await do(store, all_, step)
    async with store.read() as connection:
        found = await tickets.load_many(connection, all_)
        last = {number: (await chain.read_stream(connection, f"ticket:{number}"))[-1].kind for number in all_}
    assert last[third] == "reporter_replied" and last[first] == "ticket_stirred"
    assert found[first].status_shown == "open" and found[first].closure is not None
    assert last[second] == "ticket_joined", "what stands between them had not ended and hears nothing"
    await do(store, all_, ("leave", 1, 0))
    async with store.read() as connection:
        assert (await tickets.load(connection, first)).status_shown == "resolved"
        assert await incidents.root_of(connection, third) == second


async def test_leaving_takes_back_what_that_report_alone_had_raised(store: Store) -> None:
    first, second, *_ = all_ = await open_tickets(store)
    for step in (("rule", 1, 0), ("join", 2, 0), ("join", 1, 0)):
        await do(store, all_, step)

    async def shown() -> tuple[str | None, int]:
        async with store.read() as connection:
            row = (await connection.execute(select(table).where(table.c.number == first))).one()
        return row.priority, row.reports

    assert await shown() == ("P1", 3)
    await do(store, all_, ("leave", 1, 0))
    assert await shown() == ("P3", 2)
    async with store.read() as connection:
        assert (await tickets.load(connection, second)).value("priority") == "P1"


async def test_two_that_join_each_other_at_once_make_no_ring(store: Store) -> None:
    for _ in range(5):
        all_ = await open_tickets(store, 2)
        await asyncio.gather(do(store, all_, ("join", 0, 1)), do(store, all_, ("join", 1, 0)))
        assert len(await joined(store, all_)) == 1
    async with store.read() as connection:
        assert await rebuilding.compare(connection) == []


@pytest.mark.parametrize("seed", range(6))
async def test_many_hands_at_once_leave_a_whole_picture(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    all_ = await open_tickets(store)
    verbs = ["join", "join", "join", "leave", "leave", "reply", "end", "person"]

    async def hand(said: list[Step]) -> None:
        for step in said:
            await do(store, all_, step)

    def some() -> list[Step]:
        return [(chance.choice(verbs), chance.randrange(TICKETS), chance.randrange(TICKETS)) for _ in range(8)]

    await asyncio.gather(*(hand(some()) for _ in range(4)))
    async with store.read() as connection:
        assert await rebuilding.compare(connection) == []
    while left := await joined(store, all_):
        await do(store, all_, ("leave", all_.index(left[0]), 0))
    for number in all_:
        async with store.read() as connection:
            state = await tickets.load(connection, number)
        assert replace(state, version=0) == replace(await alone(store, number), version=0)
