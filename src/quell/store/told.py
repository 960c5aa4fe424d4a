"""Who was told what: a row is written before anything is sent, so that nobody is told twice or forgotten."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.store.change import Change
from quell.store.tables import told


@dataclass(frozen=True)
class Told:
    """One thing to tell one reporter once."""

    id: int
    report: int
    what: str
    ticket: int
    message: int | None
    state: str
    attempts: int
    says: str = ""
    sent_at: datetime | None = None


async def promise(change: Change, report: int, what: str, ticket: int, message: int) -> int | None:
    """Promise to tell a reporter; its id, or None when he was promised or told this before."""
    values = {"report": report, "what": what, "ticket": ticket, "message": message, "at": change.at}
    query = insert(told).values(values).on_conflict_do_nothing().returning(told.c.id)
    found = (await change.connection.execute(query)).scalar_one_or_none()
    return int(found) if found is not None else None


async def known(connection: AsyncConnection, report: int, what: str) -> bool:
    """Whether this was promised to the reporter before."""
    query = select(told.c.id).where(told.c.report == report, told.c.what == what)
    return (await connection.execute(query)).one_or_none() is not None


async def load(connection: AsyncConnection, number: int, *, lock: bool = False) -> Told | None:
    """One promise."""
    query = select(told).where(told.c.id == number)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return _told(row) if row is not None else None


async def mark(change: Change, number: int, state: str, says: str = "") -> None:
    """Say what became of it: `sending`, `sent`, `kept_silent`, `failed`."""
    values: dict[str, object] = {"state": state, "says": says}
    if state == "sending":
        values["attempts"] = told.c.attempts + 1
    if state == "sent":
        values["sent_at"] = change.at
    await change.connection.execute(told.update().where(told.c.id == number).values(values))


async def of_ticket(connection: AsyncConnection, ticket: int) -> list[Told]:
    """Everything that reporters of a ticket were or will be told, oldest first."""
    query = select(told).where(told.c.ticket == ticket).order_by(told.c.id)
    return [_told(row) for row in await connection.execute(query)]


def _told(row: object) -> Told:
    values = row._mapping  # type: ignore[attr-defined]
    return Told(**{name: values[name] for name in Told.__dataclass_fields__})
