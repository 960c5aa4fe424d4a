"""Evidence beside a ticket: what was seen, when it was seen, and where to look."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.store.change import Change
from quell.store.tables import evidence


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence; `observed_at` is when it was true, `at` when it was gathered."""

    id: int
    ticket: int
    kind: str
    title: str
    body: Mapping[str, object]
    link: str | None
    observed_at: datetime
    at: datetime


async def add(
    change: Change, ticket: int, kind: str, title: str, body: Mapping[str, object], link: str | None, seen: datetime
) -> int:
    """Put a piece of evidence beside a ticket; its id."""
    values = {
        "ticket": ticket,
        "kind": kind,
        "title": title,
        "body": dict(body),
        "link": link,
        "observed_at": seen,
        "at": change.at,
    }
    return int(
        (await change.connection.execute(evidence.insert().values(values).returning(evidence.c.id))).scalar_one()
    )


async def clear(change: Change, ticket: int, kind: str) -> None:
    """Take older evidence of one kind away before it is gathered anew."""
    await change.connection.execute(evidence.delete().where(evidence.c.ticket == ticket, evidence.c.kind == kind))


async def of_tickets(connection: AsyncConnection, numbers: list[int]) -> list[Evidence]:
    """The evidence of these tickets, the newest of each kind first."""
    query = select(evidence).where(evidence.c.ticket.in_(numbers)).order_by(evidence.c.kind, evidence.c.id.desc())
    names = Evidence.__dataclass_fields__
    return [Evidence(**{name: row._mapping[name] for name in names}) for row in await connection.execute(query)]
