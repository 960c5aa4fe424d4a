"""Tickets with what is joined to them: who counts where, and what the gathered reports make of the fields."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import CTE, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.company import Level
from quell.core.errors import Refused
from quell.core.incident import Gathered, gather
from quell.core.priority import LEVELS, Crowd
from quell.core.sla import Due, Timing, due
from quell.core.ticket import FIELDS, Ticket
from quell.store import companies
from quell.store.change import Change
from quell.store.tables import report, ticket
from quell.store.ticket_form import from_json, value_json

MEMBERS_READ_MAX = 20_000

Member = Row[tuple[object, ...]]


async def root_of(connection: AsyncConnection, number: int) -> int:
    """The number of the ticket where this one counts now."""
    found = (await connection.execute(select(ticket.c.root).where(ticket.c.number == number))).scalar_one_or_none()
    if found is None:
        raise Refused(f"there is no ticket {number}", 404, "no_such_ticket")
    return int(found)


async def hold(change: Change, *numbers: int) -> dict[int, int]:
    """Let nobody else change these tickets or join and part them until this change ends; the root of each.

    Whoever changes a ticket holds the row of its root, and several roots are locked in rising order: so two changes
    never wait for each other, and no incident is changed by two at once. Call it with all tickets of a verb at once.
    """
    connection, wanted = change.connection, [each for each in numbers if each not in change.roots]
    if len(wanted) == 1 and await _lock_alone(change, wanted[0]):
        wanted = []
    while wanted:
        roots = await _roots(connection, wanted)
        missing = set(roots.values()) - change.locked
        if missing and not await _lock(connection, missing, roots):
            continue
        change.locked |= missing
        change.roots |= roots
        wanted = []
    return {number: change.roots[number] for number in numbers}


async def _lock_alone(change: Change, number: int) -> bool:
    """Most tickets are joined to nothing and nobody else is at them: then one look both finds and locks the root.

    It never waits, for what it waited for might have been joined meanwhile, and would stay locked out of order.
    """
    query = select(ticket.c.number).where(ticket.c.number == number, ticket.c.root == number)
    row = (await change.connection.execute(query.with_for_update(key_share=True, skip_locked=True))).one_or_none()
    if row is None:
        return False
    change.locked.add(number)
    change.roots[number] = number
    return True


async def _lock(connection: AsyncConnection, missing: set[int], roots: Mapping[int, int]) -> bool:
    # Not FOR UPDATE: whoever only points to a ticket (a proposal, an order) need not wait.
    query = select(ticket.c.number).where(ticket.c.number.in_(missing)).order_by(ticket.c.number)
    async with connection.begin_nested() as attempt:
        await connection.execute(query.with_for_update(key_share=True))
        if await _roots(connection, roots) == roots:
            return True
        # While we waited they were joined or parted: let go of all of them, so that the order of locks stays.
        await attempt.rollback()
    return False


async def _roots(connection: AsyncConnection, numbers: Iterable[int]) -> dict[int, int]:
    query = select(ticket.c.number, ticket.c.root).where(ticket.c.number.in_(set(numbers)))
    found = {row.number: row.root for row in await connection.execute(query)}
    for number in numbers:
        if number not in found:
            raise Refused(f"there is no ticket {number}", 404, "no_such_ticket")
    return found


async def place_of(connection: AsyncConnection, of_report: int) -> int | None:
    """The ticket where a report counts as far as anybody believes, a model included; None for noise."""
    home, believed = ticket.alias("home"), ticket.alias("believed")
    query = (
        select(func.coalesce(believed.c.root, home.c.number))
        .select_from(ticket)
        .join(home, home.c.number == ticket.c.root)
        .outerjoin(believed, believed.c.number == func.coalesce(ticket.c.maybe_into, home.c.maybe_into))
        .where(ticket.c.report == of_report, ticket.c.noise.is_(False))
    )
    found = (await connection.execute(query)).scalar_one_or_none()
    return int(found) if found is not None else None


async def members_of(connection: AsyncConnection, root: int) -> list[int]:
    """The numbers of all tickets that count to this one, itself first, then in order of their opening."""
    query = select(ticket.c.number).where(ticket.c.root == root).order_by(ticket.c.number).limit(MEMBERS_READ_MAX)
    rest = [row.number for row in await connection.execute(query) if row.number != root]
    return [root, *rest]


async def subtree(connection: AsyncConnection, top: int) -> list[int]:
    """A ticket and everything that is joined below it, in rising order."""
    below = _below(top)
    rows = await connection.execute(select(below.c.number).order_by(below.c.number))
    return [row.number for row in rows]


async def move_subtree(change: Change, top: int, root: int) -> None:
    """Let a ticket and everything joined below it count to this root; it holds both incidents."""
    below = select(_below(top).c.number)
    await change.connection.execute(ticket.update().where(ticket.c.number.in_(below)).values(root=root))
    change.locked.add(root)
    change.roots.clear()


def _below(top: int) -> CTE:
    below = select(ticket.c.number).where(ticket.c.number == top).cte("below", recursive=True)
    return below.union_all(select(ticket.c.number).where(ticket.c.joined_to == below.c.number))


async def regather(change: Change, number: int) -> Gathered:
    """Work out anew what a ticket's root shows with its members, and write it beside the root's own fold."""
    root = (await hold(change, number))[number]
    rows = await _members(change.connection, root)
    mine, gathered, heard = _gather(rows, root)
    change.timing = change.timing or await companies.timing(change.connection)
    paused_s = next(row.paused_s for row in rows if row.number == root)
    await _write_gathered(change.connection, mine, gathered, heard, _deadline(mine, gathered, change.timing, paused_s))
    return gathered


async def gather_again(connection: AsyncConnection, root: int) -> tuple[Ticket, Gathered, datetime]:
    """A root's own fold, what it shows with its members, and when the latest of its reports came."""
    return _gather(await _members(connection, root), root)


