"""One row of the queue: what its ticket shows, and what stands about it in other tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.store.tables import fix, person, proposal, report, ticket

SPARK_MINUTES = 40
FIX_STATES = ("planned", "agreed", "applying", "checking", "undoing")
INCIDENT = 0

SHOWN = (
    ticket.c.number, ticket.c.version, ticket.c.title, ticket.c.status, ticket.c.open, ticket.c.noise,
    ticket.c.joined_to, ticket.c.root, ticket.c.maybe_into, ticket.c.needs_yes, ticket.c.sure, ticket.c.shown,
    ticket.c.other, ticket.c.reports, ticket.c.rank, ticket.c.sort_due, ticket.c.opened_at, ticket.c.heard_at,
    ticket.c.changed_at, ticket.c.first_answer_due, ticket.c.due_at,
)  # fmt: skip


@dataclass(frozen=True)
class QueueRow:
    """One ticket of the queue with what the page says about it; `channels` counts reports by channel."""

    number: int
    version: int
    title: str
    status: str
    open: bool
    noise: bool
    joined_to: int | None
    root: int
    maybe_into: int | None
    needs_yes: bool
    sure: float | None
    shown: Mapping[str, Any]
    other: Mapping[str, Any] | None
    reports: int
    rank: int
    sort_due: datetime
    opened_at: datetime
    heard_at: datetime
    changed_at: datetime
    first_answer_due: datetime | None
    due_at: datetime | None
    reporter: str = ""
    channels: tuple[tuple[str, int], ...] = ()
    proposed: bool = False
    fix_state: str = ""
    minutes: tuple[int, ...] = field(default=())


async def complete(connection: AsyncConnection, rows: Sequence[Any], now: datetime | None) -> tuple[QueueRow, ...]:
    """Add what stands in other tables: who reported, by which channels, open proposals, a fix under way, the pulse."""
    numbers = [row.number for row in rows]
    if not numbers:
        return ()
    names = {row.number: row.name or "" for row in await connection.execute(_reporters(numbers))}
    channels: dict[int, list[tuple[str, int]]] = {}
    for row in await connection.execute(_channels(numbers)):
        channels.setdefault(row.root, []).append((row.channel, row.n))
    asks = select(proposal.c.ticket).where(proposal.c.ticket.in_(numbers), proposal.c.state == "open").distinct()
    proposed = {row.ticket for row in await connection.execute(asks)}
    fixes = {row.root: row.state for row in await connection.execute(_fixes(numbers))}
    minutes = await _minutes(connection, [row.number for row in rows if row.rank == INCIDENT], now)
    return tuple(
        QueueRow(
            **row._mapping,
            reporter=names.get(row.number, ""),
            channels=tuple(channels.get(row.number, ())),
            proposed=row.number in proposed,
            fix_state=fixes.get(row.number, ""),
            minutes=minutes.get(row.number, ()),
        )
        for row in rows
    )


def _reporters(numbers: list[int]) -> Select[Any]:
    return (
        select(ticket.c.number, func.coalesce(person.c.name, person.c.email).label("name"))
        .join(report, report.c.number == ticket.c.report)
        .join(person, person.c.id == report.c.person)
        .where(ticket.c.number.in_(numbers))
    )


def _channels(numbers: list[int]) -> Select[Any]:
    return (
        select(ticket.c.root, report.c.channel, func.count().label("n"))
        .join(report, report.c.number == ticket.c.report)
        .where(ticket.c.root.in_(numbers), not_(ticket.c.noise))
        .group_by(ticket.c.root, report.c.channel)
        .order_by(ticket.c.root, func.count().desc(), report.c.channel)
    )


def _fixes(numbers: list[int]) -> Select[Any]:
    return (
        select(ticket.c.root, fix.c.state)
        .join(fix, fix.c.ticket == ticket.c.number)
        .where(ticket.c.root.in_(numbers), fix.c.state.in_(FIX_STATES))
        .order_by(fix.c.id)
    )


async def _minutes(connection: AsyncConnection, numbers: list[int], now: datetime | None) -> dict[int, tuple[int, ...]]:
    """Reports per two minutes over the last forty, oldest first, for the little line of an incident."""
    if not numbers or now is None:
        return {}
    begin = now - timedelta(minutes=SPARK_MINUTES)
    query = (
        select(ticket.c.root, report.c.at)
        .join(report, report.c.number == ticket.c.report)
        .where(ticket.c.root.in_(numbers), report.c.at > begin)
    )
    found: dict[int, list[int]] = {}
    for row in await connection.execute(query):
        bucket = min(SPARK_MINUTES // 2 - 1, max(0, int((row.at - begin).total_seconds() // 120)))
        found.setdefault(row.root, [0] * (SPARK_MINUTES // 2))[bucket] += 1
    return {number: tuple(values) for number, values in found.items()}
