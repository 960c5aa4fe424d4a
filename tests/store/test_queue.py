"""The queue: order, views, cursor and search, and that a page costs the same with ten thousand tickets open."""

import random
import statistics
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from quell.core.errors import Refused
from quell.store.database import connect
from quell.store.queue import PAGE_ROWS, Wanted, counts, members_of_view, neighbours, queue_page
from quell.store.tables import channel, person, report, ticket

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FACTOR_MAX = 2.0
NOISE_MS = 10.0


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = connect(database_url)
    yield made
    await made.dispose()


async def fill(engine: AsyncEngine, count: int, begin: int = 1, ended: int = 0) -> None:
    """So many open tickets (and ended ones), each with its report and person, of all ranks, owners and deadlines."""
    chance = random.Random(7)
    people = [{"id": n, "organisation": "default", "name": f"Person {n}", "known_from": "test"} for n in range(1, 41)]
    reports, tickets = [], []
    for number in range(begin, begin + count + ended):
        at = NOW - timedelta(minutes=chance.randint(1, 5000))
        is_open = number < begin + count
        reports.append(
            {"number": number, "organisation": "default", "channel": "email", "channel_key": "mail", "at": at,
             "person": chance.randint(1, 40), "ticket": number}
        )  # fmt: skip
        tickets.append(
            {
                "number": number, "organisation": "default", "report": number, "title": f"Printer {number} is dead",
                "folded": {"first_answer": None if number % 3 else at.isoformat()}, "version": 3,
                "status": ("waiting" if number % 7 == 0 else "open") if is_open else "resolved", "open": is_open,
                "noise": False, "root": number, "category": "printing", "owner": chance.choice(["a", "b", None]),
                "assignee": "account:1" if number % 11 == 0 else None, "priority": chance.choice(["P1", "P3"]),
                "shown": {"category": {"value": "printing", "by": "model", "guess": True, "reasons": [["x", 9, "w"]]}},
                "needs_yes": number % 2 == 0, "sure": 0.8, "reports": 5 if number % 50 == 0 else 1, "reporters": 1,
                "machines": 0, "sites": 1, "opened_at": at, "changed_at": at, "heard_at": at,
                "first_answer_due": at + timedelta(hours=4),
                "due_at": NOW + timedelta(minutes=chance.randint(-900, 9000)),
                "due_because": "P3",
            }
        )  # fmt: skip
    async with engine.begin() as connection:
        if begin == 1:
            await connection.execute(insert(person).on_conflict_do_nothing(), people)
            one = {"key": "mail", "name": "email", "organisation": "default", "made_at": NOW}
            await connection.execute(channel.insert(), [one])
        await connection.execute(report.insert(), reports)
        await connection.execute(ticket.insert(), tickets)
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE ticket"))
        await plain.execute(text("ANALYZE report"))


def wanted(**more: str) -> Wanted:
    return Wanted(**more, now=NOW, today=NOW.replace(hour=0), assignee="account:1")  # type: ignore[arg-type]


async def walk(connection: AsyncConnection, **more: str) -> list[int]:
    """All pages of a view, one after the other."""
    found: list[int] = []
    after = ""
    while True:
        page = await queue_page(connection, wanted(**more, after=after))
        found += [row.number for row in page.rows]
        after = page.next
        if not after:
            return found


async def test_pages_by_cursor_show_every_ticket_once_and_in_order(engine: AsyncEngine) -> None:
    await fill(engine, 3 * PAGE_ROWS + 7)
    async with engine.connect() as connection:
        found = await walk(connection)
        page = await queue_page(connection, wanted())
        rows = (await connection.execute(ticket.select())).all()
    expected = sorted(rows, key=lambda row: (row.rank, row.sort_due, row.number))
    assert found == [row.number for row in expected]
    assert page.tickets == len(rows) and sum(page.ranks.values()) == len(rows)
    assert page.reports == sum(row.reports for row in rows)


async def test_each_view_shows_as_many_tickets_as_its_count_says(engine: AsyncEngine) -> None:
    await fill(engine, 250, ended=40)
    async with engine.connect() as connection:
        numbers = await counts(connection, wanted())
        for view, count in numbers.views.items():
            shown = await walk(connection, view=view)
            assert len(shown) == len(set(shown)) == count, view
            assert count > 0, view
            inside = await members_of_view(connection, wanted(view=view), list(range(1, 291)))
            assert sorted(inside) == sorted(shown), view
        for team, count in numbers.teams.items():
            assert len(await walk(connection, team=team)) == count


async def test_what_is_due_first_stands_first_and_a_given_answer_makes_room_for_the_solution(
    engine: AsyncEngine,
) -> None:
    await fill(engine, 120)
    async with engine.connect() as connection:
        page = await queue_page(connection, wanted(view="yes"))
    dues = [row.sort_due for row in page.rows]
    assert dues == sorted(dues)
    for row in page.rows:
        answered = row.number % 3 == 0
        assert row.sort_due == (row.due_at if answered else min(row.due_at, row.first_answer_due))


async def test_neighbours_are_the_rows_before_and_after(engine: AsyncEngine) -> None:
    await fill(engine, 70)
    async with engine.connect() as connection:
        order = await walk(connection)
        assert await neighbours(connection, wanted(), order[10]) == (order[9], order[11], 11)
        assert await neighbours(connection, wanted(), order[0]) == (None, order[1], 1)
        assert await neighbours(connection, wanted(), order[-1]) == (order[-2], None, 70)
        assert await neighbours(connection, wanted(), 999) == (None, None, 0)


async def test_a_search_finds_by_title_number_and_reporter_ended_tickets_too(engine: AsyncEngine) -> None:
    await fill(engine, 60, ended=5)
    async with engine.connect() as connection:
        by_number = await queue_page(connection, wanted(words="T-62"))
        by_title = await queue_page(connection, wanted(words="printer 17"))
        by_person = await queue_page(connection, wanted(words="Person"))
        nothing = await queue_page(connection, wanted(words="100% of_it"))
    assert [row.number for row in by_number.rows] == [62]
    assert 17 in [row.number for row in by_title.rows]
    assert len(by_person.rows) == 60 and nothing.rows == ()


async def test_a_made_up_cursor_is_refused(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for after in ("x", "1_2_3", "1_2026-11-23T09:30:00_4", "1_2026-11-23T09:30:00+00:00_x", "_" * 30):
            try:
                await queue_page(connection, wanted(after=after))
            except Refused as refused:
                assert refused.status == 400
            else:
                raise AssertionError(f"{after!r} was taken")


async def _page_ms(engine: AsyncEngine, times: int = 15) -> float:
    """The median of what one queue page asks of the database, rail and rows together, in milliseconds."""
    spent = []
    async with engine.connect() as connection:
        for _ in range(times):
            begin = time.perf_counter()
            await queue_page(connection, wanted())
            await counts(connection, wanted())
            spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent[3:])


async def test_a_page_costs_about_the_same_at_ten_thousand_open_tickets_as_at_a_hundred(engine: AsyncEngine) -> None:
    await fill(engine, 100)
    few = await _page_ms(engine)
    for begin in range(101, 10_000, 2_475):
        await fill(engine, 2_475, begin)
    many = await _page_ms(engine)
    print(f"queue page: {few:.1f} ms at 100, {many:.1f} ms at 10,000 open tickets")
    assert many <= FACTOR_MAX * few + NOISE_MS, f"{few:.1f} ms at 100, {many:.1f} ms at 10,000"