def _gather(rows: Sequence[Member], root: int) -> tuple[Ticket, Gathered, datetime]:
    mine = next(from_json(row.folded) for row in rows if row.number == root)
    others = [from_json(row.folded) for row in rows if row.number != root]
    return mine, gather(mine, others, crowd_of(rows)), max(row.report_at for row in rows)


def crowd_of(rows: Sequence[Member]) -> Crowd:
    """Who is touched, by distinct people and devices; noise counts for nothing."""
    real = [row for row in rows if not row.noise]
    people = {row.person for row in real if row.person is not None}
    machines = [row for row in real if row.person is None]
    sites = {row.site for row in real if row.site is not None}
    return Crowd(reports=max(1, len(real)), reporters=len(people), machines=len(machines), sites=len(sites))


async def _members(connection: AsyncConnection, root: int) -> Sequence[Member]:
    query = (
        select(
            ticket.c.number,
            ticket.c.folded,
            ticket.c.noise,
            ticket.c.paused_s,
            report.c.person,
            report.c.site,
            report.c.at.label("report_at"),
        )
        .join(report, report.c.number == ticket.c.report)
        .where(ticket.c.root == root)
        .limit(MEMBERS_READ_MAX)
    )
    return [*await connection.execute(query)]


def _deadline(mine: Ticket, gathered: Gathered, timing: Timing, paused_s: float) -> Due:
    level = _value(gathered, "priority")
    return due(mine.opened, _level(level), timing.calendar, timing.promises, paused_s)


async def _write_gathered(
    connection: AsyncConnection, mine: Ticket, gathered: Gathered, heard: datetime, deadline: Due
) -> None:
    values = gathered_columns(gathered) | {
        "heard_at": heard,
        "first_answer_due": deadline.first_answer,
        "due_at": deadline.solution,
        "due_because": deadline.because,
    }
    await connection.execute(ticket.update().where(ticket.c.number == mine.number).values(values))


def gathered_columns(gathered: Gathered) -> dict[str, object]:
    """The columns of a root's row that say what it shows with its members."""
    shown = {name: {**value_json(each), "guess": name in gathered.guesses} for name, each in gathered.fields.items()}
    return {name: _value(gathered, name) for name in FIELDS} | {
        "shown": shown,
        "other": value_json(gathered.other) if gathered.other else None,
        "reports": gathered.crowd.reports,
        "reporters": gathered.crowd.reporters,
        "machines": gathered.crowd.machines,
        "sites": gathered.crowd.sites,
    }


def _value(gathered: Gathered, name: str) -> str | None:
    found = gathered.fields.get(name)
    return found.value if found else None


def _level(value: str | None) -> Level | None:
    return next((each for each in LEVELS if each == value), None)


async def add_pause(change: Change, number: int, seconds: float) -> None:
    """Let the clock of a ticket have stood still for some more working seconds."""
    query = ticket.update().where(ticket.c.number == number).values(paused_s=ticket.c.paused_s + seconds)
    await change.connection.execute(query)
