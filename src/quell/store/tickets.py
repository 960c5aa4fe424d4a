"""Tickets: folded from their events, and written in the same transaction."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.core.event import Json
from quell.core.ticket import Status, Ticket, apply
from quell.store import incidents
from quell.store.change import Change
from quell.store.tables import ticket
from quell.store.ticket_form import from_json, to_json

TITLE_CHARACTERS_MAX = 200


def stream(number: int) -> str:
    """The stream of one ticket."""
    return f"ticket:{number}"


async def open_ticket(change: Change, of_report: int, organisation: str, title: str, actor: str) -> Ticket:
    """Open the ticket of a new report; its number is given by the database."""
    values = {
        "organisation": organisation,
        "report": of_report,
        "title": title[:TITLE_CHARACTERS_MAX],
        "folded": {},
        "version": 0,
        "status": Status.NEW,
        "open": True,
        "noise": False,
        "shown": {},
        "reports": 1,
        "reporters": 0,
        "machines": 0,
        "sites": 0,
        "opened_at": change.at,
        "changed_at": change.at,
        "heard_at": change.at,
        "root": 0,
    }
    number = (await change.connection.execute(ticket.insert().values(values).returning(ticket.c.number))).scalar_one()
    body: dict[str, Json] = {"ticket": number, "report": of_report, "organisation": organisation}
    change.locked.add(number)
    change.roots[number] = number
    event = await change.record(stream(number), "ticket_opened", actor, body)
    made = apply(None, event)
    await _write(change, made)
    await incidents.regather(change, number)
    return made


async def take(change: Change, number: int) -> Ticket:
    """The ticket, which nobody else changes until this change ends."""
    await incidents.hold(change, number)
    return change.held.get(number) or await load(change.connection, number)


async def take_root(change: Change, number: int) -> Ticket:
    """The ticket where this one counts; nobody else changes it, or what counts to it, until this change ends."""
    return await take(change, (await incidents.hold(change, number))[number])


async def load(connection: AsyncConnection, number: int) -> Ticket:
    """The ticket as folded; Refused (404) when there is none."""
    query = select(ticket.c.folded).where(ticket.c.number == number)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Refused(f"there is no ticket {number}", 404, "no_such_ticket")
    return from_json(row.folded)


async def load_many(connection: AsyncConnection, numbers: Iterable[int]) -> dict[int, Ticket]:
    """The tickets of these numbers that exist."""
    rows = await connection.execute(select(ticket.c.folded).where(ticket.c.number.in_(list(numbers))))
    return {each.number: each for each in (from_json(row.folded) for row in rows)}


async def record(
    change: Change,
    number: int,
    kind: str,
    actor: str,
    body: Mapping[str, Json],
    expect_version: int | None = None,
) -> Ticket:
    """Append one event to a ticket and fold it in; Refused (409) when somebody was faster than `expect_version`."""
    before = await take(change, number)
    if expect_version is not None and before.version != expect_version:
        raise Refused(f"ticket {number} has changed meanwhile", 409, "changed_meanwhile")
    event = await change.record(stream(number), kind, actor, body)
    after = apply(before, event)
    await _write(change, after)
    return after


async def _write(change: Change, state: Ticket) -> None:
    values = {
        "folded": to_json(state),
        "version": state.version,
        "status": str(state.status_shown),
        "open": state.is_open,
        "noise": state.noise,
        "joined_to": state.joined_to,
        "changed_at": change.at,
    }
    if state.version == 1:
        values["root"] = state.number
    await change.connection.execute(ticket.update().where(ticket.c.number == state.number).values(values))
    change.held[state.number] = state


async def update(connection: AsyncConnection, number: int, **values: object) -> None:
    """Write columns of a ticket's row that are not folded from its events."""
    await connection.execute(ticket.update().where(ticket.c.number == number).values(values))


async def announced(connection: AsyncConnection, number: int) -> str | None:
    """The level that was announced last while a person held another."""
    query = select(ticket.c.announced).where(ticket.c.number == number)
    return (await connection.execute(query)).scalar_one_or_none()


async def add_pause(change: Change, number: int, seconds: float) -> None:
    """Let the clock of a ticket have stood still for some more working seconds."""
    query = ticket.update().where(ticket.c.number == number).values(paused_s=ticket.c.paused_s + seconds)
    await change.connection.execute(query)
