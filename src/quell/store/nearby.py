"""What stands near a ticket: other open ones on the same service or site, and how solved ones ended."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store import chain, content, tickets
from quell.store.tables import message, report, ticket

NEARBY_MAX = 5


@dataclass(frozen=True)
class Nearby:
    """Another open ticket, and what it has in common."""

    number: int
    title: str
    same: str
    reports: int
    heard_at: datetime


@dataclass(frozen=True)
class Ending:
    """How a ticket ended."""

    title: str
    at: datetime
    solved_by: str
    proof: str


async def open_tickets(connection: AsyncConnection, root: int, service: str | None, site: str | None) -> list[Nearby]:
    """The other open tickets with a report on the same service or at the same site, the same service first."""
    if service is None and site is None:
        return []
    same_service = func.bool_or(report.c.service == service) if service else func.bool_or(report.c.number < 0)
    other = ticket.alias("member")
    query = (
        select(
            ticket.c.number,
            ticket.c.title,
            ticket.c.reports,
            ticket.c.heard_at,
            func.coalesce(same_service, False).label("on_service"),
        )
        .select_from(
            ticket.join(other, other.c.root == ticket.c.number).join(report, report.c.number == other.c.report)
        )
        .where(
            ticket.c.open,
            ticket.c.joined_to.is_(None),
            ticket.c.number != root,
            or_(report.c.service == service, report.c.site == site),
        )
        .group_by(ticket.c.number)
        .order_by(func.coalesce(same_service, False).desc(), ticket.c.heard_at.desc())
        .limit(NEARBY_MAX)
    )
    rows = await connection.execute(query)
    return [
        Nearby(
            row.number, row.title, f"service {service}" if row.on_service else f"site {site}", row.reports, row.heard_at
        )
        for row in rows
    ]


async def first_message(connection: AsyncConnection, number: int) -> int | None:
    """The id of the message that a report began with."""
    query = select(func.min(message.c.id)).where(message.c.report == number, message.c.direction == "in")
    found = (await connection.execute(query)).scalar_one_or_none()
    return int(found) if found is not None else None


async def message_of(connection: AsyncConnection, number: int, source_key: str) -> int | None:
    """The id of the message in a report's conversation that came under this key, else of its latest one."""
    own = select(message.c.id).where(message.c.report == number, message.c.direction == "in")
    exact = (await connection.execute(own.where(message.c.source_key == source_key))).scalar_one_or_none()
    if exact is None:
        exact = (await connection.execute(own.order_by(message.c.id.desc()).limit(1))).scalar_one_or_none()
    return int(exact) if exact is not None else None


async def ending(connection: AsyncConnection, number: int) -> Ending:
    """How a solved ticket ended, with the words of whoever solved it."""
    query = select(ticket.c.title, ticket.c.changed_at).where(ticket.c.number == number)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Refused(f"there is no ticket {number}", 404, "no_such_ticket")
    events = await chain.read_stream(connection, tickets.stream(number))
    last = next((each for each in reversed(events) if each.kind == "ticket_resolved"), None)
    if last is None:
        return Ending(row.title, row.changed_at, "", "")
    said = last.body.get("solved_by")
    where = said.get("content") if isinstance(said, dict) else None
    words = await content.text_of(connection, where if isinstance(where, int) else None)
    return Ending(row.title, last.at, words, str(last.body.get("proof", "")))
