"""The queue page: which tickets, in what order, how many; read by cursor, so a page costs the same at any length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store.queue_rows import INCIDENT, SHOWN, QueueRow, complete
from quell.store.tables import person, report, ticket

PAGE_ROWS = 60
FOUND_MAX = 60
DUE_SOON = timedelta(hours=1)
ASKS, IN_HAND, WAITS = 1, 2, 3

# Every ticket that stands by itself; what is joined to another counts there.
_ROOTS = ticket.c.joined_to.is_(None)
_OPEN = and_(ticket.c.open, _ROOTS)
_ENDED = and_(not_(ticket.c.open), not_(ticket.c.noise), _ROOTS)


@dataclass(frozen=True)
class Wanted:
    """Which part of the queue; `assignee` is the looker's own key, `after` a cursor, `words` search everything."""

    view: str = "all"
    team: str = ""
    words: str = ""
    after: str = ""
    assignee: str = ""
    now: datetime | None = None
    today: datetime | None = None


@dataclass(frozen=True)
class QueuePage:
    """Rows in order, how many tickets stand in each rank of the whole view, reports in all, the next cursor."""

    rows: tuple[QueueRow, ...]
    ranks: Mapping[int, int]
    tickets: int
    reports: int
    next: str


@dataclass(frozen=True)
class Counts:
    """How many open tickets each view and each team has."""

    views: Mapping[str, int]
    teams: Mapping[str, int]


async def queue_page(connection: AsyncConnection, wanted: Wanted) -> QueuePage:
    """One page of the view; a search looks at ended tickets too and has one page, the newest first."""
    if wanted.words:
        return await _found(connection, wanted)
    ended = wanted.view == "ended"
    query = select(*SHOWN).where(_condition(wanted)).limit(PAGE_ROWS + 1)
    if ended:
        query = query.order_by(ticket.c.changed_at.desc(), ticket.c.number.desc())
        query = query.where(_before(wanted.after)) if wanted.after else query
    else:
        query = query.order_by(ticket.c.rank, ticket.c.sort_due, ticket.c.number)
        query = query.where(_behind(wanted.after)) if wanted.after else query
    rows = (await connection.execute(query)).all()
    shown, ranks = rows[:PAGE_ROWS], await _ranks(connection, _condition(wanted))
    following = _cursor(shown[-1], ended) if len(rows) > PAGE_ROWS else ""
    tickets, reports = sum(n for n, _ in ranks.values()), sum(r for _, r in ranks.values())
    made = await complete(connection, shown, wanted.now)
    return QueuePage(made, {rank: n for rank, (n, _) in ranks.items()}, tickets, reports, following)


async def rows_of(connection: AsyncConnection, numbers: Sequence[int], now: datetime | None) -> tuple[QueueRow, ...]:
    """These tickets as rows, whatever became of them."""
    rows = (await connection.execute(select(*SHOWN).where(ticket.c.number.in_(numbers)))).all()
    return await complete(connection, rows, now)


async def members_of_view(connection: AsyncConnection, wanted: Wanted, numbers: Sequence[int]) -> tuple[int, ...]:
    """Those of these tickets that the view shows."""
    if wanted.words:
        return ()
    query = select(ticket.c.number).where(ticket.c.number.in_(numbers), _condition(wanted)).order_by(ticket.c.number)
    return tuple(row.number for row in await connection.execute(query))


async def counts(connection: AsyncConnection, wanted: Wanted) -> Counts:
    """The numbers beside the views and teams, from one walk over what is open."""
    query = (
        select(
            ticket.c.owner,
            ticket.c.rank,
            func.count().label("all"),
            func.count().filter(ticket.c.assignee == wanted.assignee).label("mine"),
            func.count().filter(_due_soon(wanted)).label("due"),
            func.count().filter(_nobody()).label("nobody"),
        )
        .where(_OPEN)
        .group_by(ticket.c.owner, ticket.c.rank)
    )
    rows = [row._mapping for row in await connection.execute(query)]
    views = {name: sum(row[name] for row in rows) for name in ("all", "mine", "due", "nobody")}
    views |= {
        name: sum(row["all"] for row in rows if row["rank"] == rank)
        for name, rank in (("yes", ASKS), ("live", INCIDENT))
    }
    ended = select(func.count()).where(_ENDED, ticket.c.changed_at >= wanted.today)
    views["ended"] = (await connection.execute(ended)).scalar_one()
    owners = {row["owner"] for row in rows if row["owner"] is not None}
    teams = {owner: sum(row["all"] for row in rows if row["owner"] == owner) for owner in owners}
    return Counts(views, teams)


