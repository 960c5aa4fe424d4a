"""Hooks that come together are stored together, and each gets the answer that it would have got alone."""

import asyncio
import json

import pytest
from sqlalchemy import func, select

from quell.core.errors import Refused
from quell.core.incoming import Hook, Receipt
from quell.journey.intake.room import Knock
from quell.store import deliveries
from quell.store.tables import delivery, refusal, report
from quell.web import gathering
from quell.web.gathering import Gathering
from tests.journey.conftest import Scene, scene  # noqa: F401

KEYS = ("first-tool", "second-tool")


def alert(number: int) -> bytes:
    labels = {"alertname": f"A{number}"}
    one = {"status": "firing", "labels": labels, "fingerprint": f"f{number}", "startsAt": "2026-03-09T08:00:00Z"}
    return json.dumps({"version": "4", "groupKey": str(number), "status": "firing", "alerts": [one]}).encode()


def knock(number: int, key: str = KEYS[0], named: str | None = "alertmanager", body: bytes | None = None) -> Knock:
    return Knock(key, Hook(alert(number) if body is None else body, path=f"/hooks/alertmanager/{key}"), named)


async def open_lines(scene: Scene) -> Gathering:  # noqa: F811
    async with scene.house.store.change() as change:
        for key in KEYS:
            await deliveries.add_line(change, key, "alertmanager", {}, "default")
    return Gathering(scene.house)


async def count(scene: Scene, table) -> int:  # noqa: F811
    async with scene.house.store.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_many_at_once_are_all_stored_and_read_once(scene):  # noqa: F811
    doors = await open_lines(scene)
    answers = await asyncio.gather(*(doors.take(knock(number, KEYS[number % 2])) for number in range(150)))
    assert all(isinstance(each, Receipt) and each.status == 200 for each in answers)
    assert await count(scene, delivery) == 150
    await scene.drain()
    assert await count(scene, report) == 150
    assert not doors.waiting and not doors.tasks


async def test_the_same_thing_said_many_times_at_once_is_said_once(scene):  # noqa: F811
    doors = await open_lines(scene)
    answers = await asyncio.gather(*(doors.take(knock(7)) for _ in range(40)))
    assert len(answers) == 40 and await count(scene, delivery) == 1
    await scene.drain()
    assert await count(scene, report) == 1


async def test_each_gets_its_own_answer_and_refusals_are_counted(scene):  # noqa: F811
    doors = await open_lines(scene)
    wrong = [knock(1, body=b"{"), knock(2, "no-such-key"), knock(3, named="slack"), knock(4, body=b"{}")]
    asked = [wrong[0], knock(10), wrong[1], knock(11, KEYS[1]), wrong[2], wrong[3], knock(12)]
    answers = await asyncio.gather(*(doors.take(each) for each in asked), return_exceptions=True)
    codes = [each.status if isinstance(each, Refused | Receipt) else each for each in answers]
    assert codes == [400, 200, 404, 200, 404, 400, 200]
    assert await count(scene, delivery) == 3
    async with scene.house.store.read() as connection:
        query = select(refusal.c.channel, func.sum(refusal.c.count)).group_by("channel")
        counted = (await connection.execute(query)).all()
    assert counted == [(KEYS[0], 2)]


async def test_one_that_cannot_be_stored_does_not_take_the_others_with_it(scene):  # noqa: F811
    doors = await open_lines(scene)
    odd = Hook(alert(3), headers={"x-odd": object()}, path=f"/hooks/alertmanager/{KEYS[0]}")  # type: ignore[dict-item]
    asked = (knock(1), Knock(KEYS[0], odd), knock(2))
    answers = await asyncio.gather(*(doors.take(each) for each in asked), return_exceptions=True)
    assert isinstance(answers[0], Receipt) and isinstance(answers[2], Receipt)
    assert isinstance(answers[1], TypeError)
    assert await count(scene, delivery) == 2


async def test_one_who_hangs_up_is_stored_all_the_same_and_keeps_nobody(scene):  # noqa: F811
    doors = await open_lines(scene)
    hung_up = asyncio.create_task(doors.take(knock(1)))
    other = asyncio.create_task(doors.take(knock(2)))
    await asyncio.sleep(0)
    hung_up.cancel()
    assert (await other).status == 200
    with pytest.raises(asyncio.CancelledError):
        await hung_up
    assert await count(scene, delivery) == 2


async def test_large_ones_are_not_heaped_up(scene):  # noqa: F811
    doors = await open_lines(scene)
    loop = asyncio.get_running_loop()
    doors.waiting = [gathering.Waiting(knock(number), loop.create_future()) for number in range(100)]
    assert len(doors._next()) == gathering.TOGETHER_MAX
    large = b" " * (gathering.TOGETHER_BYTES_MAX // 2 + 1)
    doors.waiting = [gathering.Waiting(knock(number, body=large), loop.create_future()) for number in range(3)]
    assert len(doors._next()) == 1 and len(doors.waiting) == 2


async def test_channels_say_when_they_were_last_heard_without_being_written_each_time(scene):  # noqa: F811
    doors = await open_lines(scene)
    await doors.take(knock(1))
    scene.pass_time(seconds=5)
    await doors.take(knock(2))
    async with scene.house.store.read() as connection:
        first = (await deliveries.line(connection, KEYS[0])).heard_at
    scene.pass_time(seconds=10)
    await doors.take(knock(3))
    async with scene.house.store.read() as connection:
        later = (await deliveries.line(connection, KEYS[0])).heard_at
    assert (later - first).total_seconds() == 15
