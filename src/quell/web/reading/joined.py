"""The reports of a ticket: which are in, which ask, which were taken out, each with its strength and reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, not_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import Event
from quell.store.chain import as_event
from quell.store.tables import device, event, person, proposal, report, ticket
from quell.web.reading.names import Names, source
from quell.web.reading.rows import percent
from quell.web.views.signs import Source
from quell.web.views.ticket import Joined
from quell.web.words import moment, when

SHOWN_MAX = 300
_COLUMNS = (
    report.c.number.label("report_number"), ticket.c.number.label("ticket_number"), ticket.c.root,
    ticket.c.maybe_into, ticket.c.title, report.c.channel, report.c.person, report.c.site, report.c.at,
    report.c.over_at, ticket.c.noise, ticket.c.folded["join_strength"].label("strength"),
    person.c.name.label("who"), person.c.email, device.c.hostname,
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A report with its own ticket, as the page of the whole needs it."""

    report: int
    ticket: int
    root: int
    maybe_into: int | None
    title: str
    channel: str
    person: int | None
    name: str
    site: str | None
    hostname: str
    at: datetime
    over: bool
    noise: bool
    strength: float | None


async def members(connection: AsyncConnection, number: int, also: Iterable[int]) -> list[Member]:
    """Every report that counts to this ticket or may, and those of the tickets named; oldest first."""
    query = (
        select(*_COLUMNS)
        .join(ticket, ticket.c.report == report.c.number)
        .outerjoin(person, person.c.id == report.c.person)
        .outerjoin(device, device.c.id == report.c.device)
        .where(or_(ticket.c.root == number, ticket.c.maybe_into == number, ticket.c.number.in_([*also])))
        .order_by(report.c.at, report.c.number)
        .limit(SHOWN_MAX)
    )
    return [_member(row) for row in await connection.execute(query)]


async def by_channel(connection: AsyncConnection, number: int) -> tuple[tuple[Source, int], ...]:
    """How many reports came by each channel, most first."""
    query = (
        select(report.c.channel, func.count().label("n"))
        .join(ticket, ticket.c.report == report.c.number)
        .where(ticket.c.root == number, not_(ticket.c.noise))
        .group_by(report.c.channel)
        .order_by(func.count().desc(), report.c.channel)
    )
    return tuple((source(row.channel), row.n) for row in await connection.execute(query))


async def joined(
    connection: AsyncConnection, number: int, found: Sequence[Member], left: Mapping[int, Event], names: Names
) -> tuple[Joined, ...]:
    """The list of reports: those that are in, then those that ask, then those taken out."""
    inside = [each for each in found if each.root == number]
    asking = [each for each in found if each.root != number and each.maybe_into == number]
    out = [each for each in found if each.root != number and each.maybe_into != number and each.ticket in left]
    joins = await _joins(connection, [each.ticket for each in inside])
    asks = await _asks(connection, [each.ticket for each in asking])
    made = [_inside(each, each.ticket == number, joins.get(each.ticket), names) for each in inside]
    made += [_asking(each, asks.get(each.ticket), names) for each in asking]
    made += [_out(each, left[each.ticket], names) for each in out]
    return tuple(made)


def taken_out(events: Iterable[Event]) -> dict[int, Event]:
    """Which tickets left this one, with the last leaving of each."""
    found: dict[int, Event] = {}
    for each in events:
        child = each.body.get("ticket")
        if each.kind == "member_left" and isinstance(child, int):
            found[child] = each
    return found


def _member(row: Any) -> Member:
    strength = row.strength if isinstance(row.strength, int | float) else None
    return Member(
        row.report_number, row.ticket_number, row.root, row.maybe_into, row.title, row.channel, row.person,
        row.who or row.email or "", row.site, row.hostname or "", row.at, row.over_at is not None, row.noise, strength,
    )  # fmt: skip


async def _joins(connection: AsyncConnection, tickets: Sequence[int]) -> dict[int, Event]:
    streams = [f"ticket:{each}" for each in tickets]
    query = (
        select(event)
        .where(event.c.stream.in_(streams), event.c.kind == "ticket_joined")
        .ext(distinct_on(event.c.stream))
        .order_by(event.c.stream, event.c.seq.desc())
    )
    rows = await connection.execute(query)
    return {int(each.stream.partition(":")[2]): each for each in map(as_event, rows)}


async def _asks(connection: AsyncConnection, tickets: Sequence[int]) -> dict[int, Any]:
    query = select(proposal).where(
        proposal.c.ticket.in_(tickets), proposal.c.field == "join", proposal.c.state == "open"
    )
    return {row.ticket: row for row in await connection.execute(query)}


def _who(member: Member, names: Names) -> str:
    place = names.sites.get(member.site or "", "")
    teller = member.name or member.hostname or source(member.channel).name
    return ", ".join(each for each in (teller, place) if each)


def _inside(member: Member, first: bool, how: Event | None, names: Names) -> Joined:
    by = names.of(how.actor) if how is not None else ""
    reason = _reason(how.body.get("reasons")) if how is not None else ""
    if first:
        reason = "opened the ticket"
    by_person = how is not None and how.actor.startswith(("account:", "token:"))
    if by_person and not first:
        reason = f"{by} joined it"
    strength = None if first or by_person else percent(member.strength)
    return _made(member, names, "in", strength, reason, first=first)


def _asking(member: Member, ask: Any, names: Names) -> Joined:
    sure = percent(ask.confidence) if ask is not None else None
    return _made(member, names, "ask", sure, _reason(ask.reasons) if ask is not None else "Quell thinks so")


def _out(member: Member, how: Event, names: Names) -> Joined:
    says = f"Taken out by {names.of(how.actor).split()[0]}, {when(how.at, names.now, names.zone)}"
    return _made(member, names, "out", None, "", out_says=says, moved_to=member.root)


def _made(
    member: Member,
    names: Names,
    state: str,
    strength: int | None,
    reason: str,
    first: bool = False,
    out_says: str = "",
    moved_to: int | None = None,
) -> Joined:
    sign = source(member.channel)
    at = moment(member.at, names.now, names.zone)
    return Joined(
        member.report, sign.icon, sign.name, member.title, _who(member, names), at, state, strength, reason, first,
        out_says, moved_to, member.over,
    )  # fmt: skip


def _reason(found: object) -> str:
    """The two strongest reasons for a join in one line."""
    if not isinstance(found, list):
        return ""
    good = [each for each in found if isinstance(each, list) and len(each) == 3 and isinstance(each[1], int | float)]
    strongest = sorted(good, key=lambda each: -abs(float(each[1])))[:2]
    return ", ".join(str(each[0]) for each in strongest)
