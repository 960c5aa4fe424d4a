"""What a model is shown: messages with who wrote them, and the open tickets with the messages in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.company import DEFAULT_ORGANISATION
from quell.core.reading import Message, OpenTicket
from quell.store import content
from quell.store.tables import device, message, person, report, ticket

CANDIDATES_MAX = 400
OVER_FOR = timedelta(hours=12)
MEMBER_MESSAGES_MAX = 60
SOLVED_MAX = 300


@dataclass(frozen=True)
class Candidate:
    """A ticket that something may belong to: its fields now, and the ids of the messages in it, oldest first."""

    number: int
    opened: datetime
    organisation: str
    category: str | None
    owner: str | None
    priority: str | None
    over: bool
    guesses: frozenset[str]
    messages: tuple[int, ...]


async def messages(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, Message]:
    """The messages with these ids as a model sees them."""
    wanted = list(ids)
    if not wanted:
        return {}
    first = (
        select(message.c.report, func.min(message.c.id).label("first")).where(message.c.direction == "in")
    ).group_by(message.c.report)
    first_of = first.subquery()
    query = (
        select(
            message.c.id,
            message.c.at,
            message.c.subject,
            message.c.text,
            message.c.kind,
            report.c.channel,
            report.c.labels,
            report.c.identity,
            report.c.organisation,
            person.c.email,
            person.c.id.label("person"),
            device.c.hostname,
            first_of.c.first,
        )
        .join(report, report.c.number == message.c.report)
        .join(first_of, first_of.c.report == report.c.number)
        .outerjoin(person, person.c.id == func.coalesce(message.c.person, report.c.person))
        .outerjoin(device, device.c.id == report.c.device)
        .where(message.c.id.in_(wanted))
    )
    rows = (await connection.execute(query)).all()
    texts = await content.texts_of(connection, {each for row in rows for each in (row.subject, row.text) if each})
    return {row.id: _message(row, texts) for row in rows}


def _message(row: Any, texts: dict[int, str]) -> Message:
    sender = row.email or (f"person:{row.person}" if row.person is not None else None)
    return Message(
        id=str(row.id),
        at=row.at,
        channel=row.channel,
        text=texts.get(row.text, ""),
        subject=texts.get(row.subject) or None,
        sender=sender,
        device=row.hostname,
        labels=row.labels,
        reply_to=str(row.first) if row.first != row.id and row.identity is None else None,
        identity=row.identity,
        resolved=row.kind == "resolved",
        organisation=row.organisation,
    )


async def candidates(
    connection: AsyncConnection, at: datetime, besides: int, organisation: str | None
) -> list[Candidate]:
    """The tickets that something said now may belong to: open ones, and those over for a short time, newest first.

    Only tickets of the same organisation; one that is only believed to belong to another counts there.
    `besides` is left out, unless others belong to it already.
    """
    place = func.coalesce(ticket.c.maybe_into, ticket.c.root)
    root = ticket.alias("root_ticket")
    query = (
        select(
            root.c.number,
            root.c.opened_at,
            root.c.organisation,
            root.c.category,
            root.c.owner,
            root.c.priority,
            root.c.open,
            root.c.shown,
            func.array_agg(ticket.c.report).label("reports"),
        )
        .select_from(root.join(ticket, place == root.c.number))
        .where(
            root.c.organisation == (organisation or DEFAULT_ORGANISATION),
            root.c.joined_to.is_(None),
            root.c.maybe_into.is_(None),
            root.c.noise.is_(False),
            ticket.c.noise.is_(False),
            ticket.c.number != besides,
            or_(root.c.open, root.c.changed_at >= at - OVER_FOR),
        )
        .group_by(root.c.number)
        .order_by(root.c.heard_at.desc(), root.c.number.desc())
        .limit(CANDIDATES_MAX)
    )
    rows = (await connection.execute(query)).all()
    said = await _messages_of_reports(connection, {each for row in rows for each in row.reports})
    return [_candidate(row, said) for row in rows]


def _candidate(row: Any, said: dict[int, list[int]]) -> Candidate:
    ids = sorted(each for number in row.reports for each in said.get(number, ()))
    if len(ids) > MEMBER_MESSAGES_MAX:
        ids = ids[: MEMBER_MESSAGES_MAX // 2] + ids[-MEMBER_MESSAGES_MAX // 2 :]
    guesses = frozenset(name for name, value in row.shown.items() if value.get("guess"))
    return Candidate(
        row.number,
        row.opened_at,
        row.organisation,
        row.category,
        row.owner,
        row.priority,
        not row.open,
        guesses,
        tuple(ids),
    )


async def _messages_of_reports(connection: AsyncConnection, numbers: set[int]) -> dict[int, list[int]]:
    if not numbers:
        return {}
    query = select(message.c.id, message.c.report).where(
        and_(message.c.report.in_(numbers), message.c.direction == "in")
    )
    found: dict[int, list[int]] = {}
    for row in await connection.execute(query.order_by(message.c.id)):
        found.setdefault(row.report, []).append(row.id)
    return found


def as_open_ticket(found: Candidate, members: Sequence[Message]) -> OpenTicket:
    """A candidate with its messages, as a model takes it."""
    return OpenTicket(
        number=found.number,
        opened=found.opened,
        members=tuple(members),
        category=found.category,
        owner=found.owner,
        priority=found.priority,
        over=found.over,
        believed={name: name in found.guesses for name in ("category", "owner", "priority")},
    )


async def solved(connection: AsyncConnection, before: datetime, besides: int) -> list[tuple[int, int]]:
    """Solved tickets, newest first, as (number, id of its first message): what helped there may help here."""
    first = (
        select(message.c.report, func.min(message.c.id).label("first"))
        .where(message.c.direction == "in")
        .group_by(message.c.report)
        .subquery()
    )
    query = (
        select(ticket.c.number, first.c.first)
        .join(first, first.c.report == ticket.c.report)
        .where(
            ticket.c.status.in_(("resolved", "closed")),
            ticket.c.noise.is_(False),
            ticket.c.number != besides,
            ticket.c.changed_at <= before,
        )
        .order_by(ticket.c.changed_at.desc())
        .limit(SOLVED_MAX)
    )
    return [(row.number, row.first) for row in await connection.execute(query)]
