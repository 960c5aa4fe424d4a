"""Folds everything anew from the log, beside the tables, and compares: proof that the tables are what the log says."""

from collections.abc import Mapping

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import Event
from quell.core.incident import root_of
from quell.core.ticket import Ticket, fold
from quell.store import chain, incidents
from quell.store.tables import message, report, ticket
from quell.store.ticket_form import normal, to_json


async def compare(connection: AsyncConnection) -> list[str]:
    """A sentence for each difference between the tables and the log; empty when there is none. Changes nothing.

    The connection must be fresh: no transaction may have begun on it.
    """
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    wrong: list[str] = []
    pointers: dict[int, int | None] = {}
    async for events in chain.read_all(connection, "ticket:"):
        state = fold(events)
        pointers[state.number] = state.joined_to
        row = (await connection.execute(select(ticket).where(ticket.c.number == state.number))).one_or_none()
        wrong += _compare_own(state, row)
    total = (await connection.execute(select(func.count()).select_from(ticket))).scalar_one()
    if total != len(pointers):
        wrong.append(f"{total} tickets have a row, {len(pointers)} are in the log")
    wrong += await _compare_roots(connection, pointers)
    wrong += await _compare_homes(connection)
    return wrong + await _compare_conversations(connection)


def _compare_own(state: Ticket, row: Row[tuple[object, ...]] | None) -> list[str]:
    if row is None:
        return [f"ticket {state.number} is in the log but has no row"]
    if normal(row.folded) != normal(to_json(state)):
        return [f"ticket {state.number} differs from its {state.version} events"]
    columns = {
        "version": state.version,
        "status": str(state.status_shown),
        "open": state.is_open,
        "noise": state.noise,
        "joined_to": state.joined_to,
        "organisation": state.organisation,
        "report": state.report,
    }
    return _differences(state.number, columns, row)


async def _compare_roots(connection: AsyncConnection, pointers: Mapping[int, int | None]) -> list[str]:
    """Where each ticket counts, and what each that stands alone shows with those that count to it."""
    wrong: list[str] = []
    query = select(ticket).order_by(ticket.c.number).execution_options(yield_per=chain.BATCH)
    async for row in await connection.stream(query):
        if row.number not in pointers:
            wrong.append(f"ticket {row.number} has a row but is not in the log")
        elif row.root != (root := root_of(row.number, pointers)):
            wrong.append(f"ticket {row.number} counts to ticket {root}, its row says {row.root}")
        elif row.root == row.number:
            _, gathered, _ = await incidents.gather_again(connection, row.number)
            wrong += _differences(row.number, incidents.gathered_columns(gathered), row)
    return wrong


async def _compare_homes(connection: AsyncConnection) -> list[str]:
    query = (
        select(ticket.c.number, ticket.c.report, report.c.ticket.label("back"))
        .join(report, report.c.number == ticket.c.report)
        .where(report.c.ticket.is_distinct_from(ticket.c.number))
        .order_by(ticket.c.number)
    )
    return [
        f"report {row.report} opened ticket {row.number}, its row says {row.back}"
        for row in await connection.execute(query)
    ]


async def _compare_conversations(connection: AsyncConnection) -> list[str]:
    """Whether every message still points to the words that its event names, and no other message stands there."""
    wrong: list[str] = []
    async for events in chain.read_all(connection, "report:"):
        number = int(events[0].stream.partition(":")[2])
        query = select(message).where(message.c.report == number)
        there = {row.id: row for row in await connection.execute(query)}
        for event in events:
            if event.kind.startswith("message_"):
                wrong += _compare_message(number, event, there.pop(_int(event.body["message"]), None))
        wrong += [f"report {number} has a message {each} that is not in the log" for each in sorted(there)]
    return wrong


def _compare_message(number: int, event: Event, row: Row[tuple[object, ...]] | None) -> list[str]:
    if row is None:
        return [f"report {number} lacks the message of its event {event.seq}"]
    names = ("text", "subject", "full_text")
    said = {name: mention.get("content") for name in names if isinstance(mention := event.body.get(name), dict)}
    same = all(row._mapping[name] == said.get(name) for name in names)
    if same and event.kind == f"message_{row.direction}" and event.actor == row.actor:
        return []
    return [f"report {number}: message {row.id} is not the one of event {event.seq}"]


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _differences(number: int, columns: Mapping[str, object], row: Row[tuple[object, ...]]) -> list[str]:
    return [
        f"ticket {number}: {name} is not what the log says"
        for name, value in columns.items()
        if normal(row._mapping[name]) != normal(value)
    ]
