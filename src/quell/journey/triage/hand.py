"""What a person decides about a ticket: said yes to, corrected, joined, taken out; every word of it teaches."""

from collections.abc import Mapping

from quell.core.errors import Refused
from quell.core.event import Json
from quell.core.reading import Correction
from quell.core.ticket import Ticket
from quell.journey import tasks
from quell.journey.triage import joins
from quell.store import companies, incidents, nearby, proposals, reports, tickets
from quell.store.change import Change
from quell.store.jobs import Job
from quell.store.ticket_form import value_json

FIELDS = ("category", "owner", "priority", "assignee")
Step = Mapping[str, Json]


async def accept(change: Change, number: int, actor: str, version: int | None = None) -> list[Step]:
    """Say yes to every open proposal of a ticket; the steps that take it back."""
    connection = change.connection
    if version is not None:
        await check_version(change, number, version)
    steps: list[Step] = []
    into: int | None = None
    for each in await proposals.of_ticket(connection, number, open_only=True):
        if each.field == "join" and each.value is not None:
            into = int(each.value)
            continue
        if each.value is not None:
            steps.append(await set_field(change, number, each.field, each.value, actor, each.id))
            await proposals.decide(change, each.id, "accepted", actor)
    if into is not None:
        steps.append(await join(change, number, into, actor))
    if not steps:
        raise Refused(f"ticket {number} has no open proposal", 409, "nothing_to_accept")
    await said(change, number, actor)
    return steps


async def correct(
    change: Change, number: int, values: Mapping[str, str | None], actor: str, version: int | None = None
) -> list[Step]:
    """Set fields by a person's word; the steps that take it back. Refused (422) for what is in no live list."""
    if version is not None:
        await check_version(change, number, version)
    company = await companies.current(change.connection)
    steps = []
    for name, value in values.items():
        if name not in FIELDS:
            raise Refused(f"a ticket has no field {name}", 422, "no_such_field")
        if value is not None and company is not None:
            _check_live(name, value, company.categories, company.teams)
        steps.append(await set_field(change, number, name, value, actor))
    for each in await proposals.of_ticket(change.connection, number, open_only=True):
        if each.field in values:
            same = each.value == values[each.field]
            await proposals.decide(change, each.id, "accepted" if same else "corrected", actor)
    await said(change, number, actor)
    return steps


def _check_live(name: str, value: str, categories: tuple[object, ...], teams: tuple[object, ...]) -> None:
    live = {
        "category": {str(getattr(each, "key", "")) for each in categories},
        "owner": {str(getattr(each, "key", "")) for each in teams},
        "priority": {"P1", "P2", "P3", "P4"},
    }.get(name)
    if live is not None and value not in live:
        raise Refused(f"{value!r} is no {name} of this company", 422, "not_in_list")


async def set_field(
    change: Change, number: int, name: str, value: str | None, actor: str, proposal: int | None = None
) -> Step:
    """Set one field by a person's word; the step that takes it back."""
    before = await tickets.take(change, number)
    body: dict[str, Json] = {"field": name, "value": value, "by": "person", "proposal": proposal}
    after = await tickets.record(change, number, "field_set", actor, body)
    return {"step": "field", "ticket": number, "field": name, "version": after.version, "before": _before(before, name)}


def _before(ticket: Ticket, name: str) -> Json:
    value, opinion = ticket.fields.get(name), ticket.opinions.get(name)
    return {"value": value_json(value) if value else None, "opinion": value_json(opinion) if opinion else None}


async def join(change: Change, number: int, into: int, actor: str) -> Step:
    """Join by a person's word; the step that takes it back."""
    root = await joins.join(change, number, into, actor, 1.0)
    for each in await proposals.of_ticket(change.connection, number, open_only=True):
        if each.field == "join":
            same = each.value is not None and await incidents.root_of(change.connection, int(each.value)) == root
            await proposals.decide(change, each.id, "accepted" if same else "corrected", actor)
    await teach_place(change, number, root, actor)
    return {"step": "join", "ticket": number}


async def leave(change: Change, number: int, actor: str) -> Step:
    """Take a ticket out of the one that it is joined to; the step that takes it back."""
    root = await joins.leave(change, number, actor)
    await teach_place(change, number, None, actor)
    return {"step": "leave", "ticket": number, "into": root}


