"""Sorts reports: asks the model outside of any transaction, then writes what was decided, guarded by the version."""

from dataclasses import dataclass

from quell.core.errors import Refused, TryAgain
from quell.core.event import Json
from quell.core.reading import JoinOption, Proposal, Reading, Reason
from quell.core.ticket import lasting, reasons_json
from quell.journey import tasks
from quell.journey.house import House
from quell.journey.mind import Asked
from quell.journey.triage import joins
from quell.journey.triage.decide import FieldDecision, GateNow, Sorted, decide
from quell.store import gates, incidents, proposals, reports, tickets
from quell.store.change import Change
from quell.store.jobs import Job
from quell.store.proposals import Decided
from quell.store.reports import Report

ATTEMPTS_MAX = 4
REASONS_KEPT_MAX = 8
RULE = "rule:triage"


@dataclass(frozen=True)
class Answered:
    """What triage said about one message: the reading and what was decided, for whoever replays."""

    reading: Reading
    decided: Sorted
    report: Report


async def sort(house: House, report: int, message: int) -> Answered | None:
    """Sort one report; safe to run twice. None when it opened no ticket."""
    for _ in range(ATTEMPTS_MAX):
        async with house.store.read() as connection:
            known = await reports.load(connection, report)
            if known.ticket is None:
                return None
            before = await tickets.load(connection, known.ticket)
            asked = await house.mind.ask(connection, message, known.ticket, house.store.clock())
            gate = GateNow(*await gates.now(connection, house.mind.model.version))
            ceilings = await gates.ceilings(connection)
            old = await _same_identity(house, known)
            await house.mind.ready(connection)
        reading = await house.mind.propose(asked)
        decided = decide(reading, before, gate, ceilings, muted=bool(known.muted), same_identity=old)
        try:
            await _save(house, known, message, before.version, asked, reading, decided)
        except Refused as refused:
            if refused.code != "changed_meanwhile":
                raise
            continue
        return Answered(reading, decided, known)
    raise TryAgain(f"report {report} changed {ATTEMPTS_MAX} times while it was sorted")


async def _same_identity(house: House, known: Report) -> int | None:
    """The ticket of the earlier firing of the same identity, if it counts as the same problem still."""
    if known.follows is None or known.identity is None:
        return None
    async with house.store.read() as connection:
        earlier = await reports.load(connection, known.follows)
        if earlier.ticket is None or earlier.over_at is None or known.at - earlier.over_at > house.same_problem_for:
            return None
        return await incidents.root_of(connection, earlier.ticket)


async def _save(
    house: House, known: Report, message: int, version: int, asked: Asked, reading: Reading, decided: Sorted
) -> None:
    assert known.ticket is not None
    actor = f"model:{reading.model}/{reading.version}"
    async with house.store.change() as change:
        body: dict[str, Json] = {"impact": reading.impact, "urgency": reading.urgency, "kind": reading.kind.value}
        await tickets.record(change, known.ticket, "ticket_assessed", actor, body, expect_version=version)
        await reports.update(change.connection, known.number, kind=reading.kind.value)
        await _save_fields(change, known, asked, reading, decided, actor)
        if decided.noise:
            await tickets.record(change, known.ticket, "noise_set", actor, {"noise": True})
        await _save_join(change, known, asked, reading, decided, actor)
        await _look_again(change, asked, reading)
        await _save_decisions(change, known, reading, decided)
        await mark_sure(change, known.ticket, reading.sure, decided)
        root = await incidents.root_of(change.connection, known.ticket)
        await joins.settle(change, root)
        if not decided.noise:
            # In a storm everything is sorted first; evidence is gathered when the queue has caught up.
            change.later(Job(tasks.EXAMINE, {"number": known.ticket}, behind=True))


async def _save_fields(
    change: Change, known: Report, asked: Asked, reading: Reading, decided: Sorted, actor: str
) -> None:
    for each in decided.fields:
        if each.proposal.value is not None:
            await _save_field(change, known, asked, reading, each, actor)


async def _save_field(
    change: Change, known: Report, asked: Asked, reading: Reading, each: FieldDecision, actor: str
) -> None:
    assert known.ticket is not None
    made = each.proposal
    number = await proposals.add(
        change, known.ticket, known.number, made, reading.sure, reading.model, reading.version, asked.digest
    )
    body: dict[str, Json] = {
        "field": made.field,
        "value": made.value,
        "by": "model",
        "confidence": round(made.confidence, 6),
        "reasons": reasons_json(lasting(made.reasons[:REASONS_KEPT_MAX])),
        "proposal": number,
        "input": asked.digest.hex(),
        "why": each.why,
    }
    await tickets.record(change, known.ticket, "field_set" if each.apply else "proposal_made", actor, body)
    if each.apply:
        await proposals.decide(change, number, "applied", actor)


