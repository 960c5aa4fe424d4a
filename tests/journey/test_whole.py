"""From a report to a told reporter through the real rooms on a real database, with a scripted model."""

from dataclasses import replace

import pytest

from quell.core.errors import Refused
from quell.journey.spoken import Seen
from quell.store import listing, rebuilding, tickets, told


async def shown(scene, number):
    async with scene.house.store.read() as connection:
        return await listing.one_ticket(connection, number)


async def test_a_report_becomes_a_ticket_with_guesses_that_a_person_accepts(scene, mara):
    number = await scene.tell(1, "labels do not print", "Labels")
    found = await shown(scene, number)
    assert found["title"] == "Labels"
    assert found["category"]["value"] == "printing" and found["category"]["proposed"]
    assert found["category"]["set_by"] == "model" and found["category"]["confidence"] == 0.8
    assert found["needs_yes"] and found["due"] is not None
    done = await scene.desk.accept(mara, [Seen(number, found["version"])])
    found = await shown(scene, number)
    assert found["category"]["set_by"] == "person" and not found["category"]["proposed"] and not found["needs_yes"]
    await scene.desk.undo(mara, done.undo)
    found = await shown(scene, number)
    assert found["category"]["proposed"] and found["category"]["set_by"] == "model" and found["needs_yes"]


async def test_a_correction_teaches_and_a_stale_screen_is_refused(scene, mara, jun):
    number = await scene.tell(1, "labels do not print")
    seen = (await shown(scene, number))["version"]
    await scene.desk.correct(mara, [Seen(number, seen)], {"category": "laptops"})
    with pytest.raises(Refused) as refused:
        await scene.desk.correct(jun, [Seen(number, seen)], {"category": "printing"})
    assert refused.value.status == 409
    await scene.tell(2, "another thing")
    assert [word.category for _, word in scene.model.learnt] == ["laptops"]
    with pytest.raises(Refused) as refused:
        await scene.desk.correct(mara, [Seen(number)], {"category": "invented"})
    assert refused.value.status == 422


async def test_joined_reports_raise_the_priority_and_leaving_takes_it_back(scene, mara):
    first = await scene.tell(0, "labels do not print")
    others = [await scene.tell(n, f"labels dead at bay {n}") for n in range(1, 12)]
    for each in others:
        await scene.desk.join(mara, [Seen(each)], first)
    found = await shown(scene, first)
    assert found["reports"] == 12 and found["reporters"] == 12 and found["sites"] == 2
    assert found["priority"]["value"] == "P2" and found["priority"]["set_by"] == "rule"
    async with scene.house.store.read() as connection:
        rows = await listing.reports_of(connection, first)
    async with scene.house.store.read() as connection:
        assert await rebuilding.compare(connection) == []
    for each in rows[3:]:
        await scene.desk.take_out(mara, first, each["number"])
    assert (await shown(scene, first))["priority"]["value"] == "P3"


async def test_a_persons_level_stays_while_the_crowd_grows_and_the_other_opinion_is_announced(scene, mara):
    first = await scene.tell(0, "labels do not print")
    await scene.desk.correct(mara, [Seen(first)], {"priority": "P4"})
    for n in range(1, 12):
        scene.model.joins = {}
        await scene.desk.join(mara, [Seen(await scene.tell(n, f"labels dead {n}"))], first)
    found = await shown(scene, first)
    assert found["priority"]["value"] == "P4" and found["priority"]["set_by"] == "person"
    assert found["other_opinion"]["value"] == "P2"
    async with scene.house.store.read() as connection:
        page = await listing.timeline(connection, first, 0, 200)
    assert [each["kind"] for each in page.items].count("opinion_announced") == 1


