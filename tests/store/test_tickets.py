"""Tickets on a real PostgreSQL: folded in the transaction that changed them, and a person's word outlives any race."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from quell.core.errors import Refused, TryAgain
from quell.core.ticket import SetBy, fold
from quell.store import chain, incidents, rebuilding, tickets
from quell.store.change import Store

Make = Callable[..., Awaitable[tuple[int, int]]]


def said(value: str | None, by: str, name: str = "category") -> dict[str, Any]:
    return {"field": name, "value": value, "by": by}


async def set_field(store: Store, number: int, value: str, by: str, expect: int | None = None) -> None:
    """Set a category by a model, a rule or a person."""
    async with store.change() as change:
        await tickets.record(change, number, "field_set", f"{by}:1", said(value, by), expect)


async def load(store: Store, number: int) -> Any:
    async with store.read() as connection:
        return await tickets.load(connection, number)


async def test_a_ticket_is_written_with_its_event_or_not_at_all(store: Store, report: Make) -> None:
    _, number = await report()
    with pytest.raises(RuntimeError):
        async with store.change() as change:
            await tickets.record(change, number, "field_set", "account:1", said("mail", "person"))
            raise RuntimeError("the power went out")
    assert (await load(store, number)).version == 1
    async with store.read() as connection:
        events = await chain.read_stream(connection, f"ticket:{number}")
        assert [each.kind for each in events] == ["ticket_opened"]


async def test_the_row_is_what_its_events_make(store: Store, report: Make) -> None:
    _, number = await report()
    await set_field(store, number, "mail", "model")
    async with store.change() as change:
        reasons: list[Any] = [["mentions mail", 61.234, "words"]]
        body = {**said("P2", "model", "priority"), "confidence": 0.75, "reasons": reasons, "proposal": 9}
        await tickets.record(change, number, "field_set", "model:a/1", body)
        await tickets.record(change, number, "ticket_resolved", "account:1", {"proof": "verified", "fix": 3})
    async with store.read() as connection:
        state = await tickets.load(connection, number)
        assert state == fold(await chain.read_stream(connection, f"ticket:{number}"))
        row = (await connection.execute(text("SELECT * FROM ticket"))).one()
        assert (row.version, row.status, row.open) == (4, "resolved", False)
    assert state.closure is not None and state.fields["priority"].reasons[0].weight == pytest.approx(61.234)


async def test_what_nobody_opened_is_not_there(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        await load(store, 7)
    assert (refused.value.status, refused.value.code) == (404, "no_such_ticket")


async def test_many_writers_at_once_make_one_chain_without_a_gap(store: Store, report: Make) -> None:
    _, number = await report()

    async def note() -> None:
        async with store.change() as change:
            await tickets.record(change, number, "note_added", "account:1", {"message": 1})

    await asyncio.gather(*(note() for _ in range(25)))
    async with store.read() as connection:
        events = await chain.read_stream(connection, f"ticket:{number}")
        assert [each.seq for each in events] == list(range(1, 27))
        assert (await tickets.load(connection, number)).version == 26


@pytest.mark.parametrize("model_comes", ["before", "after", "meanwhile"])
async def test_a_model_never_overwrites_a_person(store: Store, report: Make, model_comes: str) -> None:
    _, number = await report()
    if model_comes == "meanwhile":
        # The person's transaction is open on a connection of its own while the model writes on another one.
        async with store.change() as change:
            await tickets.record(change, number, "field_set", "account:1", said("vpn", "person"))
            model = asyncio.create_task(set_field(store, number, "mail", "model"))
            await asyncio.sleep(0.2)
            assert not model.done(), "it waits for the person's word to stand"
        await model
    elif model_comes == "before":
        await set_field(store, number, "mail", "model")
        await set_field(store, number, "vpn", "person")
    else:
        await set_field(store, number, "vpn", "person")
        await set_field(store, number, "mail", "model")
    state = await load(store, number)
    assert (state.value("category"), state.fields["category"].by) == ("vpn", SetBy.PERSON)
    other = state.opinions.get("category")
    assert (other.value if other else None) == (None if model_comes == "before" else "mail")


async def test_a_model_that_read_before_the_person_wrote_is_told_so(store: Store, report: Make) -> None:
    _, number = await report()
    seen = (await load(store, number)).version
    await set_field(store, number, "vpn", "person")
    with pytest.raises(Refused) as refused:
        await set_field(store, number, "mail", "model", expect=seen)
    assert (refused.value.status, refused.value.code) == (409, "changed_meanwhile")
    assert (await load(store, number)).opinions == {}


async def test_of_two_at_the_same_version_one_is_told_to_look_again(store: Store, report: Make) -> None:
    _, number = await report()
    seen = (await load(store, number)).version
    outcomes = await asyncio.gather(
        *(set_field(store, number, value, "person", expect=seen) for value in ("mail", "vpn", "printer")),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert len(refused) == 2 and {each.code for each in refused} == {"changed_meanwhile"}
    assert (await load(store, number)).version == seen + 1


async def test_whoever_holds_many_waits_for_nobody_in_a_ring(store: Store, report: Make) -> None:
    numbers = [(await report(f"p{each}@brook.example"))[1] for each in range(4)]

    async def hold(order: list[int]) -> None:
        async with store.change() as change:
            assert await incidents.hold(change, *order) == {number: number for number in numbers}
            await asyncio.sleep(0.01)

    await asyncio.gather(*(hold(numbers if each % 2 else numbers[::-1]) for each in range(6)))
    with pytest.raises(Refused, match="no ticket 99"):
        async with store.change() as change:
            await incidents.hold(change, numbers[0], 99)


async def test_two_that_wait_for_each_other_are_told_to_try_again(store: Store, report: Make) -> None:
    first, second = [(await report(f"p{each}@brook.example"))[1] for each in range(2)]
    both = asyncio.Barrier(2)

    async def hold(order: list[int]) -> None:
        async with store.change() as change:
            await incidents.hold(change, order[0])
            await both.wait()
            await incidents.hold(change, order[1])

    outcomes = await asyncio.gather(hold([first, second]), hold([second, first]), return_exceptions=True)
    assert [type(each) for each in outcomes if each is not None] == [TryAgain]


async def test_the_tables_are_what_the_log_says(store: Store, report: Make) -> None:
    for each in range(3):
        _, number = await report(f"p{each}@brook.example")
        await set_field(store, number, "mail", "person")
        async with store.change() as change:
            await incidents.regather(change, number)
    async with store.read() as connection:
        assert await rebuilding.compare(connection) == []


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("UPDATE ticket SET folded = jsonb_set(folded, '{impact}', '\"site\"') WHERE number = 2", "ticket 2 differs"),
        ("UPDATE ticket SET status = 'closed' WHERE number = 2", "ticket 2: status is not what the log says"),
        ("UPDATE ticket SET joined_to = 1 WHERE number = 2", "ticket 2: joined_to is not what the log says"),
        ("UPDATE ticket SET root = 1 WHERE number = 2", "ticket 2 counts to ticket 2, its row says 1"),
        ("UPDATE ticket SET category = 'vpn' WHERE number = 2", "ticket 2: category is not what the log says"),
        ("UPDATE ticket SET reporters = 9 WHERE number = 2", "ticket 2: reporters is not what the log says"),
        ("UPDATE ticket SET organisation = 'x' WHERE number = 2", "ticket 2: organisation is not what the log says"),
        ("UPDATE report SET ticket = 1 WHERE number = 2", "report 2 opened ticket 2, its row says 1"),
        ("UPDATE message SET text = 1 WHERE report = 2", "report 2: message 2 is not the one of event 2"),
        ("UPDATE message SET actor = 'person:9' WHERE report = 2", "report 2: message 2 is not the one of event 2"),
        ("UPDATE message SET report = 1 WHERE report = 2", "report 2 lacks the message of its event 2"),
        ("UPDATE message SET report = 1 WHERE report = 2", "report 1 has a message 2 that is not in the log"),
        ("DELETE FROM ticket WHERE number = 2", "ticket 2 is in the log but has no row"),
        ("DELETE FROM event WHERE stream = 'ticket:2'", "ticket 2 has a row but is not in the log"),
    ],
)
@pytest.mark.tampers
async def test_a_row_that_somebody_changed_is_told(store: Store, report: Make, order: str, says: str) -> None:
    await report()
    await report("bob@brook.example")
    async with store.engine.begin() as connection:
        await connection.execute(text(order))
    async with store.read() as connection:
        found = await rebuilding.compare(connection)
    assert any(each.startswith(says) for each in found), found