async def _save_join(
    change: Change, known: Report, asked: Asked, reading: Reading, decided: Sorted, actor: str
) -> None:
    assert known.ticket is not None
    into = decided.join.into
    if into is None or into == known.ticket:
        await joins.maybe(change, known.ticket, None)
        await incidents.regather(change, known.ticket)
        return
    option = next((each for each in reading.joins if each.ticket == into), JoinOption(into, 1.0))
    reasons = option.reasons or (Reason(decided.join.why, 100.0, "rule"),)
    if decided.join.apply:
        await incidents.regather(change, known.ticket)
        by = actor if option.reasons else RULE
        await joins.join(change, known.ticket, into, by, round(option.chance, 6), lasting(reasons[:REASONS_KEPT_MAX]))
        return
    await _suggest_join(change, known.ticket, known.number, into, option.chance, reasons, asked, reading)
    await incidents.regather(change, known.ticket)


async def _suggest_join(
    change: Change,
    number: int,
    report: int,
    into: int,
    chance: float,
    reasons: tuple[Reason, ...],
    asked: Asked,
    reading: Reading,
) -> None:
    into_now = await joins.maybe(change, number, into)
    if into_now is None:
        return
    made = Proposal("join", str(into_now), chance, reasons)
    stored = await proposals.add(
        change, number, report, made, reading.sure, reading.model, reading.version, asked.digest
    )
    body: dict[str, Json] = {
        "field": "join",
        "value": str(into_now),
        "by": "model",
        "confidence": round(chance, 6),
        "reasons": reasons_json(lasting(reasons[:REASONS_KEPT_MAX])),
        "proposal": stored,
    }
    await tickets.record(change, number, "proposal_made", f"model:{reading.model}/{reading.version}", body)


async def _look_again(change: Change, asked: Asked, reading: Reading) -> None:
    """Young tickets that, after this message, look like one problem: asked about, never joined by themselves."""
    for number, into, chance in reading.second_look:
        state = await tickets.take(change, number)
        if (
            state.joined_to is not None
            or not state.is_open
            or await proposals.settled(change.connection, number, "join")
        ):
            continue
        reason = (Reason("what came since makes it look like one problem", chance * 100, "second look"),)
        await _suggest_join(change, number, state.report, into, chance, reason, asked, reading)
        await tickets.update(change.connection, number, needs_yes=True)
        await incidents.regather(change, number)


async def _save_decisions(change: Change, known: Report, reading: Reading, decided: Sorted) -> None:
    assert known.ticket is not None
    made = [
        Decided(each.proposal.field, each.proposal.value, each.proposal.confidence, each.apply)
        for each in decided.fields
    ]
    place = decided.join.into
    made.append(Decided("place", str(place) if place else None, reading.place_confidence, decided.join.apply))
    made.append(Decided(gates.JOINT, None, reading.sure, decided.automatic))
    await proposals.add_decisions(
        change, known.ticket, known.number, made, reading.model, reading.version, decided.audit
    )


async def mark_sure(change: Change, number: int, sure: float, decided: Sorted) -> None:
    """Write how sure the model is of the whole ticket, and whether somebody has to say yes."""
    needs_yes = not decided.automatic and not decided.noise
    await tickets.update(change.connection, number, sure=sure, needs_yes=needs_yes)


async def hear_reply(house: House, report: int, message: int, automatic: bool) -> Reading | None:
    """Take a reporter's reply: words go to his report; thanks and absences stir nothing, anything else does."""
    async with house.store.read() as connection:
        known = await reports.load(connection, report)
        if known.ticket is None:
            return None
        asked = await house.mind.ask(connection, message, known.ticket, house.store.clock())
        await house.mind.ready(connection)
    reading = await house.mind.propose(asked)
    noise = automatic or reading.kind.value == "noise"
    async with house.store.change() as change:
        await reports.mark_kind(change.connection, message, "noise" if noise else str(reading.kind.value))
        if not noise:
            body: dict[str, Json] = {"report": report, "message": message}
            await tickets.record(change, known.ticket, "reporter_replied", f"person:{known.person}", body)
            await joins.stir(change, known.ticket, f"person:{known.person}")
    return reading
