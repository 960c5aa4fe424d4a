"""The whole page of one ticket, put together from its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.priority import DEFAULT_MATRIX, IMPACTS, URGENCIES, Crowd, crowd_impact
from quell.core.ticket import Ticket
from quell.seams import Action
from quell.store import evidence, incidents, nearby, proposals, queue, tickets
from quell.store.evidence import Evidence
from quell.store.queue_rows import QueueRow
from quell.store.seals import sealed_stream
from quell.store.tables import device, report, ticket
from quell.web.desk import Who
from quell.web.reading import evidence as found_out
from quell.web.reading.fixing import fix_views, offers
from quell.web.reading.joined import Member, by_channel, joined, members, taken_out
from quell.web.reading.names import Names, source, with_actors
from quell.web.reading.queue import LABELS, one_raw, wanted
from quell.web.reading.rows import clock, percent, reasons, row_view
from quell.web.reading.talk import reaches, talk_view
from quell.web.reading.timeline import PROOFS, actors, entries, seal
from quell.web.reads import Ask
from quell.web.views.signs import Chip, Clock, Moment, Source
from quell.web.views.ticket import Bars, DueLine, Field, Matrix, Opinion, TicketView
from quell.web.words import left, moment, several, when

FIELDS = ("category", "priority", "owner", "assignee")
STATUSES = {
    "new": "New",
    "open": "In hand",
    "waiting": "Waiting for the reporter",
    "resolved": "Solved",
    "closed": "Closed",
}
INCIDENT_REPORTS_MIN = 3
BARS_MIN, BARS_MAX = 3, 36
UNITS = (
    (60, "minute"),
    (300, "5 minutes"),
    (1800, "half hour"),
    (7200, "2 hours"),
    (43200, "half day"),
    (604800, "week"),
)


async def ticket_view(
    connection: AsyncConnection, who: Who, number: int, ask: Ask, names: Names, actions: Mapping[str, Action]
) -> TicketView:
    """Everything about one ticket, as of one moment."""
    raw = await one_raw(connection, number, names)
    state = await tickets.load(connection, number)
    sealed = await sealed_stream(connection, tickets.stream(number))
    left_ones = taken_out(sealed.events)
    found = await members(connection, number, left_ones)
    inside = [each for each in found if each.root == number]
    names = await with_actors(connection, names, actors(sealed.events))
    numbers = await incidents.members_of(connection, number)
    proof = await evidence.of_tickets(connection, numbers)
    fixes = await fix_views(connection, numbers, actions, names)
    before, after, place = await queue.neighbours(connection, wanted(who, ask, names), number)
    total = len(inside)
    row = replace(row_view(raw, names), chips=tuple(each for each in row_view(raw, names).chips if each.state))
    return TicketView(
        row=row,
        status=_status(raw, names),
        status_says=raw.status,
        open=raw.open,
        opened=moment(state.opened, names.now, names.zone),
        reports=raw.reports,
        people=len({each.person for each in inside if each.person is not None and not each.noise}),
        machines=len([each for each in inside if each.person is None and not each.noise]),
        sites=len({each.site for each in inside if each.site and not each.noise}),
        fields=await _fields(connection, raw, names),
        joined=await joined(connection, number, found, left_ones, names),
        talk=await talk_view(connection, inside, None, names),
        entries=entries(sealed, names, _opener(found, number)),
        seal=seal(sealed, names),
        due=clock(raw, names),
        due_lines=await _due_lines(connection, raw, state, names),
        known=_known(inside, await by_channel(connection, number), names),
        bars=_bars(inside, names) if total >= INCIDENT_REPORTS_MIN else None,
        matrix=_matrix(raw, state, inside),
        fixes=fixes,
        offers=offers(await _hosts(connection, numbers), actions, names, fixes) if raw.open else (),
        snapshots=found_out.snapshots(proof, names),
        solved_before=found_out.solved_before(proof, names),
        open_beside=found_out.open_beside(await _still_beside(connection, proof, number), names),
        sources=await by_channel(connection, number),
        reaches=reaches(inside),
        proposal_chip=await _proposal_chip(connection, raw),
        closed_says=await _closed_says(connection, state, names),
        joined_to=raw.root if raw.joined_to is not None else None,
        own_report=state.report,
        previous=before,
        following=after,
        place=f"{place:,} of {await _count(connection, who, ask, names):,}" if place else "",
    )


def _opener(found: Sequence[Member], number: int) -> str:
    first = next((each for each in found if each.ticket == number), None)
    return (first.name or first.hostname or source(first.channel).name) if first is not None else ""


async def _count(connection: AsyncConnection, who: Who, ask: Ask, names: Names) -> int:
    page = await queue.counts(connection, wanted(who, ask, names))
    return page.teams.get(ask.team, 0) if ask.team else page.views.get(ask.view, 0)


def _status(raw: QueueRow, names: Names) -> str:
    word = "Noise, put aside" if raw.noise else STATUSES.get(raw.status, raw.status)
    if raw.joined_to is not None:
        return f"Joined to T-{raw.root}"
    if raw.reports < INCIDENT_REPORTS_MIN or not raw.open:
        return word
    heard = when(raw.heard_at, names.now, names.zone)
    quiet = names.now - raw.heard_at > timedelta(minutes=5)
    return f"Incident, quiet since {heard}" if quiet else f"Incident, last report {heard}"


async def _fields(connection: AsyncConnection, raw: QueueRow, names: Names) -> tuple[Field, ...]:
    models = {each.id: f"model {each.model}" for each in await proposals.of_ticket(connection, raw.number)}
    return tuple(_field(key, raw, names, models) for key in FIELDS)


def _field(key: str, raw: QueueRow, names: Names, models: Mapping[int, str]) -> Field:
    found = raw.shown.get(key)
    if not isinstance(found, dict) or found.get("value") is None:
        return Field(key, LABELS[key], "", "", False)
    value, guess = str(found["value"]), bool(found.get("guess"))
    at = _moment(found.get("at"), names)
    confidence = found.get("confidence")
    sure = percent(float(confidence)) if isinstance(confidence, int | float) else None
    proposal = found.get("proposal")
    model = models.get(proposal, "") if isinstance(proposal, int) else ""
    return Field(
        key=key,
        label=LABELS[key],
        value=value,
        name=_named(key, value, names),
        guess=guess,
        set_by=_set_by(found, guess, names),
        set_at=at,
        confidence=sure,
        confidence_title="How sure the model was of this one field" if sure is not None else "",
        reasons=reasons(found.get("reasons")),
        model=model,
        opinion=_opinion(raw) if key == "priority" else None,
    )


def _named(key: str, value: str, names: Names) -> str:
    if key == "assignee":
        return names.of(value) if ":" in value else value
    return {"category": names.categories, "owner": names.teams}.get(key, {}).get(value, value)


def _set_by(found: Mapping[str, Any], guess: bool, names: Names) -> str:
    if guess:
        return "Quell’s guess, not set yet"
    by, actor = str(found.get("by")), str(found.get("actor") or "")
    if by == "person":
        return f"set by {names.of(actor)}"
    return "set by a rule" if by == "rule" else "set by Quell itself, the gate is open for this"


def _opinion(raw: QueueRow) -> Opinion | None:
    found = raw.other
    return Opinion(str(found["value"]), None) if isinstance(found, dict) and found.get("value") else None


def _moment(text: object, names: Names) -> Moment | None:
    return moment(datetime.fromisoformat(text), names.now, names.zone) if isinstance(text, str) else None


async def _due_lines(connection: AsyncConnection, raw: QueueRow, state: Ticket, names: Names) -> tuple[DueLine, ...]:
    query = select(ticket.c.due_because).where(ticket.c.number == raw.number)
    because = (await connection.execute(query)).scalar_one()
    made = []
    if raw.first_answer_due is not None:
        made.append(_answer_line(raw, state, names))
    if raw.due_at is not None and raw.open:
        solution = left(raw.due_at, names.now, names.zone, "Solution")
        made.append(
            DueLine("Solution", f"by {when(raw.due_at, names.now, names.zone)}, {solution.text}", _tone(solution))
        )
    if because:
        made.append(DueLine("Because", because))
    return tuple(made)


def _answer_line(raw: QueueRow, state: Ticket, names: Names) -> DueLine:
    assert raw.first_answer_due is not None
    by = when(raw.first_answer_due, names.now, names.zone)
    if state.first_answer is not None:
        kept = state.first_answer <= raw.first_answer_due
        given = when(state.first_answer, names.now, names.zone)
        return DueLine(
            "First answer", f"given {given}, {'in time' if kept else f'due was {by}'}", "good" if kept else "bad"
        )
    if not raw.open:
        return DueLine("First answer", "none was needed")
    answer = left(raw.first_answer_due, names.now, names.zone, "First answer")
    return DueLine("First answer", f"by {by}, {answer.text}", _tone(answer))


def _tone(clock_now: Clock) -> str:
    return {"soon": "warn", "over": "bad"}.get(clock_now.state, "")


def _known(inside: Sequence[Member], channels: Sequence[tuple[Source, int]], names: Names) -> tuple[str, ...]:
    if len(inside) < 2:
        return ()
    first, last = inside[0], max(inside, key=lambda each: each.at)
    begin, end = (when(each.at, names.now, names.zone) for each in (first, last))
    ways = ", ".join(f"{count} by {one.name}" for one, count in channels)
    many = f" {ways}." if len(channels) > 1 else ""
    said = [f"The first report came {begin} by {source(first.channel).name}, the last {end}.{many}"]
    places = [names.sites.get(key, key) for key in dict.fromkeys(each.site for each in inside if each.site)]
    if places:
        said.append(f"Reported from {', '.join(places[:8])}{' and others' if len(places) > 8 else ''}.")
    return tuple(said)


def _bars(inside: Sequence[Member], names: Names) -> Bars | None:
    times = sorted(each.at for each in inside)
    whole = (times[-1] - times[0]).total_seconds()
    length, unit = next(((s, u) for s, u in UNITS if whole / s <= BARS_MAX - 1), UNITS[-1])
    begin = times[0].timestamp() // length * length
    counts: dict[int, int] = {}
    for each in times:
        place = int((each.timestamp() - begin) // length)
        counts[place] = counts.get(place, 0) + 1
    if len(counts) < BARS_MIN:
        return None
    slots, top = max(max(counts) + 1, 12), max(counts.values())
    width = 716 / slots
    bars = tuple(
        (round(n * width + 1, 1), round(68 - 60 * count / top, 1), round(max(2.0, width - 4), 1),
         round(60 * count / top, 1), several(count, "report"))
        for n, count in sorted(counts.items())
    )  # fmt: skip
    ends = times[0] + timedelta(seconds=slots * length)
    first, last, end = (when(each, names.now, names.zone) for each in (times[0], times[-1], ends))
    return Bars(bars, ((0.0, first), (716.0, end)), f"{several(len(times), 'report')} from {first} to {last}", unit)


def _matrix(raw: QueueRow, state: Ticket, inside: Sequence[Member]) -> Matrix | None:
    shown = raw.shown.get("priority")
    if not isinstance(shown, dict) or not shown.get("value"):
        return None
    real = [each for each in inside if not each.noise]
    crowd = Crowd(
        len(real), len({each.person for each in real if each.person is not None}),
        len([each for each in real if each.person is None]), len({each.site for each in real if each.site}),
    )  # fmt: skip
    own = next((each for each in IMPACTS if each == state.impact), "one")
    widest = max(own, crowd_impact(crowd), key=IMPACTS.index)
    urgency = next((each for each in URGENCIES if each == state.urgency), "medium")
    rows = tuple((each, tuple(DEFAULT_MATRIX[each][one] for one in URGENCIES)) for each in reversed(IMPACTS))
    by_person = shown.get("by") == "person"
    at = None if by_person else (URGENCIES.index(urgency), len(IMPACTS) - 1 - IMPACTS.index(widest))
    if at is not None and rows[at[1]][1][at[0]] != shown["value"]:
        return None  # The model read more than the matrix knows; its reasons stand beside the field.
    first = reasons(shown.get("reasons"))
    says = first[0].says if first else f"impact {widest}, urgency {urgency}"
    return Matrix(tuple(URGENCIES), rows, at, "A person set it, whatever the matrix says." if by_person else says)


async def _still_beside(connection: AsyncConnection, proof: Sequence[Evidence], number: int) -> list[Evidence]:
    """What was open beside it then and is so still: what was joined here or has ended since is left out."""
    beside = [each for each in proof if each.kind == "nearby" and isinstance(each.body.get("ticket"), int)]
    query = select(ticket.c.number).where(
        ticket.c.number.in_([each.body["ticket"] for each in beside]), ticket.c.open, ticket.c.root != number
    )
    still = {row.number for row in await connection.execute(query)}
    return [each for each in beside if each.body["ticket"] in still]


async def _hosts(connection: AsyncConnection, numbers: Sequence[int]) -> list[str]:
    query = (
        select(device.c.hostname)
        .join(report, report.c.device == device.c.id)
        .join(ticket, ticket.c.report == report.c.number)
        .where(ticket.c.number.in_(numbers), device.c.public_key.is_not(None), device.c.revoked_at.is_(None))
        .distinct()
        .order_by(device.c.hostname)
        .limit(4)
    )
    return [row.hostname for row in await connection.execute(query)]


async def _proposal_chip(connection: AsyncConnection, raw: QueueRow) -> Chip | None:
    decided = [each.state for each in await proposals.of_ticket(connection, raw.number)]
    taken, changed = decided.count("accepted") + decided.count("applied"), decided.count("corrected")
    if raw.proposed and raw.needs_yes:
        sure = percent(raw.sure)
        return (
            Chip(f"{sure}% sure", "guess", "guess", "The chance that all of it is right") if sure is not None else None
        )
    if not taken and not changed:
        return None
    parts = [f"{taken} taken" if taken else "", f"{changed} changed" if changed else ""]
    return Chip(", ".join(part for part in parts if part), "", "check")


async def _closed_says(connection: AsyncConnection, state: Ticket, names: Names) -> str:
    if state.closure is None or state.is_open:
        return ""
    end = await nearby.ending(connection, state.number)
    by = names.of(state.closure.by)
    at = when(state.closure.at, names.now, names.zone)
    proof = PROOFS.get(state.closure.proof, state.closure.proof)
    helped = f" What solved it: {end.solved_by}" if end.solved_by else ""
    return f"{by} marked it solved, {at}; {proof}.{helped}"