async def keep_apart(change: Change, number: int, actor: str) -> None:
    """Say no to a join that was only asked about."""
    for each in await proposals.of_ticket(change.connection, number, open_only=True):
        if each.field == "join":
            await proposals.decide(change, each.id, "rejected", actor)
    await tickets.record(change, number, "proposal_rejected", actor, {"field": "join"})
    await joins.maybe(change, number, None)
    await teach_place(change, number, None, actor)
    await incidents.regather(change, number)


async def keep(change: Change, number: int, actor: str) -> None:
    """Say that a join is right."""
    root = await incidents.root_of(change.connection, number)
    await teach_place(change, number, root if root != number else None, actor)


async def teach_place(change: Change, number: int, root: int | None, actor: str) -> None:
    """Tell the learners where a ticket's report belongs: to another ticket, or alone."""
    state = await tickets.load(change.connection, number)
    first = await nearby.first_message(change.connection, state.report)
    if first is None:
        return
    word = Correction(at=change.at, ticket=root, standing_alone=root is None)
    await proposals.teach(change, first, state.report, word, actor)
    await proposals.check(change, state.report, "place", str(root) if root is not None else None)
    await proposals.check_joint(change, state.report)
    change.later(Job(tasks.REVIEW_GATE, {}, only_once=tasks.REVIEW_GATE))


async def said(change: Change, number: int, actor: str) -> None:
    """After a person has sorted a ticket: teach what now stands, count for or against what was decided."""
    connection = change.connection
    state = await tickets.load(connection, number)
    root = await incidents.root_of(connection, number)
    shown = await tickets.load(connection, root)
    first = await nearby.first_message(connection, state.report)
    if first is None:
        return
    values = {name: state.value(name) or shown.value(name) for name in ("category", "owner", "priority")}
    place = root if root != number else None
    word = Correction(at=change.at, ticket=place or number, standing_alone=place is None, **values)
    await proposals.teach(change, first, state.report, word, actor)
    for name, value in values.items():
        if value is not None:
            await proposals.check(change, state.report, name, value)
    await proposals.check(change, state.report, "place", str(place) if place is not None else None)
    await proposals.check_joint(change, state.report)
    await tickets.update(connection, number, needs_yes=False)
    await tickets.update(connection, root, needs_yes=False)
    await incidents.regather(change, root)
    change.later(Job(tasks.REVIEW_GATE, {}, only_once=tasks.REVIEW_GATE))


async def take_back(change: Change, step: Step, actor: str) -> None:
    """Undo one step; Refused (409) when later work stands on it."""
    number = _number(step, "ticket")
    if step["step"] == "join":
        await joins.leave(change, number, actor)
    elif step["step"] == "leave":
        await joins.join(change, number, _number(step, "into"), actor, 1.0)
    elif step["step"] == "field":
        await _take_back_field(change, number, step, actor)
    else:
        raise Refused("this cannot be taken back", 409, "no_undo")
    await tickets.update(change.connection, number, needs_yes=True)
    await incidents.regather(change, await incidents.root_of(change.connection, number))


async def _take_back_field(change: Change, number: int, step: Step, actor: str) -> None:
    name, before = str(step["field"]), step["before"]
    assert isinstance(before, dict)
    value, opinion = before["value"], before["opinion"]
    await tickets.record(change, number, "field_released", actor, {"field": name})
    if isinstance(value, dict):
        await tickets.record(change, number, "field_set", actor, {**_body(value), "field": name})
    if isinstance(opinion, dict):
        await tickets.record(change, number, "proposal_made", actor, {**_body(opinion), "field": name})
        proposal = opinion.get("proposal")
        if isinstance(proposal, int):
            await proposals.decide(change, proposal, "open", actor)


def _body(value: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value[key] for key in ("value", "by", "actor", "confidence", "reasons", "proposal")}


async def check_version(change: Change, number: int, version: int) -> None:
    """Raise Refused (409) when a ticket is no longer as the person saw it."""
    now = await tickets.take(change, number)
    if now.version != version:
        raise Refused(f"ticket {number} has changed since you saw it", 409, "changed_meanwhile")


def _number(step: Step, key: str) -> int:
    value = step[key]
    if not isinstance(value, int):
        raise Refused("this cannot be taken back", 409, "no_undo")
    return value


async def of_report(change: Change, report: int) -> int:
    """The ticket of a report; Refused (404) when it opened none."""
    known = await reports.load(change.connection, report)
    if known.ticket is None:
        raise Refused(f"report {report} has no ticket", 404, "no_ticket")
    return known.ticket
