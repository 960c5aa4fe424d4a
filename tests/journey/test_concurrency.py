"""A model that writes while a person corrects, on two real connections: the person's value stands, always."""

import asyncio
import threading

import pytest

from quell.core.errors import Refused
from quell.journey import tasks
from quell.journey.spoken import Seen
from quell.journey.triage import room as triage
from quell.store import gates, listing, rebuilding, tickets
from tests.journey.conftest import Scene


async def shown(scene: Scene, number: int):
    async with scene.house.store.read() as connection:
        return await listing.one_ticket(connection, number)


async def told_but_not_sorted(scene: Scene) -> tuple[int, int, int]:
    """A report whose triage waits in the queue: its ticket, report and message."""
    import json

    body = {"reporter": "p1@aldermoor.example", "text": "labels do not print"}
    made = await scene.desk.take_report(json.dumps(body).encode(), {})
    while (job := scene.jobs.take(scene.time[0])) is not None:
        if job.task == tasks.SORT_REPORT:
            return made.ticket, job.args["report"], job.args["message"]
    raise AssertionError("nothing to sort")


async def open_gate(scene: Scene) -> None:
    """Let the model apply what it proposes."""
    async with scene.house.store.change() as change:
        await gates.move(change, True, 0.1, {}, scene.model.version)
        await gates.set_ceiling(change, "printing", "sort", "test")


@pytest.mark.parametrize("automatic", [False, True])
async def test_a_person_corrects_while_the_model_thinks(scene, mara, automatic):
    if automatic:
        await open_gate(scene)
    number, report, message = await told_but_not_sorted(scene)
    thinks, go_on = threading.Event(), threading.Event()
    answer = scene.model.propose

    def slowly(*asked):
        thinks.set()
        assert go_on.wait(20)
        return answer(*asked)

    scene.model.propose = slowly
    sorting = asyncio.create_task(triage.sort(scene.house, report, message))
    assert await asyncio.to_thread(thinks.wait, 20)
    await scene.desk.correct(mara, [Seen(number)], {"category": "laptops", "priority": "P1"})
    go_on.set()
    assert await sorting is not None
    found = await shown(scene, number)
    assert (found["category"]["value"], found["category"]["set_by"]) == ("laptops", "person")
    assert (found["priority"]["value"], found["priority"]["set_by"]) == ("P1", "person")
    assert len(scene.model.asked) == 2, "it was asked again, since the ticket had changed meanwhile"
    assert found["owner"]["set_by"] == "model" and found["owner"]["proposed"] is not automatic


async def test_many_rounds_of_model_against_person(scene, mara):
    await open_gate(scene)
    number, report, message = await told_but_not_sorted(scene)
    values = ["laptops", "printing"] * 6

    async def person():
        for value in values:
            await scene.desk.correct(mara, [Seen(number)], {"category": value})
            await asyncio.sleep(0)

    async def model():
        for _ in range(8):
            try:
                await triage.sort(scene.house, report, message)
            except Exception as error:
                assert "changed" in str(error)

    await asyncio.gather(person(), model(), model())
    found = await shown(scene, number)
    assert (found["category"]["value"], found["category"]["set_by"]) == (values[-1], "person")
    async with scene.house.store.read() as connection:
        assert await rebuilding.compare(connection) == []


async def test_a_stale_version_is_refused_on_another_connection(scene):
    number = await scene.tell(1, "labels do not print")
    async with scene.house.store.read() as connection:
        seen = (await tickets.load(connection, number)).version
    body = {"field": "category", "value": "laptops", "by": "model"}

    async def write():
        async with scene.house.store.change() as change:
            await tickets.record(change, number, "field_set", "model:x", body, expect_version=seen)

    results = await asyncio.gather(write(), write(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "Refused"]
    refused = next(each for each in results if isinstance(each, Refused))
    assert refused.status == 409
