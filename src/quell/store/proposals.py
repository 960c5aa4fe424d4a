"""Proposals, the decisions made on them and the corrections that teach: everything the gate's evidence rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.reading import Correction, Proposal
from quell.core.ticket import reasons_json
from quell.store.change import Change
from quell.store.tables import correction, decision, proposal

JOINT = "all"
CORRECTIONS_LOCK = 0x4C4541524E  # "LEARN": corrections commit in the order of their ids.


@dataclass(frozen=True)
class Stored:
    """A proposal as it was stored."""

    id: int
    ticket: int
    report: int
    field: str
    value: str | None
    confidence: float
    reasons: list[list[object]]
    ranked: list[list[object]]
    sure: float
    model: str
    version: str
    state: str
    at: datetime
    decided_by: str | None = None


@dataclass(frozen=True)
class Taught:
    """A correction with the message it is about, in the order in which learners must take them."""

    id: int
    message: int
    report: int
    correction: Correction


async def add(
    change: Change,
    ticket: int,
    report: int,
    made: Proposal,
    sure: float,
    model: str,
    version: str,
    input_digest: bytes,
) -> int:
    """Store a proposal; an older open one for the same field of the same ticket is superseded."""
    connection = change.connection
    old = proposal.update().where(
        proposal.c.ticket == ticket, proposal.c.field == made.field, proposal.c.state == "open"
    )
    await connection.execute(old.values(state="superseded", decided_at=change.at))
    values = {
        "ticket": ticket,
        "report": report,
        "field": made.field,
        "value": made.value,
        "confidence": made.confidence,
        "reasons": reasons_json(made.reasons),
        "ranked": [[value, round(chance, 6)] for value, chance in made.ranked],
        "sure": sure,
        "model": model,
        "version": version,
        "input_digest": input_digest,
        "state": "open",
        "at": change.at,
    }
    query = proposal.insert().values(values).returning(proposal.c.id)
    return int((await connection.execute(query)).scalar_one())


async def decide(change: Change, number: int, state: str, actor: str) -> None:
    """Say what became of a proposal: `accepted`, `corrected`, `applied`, `rejected`."""
    values = {"state": state, "decided_by": actor, "decided_at": change.at}
    await change.connection.execute(proposal.update().where(proposal.c.id == number).values(values))


async def of_ticket(connection: AsyncConnection, ticket: int, *, open_only: bool = False) -> list[Stored]:
    """The proposals of a ticket, newest first."""
    query = select(proposal).where(proposal.c.ticket == ticket).order_by(proposal.c.id.desc())
    rows = await connection.execute(query.where(proposal.c.state == "open") if open_only else query)
    names = tuple(Stored.__dataclass_fields__)
    return [Stored(**{name: row._mapping[name] for name in names}) for row in rows]


async def settled(connection: AsyncConnection, ticket: int, field: str) -> bool:
    """Whether a person has decided about this field of this ticket already."""
    query = select(proposal.c.id).where(
        proposal.c.ticket == ticket,
        proposal.c.field == field,
        proposal.c.state.in_(("accepted", "corrected", "rejected")),
    )
    return (await connection.execute(query.limit(1))).one_or_none() is not None


async def teach(change: Change, message: int, report: int, said: Correction, actor: str) -> None:
    """Write down a person's word; learners take it from here, in the order of commit."""
    await change.connection.execute(select(func.pg_advisory_xact_lock(CORRECTIONS_LOCK)))
    given = {
        "kind": said.kind,
        "category": said.category,
        "owner": said.owner,
        "priority": said.priority,
        "ticket": said.ticket,
        "standing_alone": said.standing_alone,
    }
    values = {"message": message, "report": report, "said": given, "actor": actor, "at": change.at}
    await change.connection.execute(correction.insert().values(values))


async def taught_after(connection: AsyncConnection, after: int) -> list[Taught]:
    """The corrections after this id, in order."""
    query = select(correction).where(correction.c.id > after).order_by(correction.c.id)
    return [
        Taught(row.id, row.message, row.report, Correction(at=row.at, **row.said))
        for row in await connection.execute(query)
    ]


@dataclass(frozen=True)
class Decided:
    """What was decided for one field of one report, before anyone knew whether it was right."""

    field: str
    value: str | None
    confidence: float
    applied: bool


async def add_decisions(
    change: Change, ticket: int, report: int, made: Sequence[Decided], model: str, version: str, audit: bool
) -> None:
    """Write down what was decided, so that a person's later word can count for or against it."""
    rows = [
        {
            "ticket": ticket,
            "report": report,
            "field": each.field,
            "value": each.value,
            "confidence": each.confidence,
            "applied": each.applied,
            "audit": audit,
            "model": model,
            "version": version,
            "at": change.at,
        }
        for each in made
    ]
    if rows:
        await change.connection.execute(decision.insert(), rows)


async def check(change: Change, report: int, field: str, truth: str | None) -> None:
    """A person said what is true: the first word about a decision counts, later changes of mind do not."""
    query = decision.update().where(decision.c.report == report, decision.c.field == field, decision.c.right.is_(None))
    right = decision.c.value.is_not_distinct_from(truth)
    await change.connection.execute(query.values(right=right, checked_at=change.at))


async def forget(change: Change, report: int, field: str) -> None:
    """Nobody can say whether this was right, so it counts neither way."""
    query = decision.delete().where(decision.c.report == report, decision.c.field == field, decision.c.right.is_(None))
    await change.connection.execute(query)


async def check_joint(change: Change, report: int) -> None:
    """Once a person has said all of it: the joint decision was right when every part of it was."""
    parts = select(func.bool_and(decision.c.right), func.count(), func.count(decision.c.right)).where(
        decision.c.report == report, decision.c.field != JOINT
    )
    right, asked, answered = (await change.connection.execute(parts)).one()
    if not asked or answered < asked:
        return
    query = decision.update().where(decision.c.report == report, decision.c.field == JOINT, decision.c.right.is_(None))
    await change.connection.execute(query.values(right=right, checked_at=change.at))


async def checked(connection: AsyncConnection, field: str, limit: int) -> list[tuple[float, bool, str, bool]]:
    """The last checked decisions of a field, oldest first: (confidence, right, value, applied)."""
    query = (
        select(decision.c.confidence, decision.c.right, decision.c.value, decision.c.applied)
        .where(decision.c.field == field, decision.c.right.is_not(None))
        .order_by(decision.c.checked_at.desc(), decision.c.id.desc())
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    return [(row.confidence, row.right, row.value or "", row.applied) for row in reversed(rows)]