async def test_every_reporter_is_told_once_and_a_no_reopens(scene, mara):
    first = await scene.tell(0, "labels do not print")
    second = await scene.tell(1, "labels dead too")
    await scene.desk.join(mara, [Seen(second)], first)
    await scene.desk.close(mara, [Seen(first)], "Started the print gateway again.")
    await scene.drain()
    async with scene.house.store.read() as connection:
        sent = await told.of_ticket(connection, first)
        report = (await listing.reports_of(connection, first))[1]["number"]
        conversation = (await listing.one_report(connection, report))["conversation"]
        assert "Started the print gateway again." in conversation[-1]["text"]
    assert len(sent) == 2 and {each.state for each in sent} == {"sent"}
    await scene.desk.answer(report, "", solved=False)
    assert (await shown(scene, first))["status"] == "open"
    found = await shown(scene, second)
    assert found["counts_to"] == first


async def test_thanks_do_not_reopen_but_words_do(scene, mara):
    scene.model.kinds = {"thank": "noise"}
    number = await scene.tell(0, "labels do not print")
    await scene.desk.close(mara, [Seen(number)], "done")
    await scene.drain()
    from quell.journey.triage import room as triage
    from quell.store import reports

    async with scene.house.store.change() as change:
        report = (await tickets.load(change.connection, number)).report
        said = await reports.add_message(change, report, "in", "person:1", "thank you", person=1)
    await triage.hear_reply(scene.house, report, said, False)
    assert (await shown(scene, number))["status"] == "resolved"
    async with scene.house.store.change() as change:
        said = await reports.add_message(change, report, "in", "person:1", "it is dead again", person=1)
    await triage.hear_reply(scene.house, report, said, False)
    assert (await shown(scene, number))["status"] == "open"


async def test_a_sure_join_asks_in_suggest_mode_and_yes_joins(scene, mara):
    first = await scene.tell(0, "labels do not print")
    scene.model.joins = {"same here": first}
    second = await scene.tell(1, "same here with labels")
    found = await shown(scene, second)
    assert found["maybe_into"] == first and found["joined_to"] is None
    await scene.desk.accept(mara, [Seen(second)])
    found = await shown(scene, second)
    assert found["joined_to"] == first and found["maybe_into"] is None


async def test_beliefs_are_never_chained_and_a_no_is_remembered(scene, mara):
    first = await scene.tell(0, "labels do not print")
    scene.model.joins = {"same": first}
    second = await scene.tell(1, "same with labels")
    scene.model.joins = {"too": second}
    third = await scene.tell(2, "labels here too")
    assert (await shown(scene, third))["maybe_into"] == first
    async with scene.house.store.read() as connection:
        report = (await tickets.load(connection, second)).report
    await scene.desk.take_out(mara, first, report)
    found = await shown(scene, second)
    assert found["maybe_into"] is None and found["joined_to"] is None
    scene.model.joins = {}
    await scene.tell(3, "hello")
    assert scene.model.learnt[-1][1].standing_alone


async def test_the_log_keeps_no_words_that_a_reason_quotes(scene):
    """Reasons may quote a report; they stand in the proposal, which can be erased, and not in the chain."""
    from sqlalchemy import text

    from quell.core.reading import Reason
    from quell.store import people, proposals

    answer = scene.model.propose

    def quoting(*asked):
        reading = answer(*asked)
        quoted = (Reason("'gerontius' is in 3 corrected messages of this category", 40.0, "words"),)
        return replace(reading, category=replace(reading.category, reasons=quoted))

    scene.model.propose = quoting
    number = await scene.tell(3, "gerontius cannot print labels")
    async with scene.house.store.read() as connection:
        (category,) = [each for each in await proposals.of_ticket(connection, number) if each.field == "category"]
        assert "gerontius" in str(category.reasons)
        said = await connection.execute(text("SELECT count(*) FROM event WHERE body LIKE '%gerontius%'"))
        assert said.scalar_one() == 0
        shown_now = await listing.one_ticket(connection, number)
        assert "gerontius" not in str(shown_now["category"]) and shown_now["category"]["reasons"]
        person = (await connection.execute(text("SELECT id FROM person WHERE email LIKE 'p3@%'"))).scalar_one()
    async with scene.house.store.change() as change:
        await people.erase(change, person, "test")
    async with scene.house.store.read() as connection:
        assert "gerontius" not in str(await proposals.of_ticket(connection, number))
