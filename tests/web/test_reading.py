"""What the pages say about real tickets: provenance, joins with reasons, seals, fixes, and nothing of others."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from quell.core.incoming import Attachment
from quell.core.portal_link import read_key
from quell.journey.desk import TheDesk
from quell.journey.spoken import Reporter, Seen, Who
from quell.store import fixes, people, reports, tickets
from quell.store.tables import device, evidence, fix, message
from quell.web.reading.answers import Answers
from quell.web.reads import Ask
from quell.web.views.ticket import TicketView
from tests.journey.conftest import Scene, scene

__all__ = ["scene"]  # the fixture

MARA = Who(1, "Mara", "mara@aldermoor.example", "technician")
ALL = Ask()


def answers(scene: Scene) -> Answers:
    house = scene.house
    return Answers(house.store, house.channels, house.actions, "https://help.example.org")


async def page(scene: Scene, number: int) -> TicketView:
    return await answers(scene).ticket(MARA, number, ALL)


async def test_a_guess_is_shown_as_one_until_a_person_says_yes(scene: Scene) -> None:
    number = await scene.tell(1, "The label printer is dead", "No labels")
    before = await page(scene, number)
    category = before.fields[0]
    assert (category.name, category.guess, category.confidence) == ("Printing", True, 80)
    assert category.reasons[0].points == "+100" and "guess" in category.set_by
    assert before.row.accepts and before.row.owner.guess
    await scene.desk.accept(MARA, [Seen(number)])
    after = await page(scene, number)
    assert not any(each.guess for each in after.fields) and not after.row.accepts
    assert after.proposal_chip is not None and "taken" in after.proposal_chip.text


async def test_an_incident_shows_its_reports_its_crowd_and_why_each_belongs_to_it(scene: Scene) -> None:
    scene.model.joins = {"labels": 1}
    numbers = [await scene.tell(n, f"The labels do not print at {n}", f"No labels {n}") for n in range(1, 7)]
    await scene.desk.join(MARA, [Seen(number) for number in numbers[1:5]], numbers[0])
    await scene.desk.take_out(MARA, numbers[0], 3)
    view = await page(scene, numbers[0])
    states = {each.report: each.state for each in view.joined}
    assert states == {1: "in", 2: "in", 4: "in", 5: "in", 6: "ask", 3: "out"}
    assert view.joined[0].first and view.joined[0].strength is None
    asking = next(each for each in view.joined if each.state == "ask")
    assert asking.strength == 90 and asking.reason == "the script says so"
    out = next(each for each in view.joined if each.state == "out")
    assert out.moved_to == numbers[2] and out.out_says.startswith("Taken out by")
    assert (view.reports, view.people, view.sites) == (4, 4, 2)
    assert view.known[0].startswith("The first report came 10:00 by Portal")


@pytest.mark.tampers
async def test_the_seal_is_whole_and_breaks_when_one_byte_of_the_log_is_changed(scene: Scene) -> None:
    number = await scene.tell(1, "The label printer is dead")
    await scene.desk.accept(MARA, [Seen(number)])
    whole = await page(scene, number)
    assert whole.seal.whole and whole.seal.entries == len(whole.entries)
    async with scene.house.store.engine.begin() as connection:
        where = "WHERE stream = :stream AND body LIKE '%printing%'"
        change = f"UPDATE event SET body = replace(body, 'printing', 'laptops') {where}"
        assert (await connection.execute(text(change), {"stream": f"ticket:{number}"})).rowcount
    broken = await page(scene, number)
    assert not broken.seal.whole and "Entry" in broken.seal.says


async def test_the_timeline_names_people_and_puts_the_newest_first(scene: Scene) -> None:
    number = await scene.tell(1, "The label printer is dead")
    await scene.desk.correct(MARA, [Seen(number)], {"priority": "P1"})
    view = await page(scene, number)
    said = [(each.who, each.says) for each in view.entries]
    assert said[-1] == ("Person 1", "opened the ticket")
    assert "set the priority to P1" in [says for _, says in said]
    assert view.entries[0].at.iso >= view.entries[-1].at.iso


async def test_an_answer_to_many_stands_once_and_a_note_never_reaches_the_portal(scene: Scene) -> None:
    scene.model.joins = {"labels": 1}
    numbers = [await scene.tell(n, f"The labels do not print at {n}") for n in (1, 2, 3)]
    await scene.desk.join(MARA, [Seen(number) for number in numbers[1:]], numbers[0])
    await scene.desk.reply(MARA, numbers[0], "We are on it.")
    await scene.desk.note(MARA, numbers[0], "Between us.")
    await scene.drain()
    view = await page(scene, numbers[0])
    assert [each.text for each in view.talk.messages].count("We are on it.") == 1
    assert any(each.where == "to everyone who reported" for each in view.talk.messages)
    assert any(each.note for each in view.talk.messages)
    for report in (1, 2, 3):
        mine = await answers(scene).request(report, "/portal/requests/k")
        texts = [each.text for each in mine.messages]
        assert "We are on it." in texts and "Between us." not in texts
        others = {f"The labels do not print at {n}" for n in (1, 2, 3) if n != report}
        assert not others & set(texts)
    alone = await answers(scene).talk(MARA, numbers[0], 2)
    assert [each.report for each in alone.messages if each.report] == [2, 2]


async def test_a_file_is_found_only_in_its_own_conversation(scene: Scene) -> None:
    file = Attachment("../../x.html", "text/html", b"<script>")
    await scene.desk.report(Reporter("p1@aldermoor.example"), "See the file", files=(file,))
    await scene.desk.report(Reporter("p2@aldermoor.example"), "Something else")
    await scene.drain()
    found = await answers(scene).file_of(1, 1)
    assert found.content == b"<script>" and "/" not in found.name
    try:
        await answers(scene).file_of(2, 1)
    except Exception as refused:
        assert getattr(refused, "status", None) == 404
    else:
        raise AssertionError("a file of another's report was handed out")


async def test_an_erased_person_leaves_a_page_that_still_renders(scene: Scene) -> None:
    number = await scene.tell(1, "My name is in here")
    async with scene.house.store.read() as connection:
        person = (await connection.execute(message.select())).first()
    assert person is not None
    async with scene.house.store.change() as change:
        await people.erase(change, person.person, "account:1")
    view = await page(scene, number)
    assert view.seal.whole
    assert "My name is in here" not in repr(view)
    assert (await answers(scene).queue(MARA, ALL)).groups[0].rows[0].title == "(erased)"


async def test_a_solved_ticket_says_what_solved_it_and_how_sure_that_is(scene: Scene) -> None:
    number = await scene.tell(1, "The label printer is dead")
    await scene.desk.close(MARA, [Seen(number)], "Paper was out")
    view = await page(scene, number)
    assert "Paper was out" in view.closed_says and "assumed" in view.closed_says
    assert not view.open and view.offers == ()
    ended = await answers(scene).queue(MARA, Ask("ended"))
    assert [row.number for row in ended.groups[0].rows] == [number]


async def test_a_row_that_left_the_view_says_what_became_of_it(scene: Scene) -> None:
    one, two, three = [await scene.tell(n, f"Printer {n} is dead") for n in (1, 2, 3)]
    await scene.desk.close(MARA, [Seen(one)], "")
    await scene.desk.join(MARA, [Seen(two)], three)
    rows = {row.number: row.gone for row in await answers(scene).rows(MARA, ALL, [one, two, three])}
    assert rows == {one: "solved", two: f"joined to T-{three}", three: ""}
    assert await answers(scene).fresh(MARA, ALL, [one, two, three]) == (three,)


async def test_a_new_firing_is_not_in_a_view_that_it_does_not_belong_to(scene: Scene) -> None:
    number = await scene.tell(1, "Printer is dead")
    assert await answers(scene).fresh(MARA, Ask("mine"), [number]) == ()
    await scene.desk.correct(MARA, [Seen(number)], {"assignee": "account:1"})
    assert await answers(scene).fresh(MARA, Ask("mine"), [number]) == (number,)
    assert (await answers(scene).rail(MARA)).views[2].count == 1


async def with_fix(scene: Scene, state: str, **values: Any) -> int:
    """A ticket of a device with a fix in this state; the number of the ticket."""
    number = await scene.tell(1, "The disk of the print server is full")
    async with scene.house.store.change() as change:
        found = (await change.connection.execute(device.select())).one()
        await change.connection.execute(device.update().values(public_key=b"k" * 32, seen_at=change.at))
        known = await tickets.load(change.connection, number)
        await reports.update(change.connection, known.report, device=found.id)
        params = {"mount": "/var"}
        made = await fixes.add(
            change, number, found.id, "free_disk_space", params, [["disk full", 100, "rule"]], "rule:fix"
        )
        await fixes.update(change, made, state=state, **values)
    return number


PLAN: Mapping[str, Any] = {
    "kind": "plan",
    "hash": "ab" * 32,
    "plan": {
        "steps": [
            {
                "says": "Delete 2 old files below /var/cache",
                "commands": [],
                "bytes": 1_200_000_000,
                "files": [{"path": "/var/cache/a.log", "bytes": 700_000_000}, {"path": "/var/cache/b", "bytes": 5}],
            }
        ]
    },
}


def check(percent: int, passed: bool) -> dict[str, Any]:
    says = f"{percent} % of /var is free."
    return {"kind": "check", "measured": [{"passed": passed, "says": says, "values": {"free_percent": percent}}]}


async def test_a_planned_fix_shows_each_effect_and_asks_for_exactly_this_plan(scene: Scene) -> None:
    number = await with_fix(scene, "planned", plan=PLAN, plan_hash="ab" * 32, before=check(3, False))
    view = await page(scene, number)
    (shown,) = view.fixes
    assert (shown.state, shown.plan_hash, shown.device) == ("waits", "ab" * 32, "lds-print-02")
    assert [each.phase for each in shown.steps] == ["Before", "Do"]
    assert shown.steps[1].value == "1200.0 MB" and "/var/cache/a.log (700.0 MB)" in shown.steps[1].small
    assert "no way back" in shown.way_back and view.offers == ()
    row = (await answers(scene).queue(MARA, ALL)).groups[0].rows[0]
    assert row.chips[0].text == "fix waits"


async def test_a_fix_that_held_shows_before_and_after(scene: Scene) -> None:
    number = await with_fix(scene, "held", plan=PLAN, before=check(3, False), after=check(41, True))
    (shown,) = (await page(scene, number)).fixes
    assert shown.state == "held" and shown.chip.state == "good"
    (change,) = shown.changes
    assert (change.before, change.after, change.state) == ("3%", "41%", "ok")
    seen = await answers(scene).device(MARA, "lds-print-02")
    assert seen.runs[0].chip.text == "held" and seen.tickets[0].number == number


async def test_a_fix_that_did_not_help_says_so_and_others_are_offered(scene: Scene) -> None:
    number = await with_fix(scene, "undone", says="The check failed; the old state is back.", after=check(4, False))
    view = await page(scene, number)
    assert view.fixes[0].chip.text == "put back" and "old state is back" in view.fixes[0].says
    assert {each.action for each in view.offers} == {"free_disk_space", "restart_service"}
    assert all(each.device == "lds-print-02" for each in view.offers)


async def test_broken_or_strange_device_data_never_breaks_a_page(scene: Scene) -> None:
    strange: list[Any] = [
        None,
        {},
        {"disks": "x"},
        {"disks": [{"free_percent": None}], "memory": {"total": 0}},
        {"cpu": []},
    ]
    for odd in strange:
        number = await with_fix(
            scene, "planned", plan={"plan": {"steps": [{"files": [1], "commands": "x"}]}}, before=odd
        )
        async with scene.house.store.change() as change:
            await change.connection.execute(device.update().values(status=odd))
            values = {"ticket": number, "kind": "telemetry", "title": "lds-print-02", "body": {"telemetry": odd}}
            await change.connection.execute(evidence.insert().values(**values, observed_at=change.at, at=change.at))
        assert (await page(scene, number)).row.number == number
        assert (await answers(scene).device(MARA, "lds-print-02")).row.name == "lds-print-02"
        assert (await answers(scene).devices(MARA, "look", "", "")).rows is not None
        async with scene.house.store.change() as change:
            await change.connection.execute(fix.update().values(state="refused"))


async def test_the_palette_and_the_merge_dialog_find_by_words(scene: Scene) -> None:
    scene.model.joins = {"labels": 1}
    one = await scene.tell(1, "The labels do not print", "No labels")
    two = await scene.tell(2, "No labels here either", "Labels dead")
    found = await answers(scene).find(MARA, "labels")
    assert {each.href for each in found} == {f"/tickets/{one}", f"/tickets/{two}"}
    assert (await answers(scene).find(MARA, "print-02"))[0].href == "/devices/lds-print-02"
    likely = await answers(scene).merge(MARA, [two], "")
    assert (likely.found[0].number, likely.found[0].percent) == (one, 90)
    assert two not in [each.number for each in likely.found]


async def test_a_company_that_was_not_loaded_yet_breaks_nothing(scene: Scene) -> None:
    async with scene.house.store.engine.begin() as connection:
        await connection.execute(text("DELETE FROM company"))
    assert (await answers(scene).queue(MARA, ALL)).empty is not None
    assert (await answers(scene).setup(MARA)).company_counts == ()
    assert (await answers(scene).portal(None)).company == ""


async def test_hooks_are_shown_with_the_address_that_others_reach_us_by(scene: Scene) -> None:
    admin = Who(1, "Mara", "mara@aldermoor.example", "admin")
    made = await scene.desk.add_channel(admin, "alertmanager", {})
    row = next(each for each in (await answers(scene).setup(MARA)).channels if each.name == "alertmanager")
    assert row.address == f"https://help.example.org{made.path}"
    assert row.light.state == "warn"
    assert json.dumps(row.settings) is not None


async def test_the_link_in_an_answer_opens_the_reporters_own_page(scene: Scene) -> None:
    house = replace(scene.house, public_url="https://help.example.org")
    desk = TheDesk(house)
    number = await scene.tell(1, "The label printer is dead")
    await desk.close(MARA, [Seen(number)], "Paper was out")
    mine = await answers(scene).request(1, "/portal/requests/k")
    told = mine.messages[-1].text
    assert "https://help.example.org/portal/requests/" in told
    key = told.split("/portal/requests/")[1].split()[0].rstrip(".")
    assert read_key(bytes.fromhex(house.secrets["token_key"]), key) == 1