async def neighbours(connection: AsyncConnection, wanted: Wanted, number: int) -> tuple[int | None, int | None, int]:
    """The tickets before and after this one in the view, and its place from 1; (None, None, 0) when it is not in it."""
    key = tuple_(ticket.c.rank, ticket.c.sort_due, ticket.c.number)
    where = and_(_condition(wanted), ticket.c.number == number)
    row = (await connection.execute(select(ticket.c.rank, ticket.c.sort_due, ticket.c.number).where(where))).first()
    if row is None or wanted.words or wanted.view == "ended":
        return None, None, 0
    here = tuple_(row.rank, row.sort_due, row.number)
    order = (ticket.c.rank, ticket.c.sort_due, ticket.c.number)
    after = select(ticket.c.number).where(_condition(wanted), key > here).order_by(*order).limit(1)
    before = select(ticket.c.number).where(_condition(wanted), key < here)
    place = (await connection.execute(select(func.count()).select_from(before.subquery()))).scalar_one()
    previous = before.order_by(*(each.desc() for each in order)).limit(1)
    found = [(await connection.execute(query)).scalar_one_or_none() for query in (previous, after)]
    return found[0], found[1], place + 1


async def newest_number(connection: AsyncConnection) -> int:
    """The number of the newest ticket, 0 before the first."""
    return (await connection.execute(select(func.max(ticket.c.number)))).scalar_one() or 0


async def _found(connection: AsyncConnection, wanted: Wanted) -> QueuePage:
    query = select(*SHOWN).where(_ROOTS, *_fits(wanted.words)).limit(FOUND_MAX)
    rows = (await connection.execute(query.order_by(ticket.c.open.desc(), ticket.c.number.desc()))).all()
    made = await complete(connection, rows, wanted.now)
    ranks: dict[int, int] = {}
    for row in made:
        ranks[row.rank] = ranks.get(row.rank, 0) + 1
    return QueuePage(made, ranks, len(made), sum(row.reports for row in made), "")


def _fits(words: str) -> list[ColumnElement[bool]]:
    """Each word must stand in the title or in the name of somebody who reported, or be the number."""
    member, who = ticket.alias("member"), person.alias("who")
    found: list[ColumnElement[bool]] = []
    for word in words.split():
        number = word.lower().removeprefix("t-").removeprefix("#")
        by = (
            select(member.c.root)
            .join(report, report.c.number == member.c.report)
            .join(who, who.c.id == report.c.person)
            .where(or_(who.c.name.icontains(word, autoescape=True), who.c.email.icontains(word, autoescape=True)))
        )
        options = [ticket.c.title.icontains(word, autoescape=True), ticket.c.number.in_(by)]
        if number.isascii() and number.isdigit() and len(number) < 18:
            options.append(ticket.c.number == int(number))
        found.append(or_(*options))
    return found


def _condition(wanted: Wanted) -> ColumnElement[bool]:
    views: dict[str, ColumnElement[bool]] = {
        "all": _OPEN,
        "yes": and_(_OPEN, ticket.c.rank == ASKS),
        "mine": and_(_OPEN, ticket.c.assignee == wanted.assignee),
        "live": and_(_OPEN, ticket.c.rank == INCIDENT),
        "due": and_(_OPEN, _due_soon(wanted)),
        "nobody": and_(_OPEN, _nobody()),
        "ended": and_(_ENDED, ticket.c.changed_at >= wanted.today),
    }
    if wanted.view not in views:
        raise Refused("There is no such view.", 404, "no_such_view")
    found = views[wanted.view]
    return and_(found, ticket.c.owner == wanted.team) if wanted.team else found


def _due_soon(wanted: Wanted) -> ColumnElement[bool]:
    assert wanted.now is not None
    return and_(ticket.c.sort_due < wanted.now + DUE_SOON, ticket.c.rank != WAITS)


def _nobody() -> ColumnElement[bool]:
    return and_(ticket.c.owner.is_(None), ticket.c.assignee.is_(None))


def _behind(after: str) -> ColumnElement[bool]:
    rank, due, number = _read_cursor(after, 3)
    return tuple_(ticket.c.rank, ticket.c.sort_due, ticket.c.number) > tuple_(_int(rank), _time(due), _int(number))


def _before(after: str) -> ColumnElement[bool]:
    changed, number = _read_cursor(after, 2)
    return tuple_(ticket.c.changed_at, ticket.c.number) < tuple_(_time(changed), _int(number))


def _cursor(row: Any, ended: bool) -> str:
    parts = (row.changed_at.isoformat(),) if ended else (str(row.rank), row.sort_due.isoformat())
    return "_".join((*parts, str(row.number)))


def _read_cursor(text: str, parts: int) -> list[str]:
    found = text.split("_")
    if len(found) != parts:
        raise Refused("This page of the queue cannot be found.", 400, "bad_cursor")
    return found


def _int(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Refused("This page of the queue cannot be found.", 400, "bad_cursor")
    return int(text)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Refused("This page of the queue cannot be found.", 400, "bad_cursor") from wrong
    if found.tzinfo is None:
        raise Refused("This page of the queue cannot be found.", 400, "bad_cursor")
    return found


async def _ranks(connection: AsyncConnection, where: ColumnElement[bool]) -> dict[int, tuple[int, int]]:
    query = select(ticket.c.rank, func.count().label("n"), func.sum(ticket.c.reports).label("reports")).where(where)
    rows = await connection.execute(query.group_by(ticket.c.rank))
    return {row.rank: (row.n, int(row.reports)) for row in rows}
