"""People who report: found by their address on a channel, made known when they first write, erased on request."""

from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.company import DEFAULT_ORGANISATION
from quell.core.errors import Refused
from quell.core.incoming import Party
from quell.store import companies, content, deliveries
from quell.store.change import Change
from quell.store.tables import evidence, message, person, person_address, proposal, report, ticket

ERASED_TITLE = "(erased)"


@dataclass(frozen=True)
class Known:
    """A person as the rooms see him."""

    id: int
    organisation: str
    name: str | None
    email: str | None
    site: str | None
    department: str
    vip: bool


async def find(connection: AsyncConnection, channel: str, party: Party) -> Known | None:
    """The person behind an address on a channel, by the address itself, else by the mail address it claims."""
    query = select(person).join(person_address, person_address.c.person == person.c.id)
    exact = query.where(person_address.c.channel == channel, person_address.c.address == party.address.lower())
    row = (await connection.execute(exact)).one_or_none()
    if row is None and (email := _email(channel, party)):
        row = (await connection.execute(select(person).where(person.c.email == email))).one_or_none()
    return _known(row) if row is not None else None


async def find_or_add(change: Change, channel: str, party: Party, organisation: str | None = None) -> Known:
    """The person behind an address; a stranger is made known, in the organisation of the channel."""
    found = await find(change.connection, channel, party)
    if found is None:
        found = await _add(change, channel, party, organisation or DEFAULT_ORGANISATION)
    address = {"channel": channel, "address": party.address.lower(), "person": found.id}
    await change.connection.execute(insert(person_address).values(address).on_conflict_do_nothing())
    return found


async def load(connection: AsyncConnection, number: int) -> Known:
    """The person with this id."""
    row = (await connection.execute(select(person).where(person.c.id == number))).one_or_none()
    if row is None:
        raise Refused(f"there is no person {number}", 404, "no_such_person")
    return _known(row)


async def erase(change: Change, number: int, actor: str) -> int:
    """Erase a person's name, addresses and words; the chain stays whole and says erased. The number of rows erased."""
    connection = change.connection
    known = await load(connection, number)
    if known.email is not None:
        await companies.forget(change, known.email)
    erased = await content.erase_of(connection, number, change.at)
    await connection.execute(
        person.update()
        .where(person.c.id == number)
        .values(name=None, email=None, department="", title="", site=None, erased_at=change.at)
    )
    await deliveries.erase_of(connection, number)
    await connection.execute(person_address.delete().where(person_address.c.person == number))
    own = select(report.c.number).where(report.c.person == number)
    titled = ticket.update().where(ticket.c.report.in_(own)).values(title=ERASED_TITLE).returning(ticket.c.number)
    links = [f"/tickets/{row.number}" for row in await connection.execute(titled)]
    await connection.execute(evidence.update().where(evidence.c.link.in_(links)).values(title=ERASED_TITLE))
    await connection.execute(report.update().where(report.c.person == number).values(route={}, labels={}))
    await connection.execute(message.update().where(message.c.report.in_(own)).values(source_key=None))
    await connection.execute(proposal.update().where(proposal.c.report.in_(own)).values(reasons=[]))
    await change.record(f"person:{number}", "person_erased", actor, {"contents": len(erased)})
    return len(erased)


async def _add(change: Change, channel: str, party: Party, organisation: str) -> Known:
    values = {
        "organisation": organisation,
        "name": party.name or party.address,
        "email": _email(channel, party),
        "known_from": channel,
    }
    query = insert(person).values(values).on_conflict_do_nothing().returning(person)
    row = (await change.connection.execute(query)).one_or_none()
    if row is None:
        row = (await change.connection.execute(select(person).where(person.c.email == values["email"]))).one()
        return _known(row)
    made = _known(row)
    await change.record(f"person:{made.id}", "person_known", f"channel:{channel}", {"organisation": organisation})
    return made


def _email(channel: str, party: Party) -> str | None:
    claimed = party.email or (party.address if channel in ("email", "portal") or "@" in party.address else None)
    return claimed.strip().lower() if claimed and claimed.count("@") == 1 else None


def _known(row: Row[tuple[object, ...]]) -> Known:
    return Known(row.id, row.organisation, row.name, row.email, row.site, row.department, row.vip)


def shown_name(known: Known | None, fallback: str = "") -> str:
    """What a page calls the person."""
    return (known.name or known.email or fallback) if known else fallback
