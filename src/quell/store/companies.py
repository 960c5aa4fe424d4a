"""The company: loaded whole from its file, read back whole, and spread over tables that others point to."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.calendar import Calendar
from quell.core.company import Company
from quell.core.company_file import read_company
from quell.core.errors import Refused
from quell.core.sla import DEFAULT_PROMISES, Timing
from quell.store.change import Change
from quell.store.tables import category, company, device, person, person_address, service, site, team

THE_COMPANY = 1


async def save(change: Change, raw: bytes, actor: str) -> tuple[Company, tuple[str, ...]]:
    """Load a company file; Refused with all faults and nothing changed when it is bad. The warnings come back."""
    loaded, warnings = read_company(raw)
    connection = change.connection
    document = json.loads(raw)
    values = {"id": THE_COMPANY, "document": document, "loaded_at": change.at}
    change.timing = None
    await _put(connection, company, [values], ("id",))
    await _put(connection, team, [vars(each) for each in loaded.teams], ("key",))
    await _put(connection, site, [_listed(vars(each)) for each in loaded.sites], ("key",))
    await _put(connection, service, [_listed(vars(each)) for each in loaded.services], ("key",))
    await _put(connection, category, [vars(each) for each in loaded.categories], ("key",))
    people = await _save_people(change, loaded)
    await _save_devices(change, loaded, people)
    counts = {"sites": len(loaded.sites), "people": len(loaded.people), "devices": len(loaded.devices)}
    await change.record("setting:company", "company_loaded", actor, {**counts, "categories": len(loaded.categories)})
    return loaded, warnings


async def _save_people(change: Change, loaded: Company) -> dict[str, int]:
    rows = [
        {
            "organisation": each.organisation,
            "name": each.name,
            "email": each.email,
            "department": each.department,
            "title": each.title,
            "site": each.site,
            "vip": each.vip,
            "known_from": "company",
        }
        for each in loaded.people
    ]
    await _put(change.connection, person, rows, ("email",))
    emails = [each.email for each in loaded.people]
    query = select(person.c.id, person.c.email).where(person.c.email.in_(emails))
    ids = {str(row.email): int(row.id) for row in await change.connection.execute(query)}
    addresses = [{"channel": "email", "address": email, "person": number} for email, number in ids.items()]
    await _put(change.connection, person_address, addresses, ("channel", "address"))
    return ids


async def _save_devices(change: Change, loaded: Company, people: Mapping[str, int]) -> None:
    rows = [
        {
            "organisation": each.organisation,
            "hostname": each.hostname,
            "kind": each.kind,
            "os": each.os,
            "site": each.site,
            "owner": people.get(each.owner_email) if each.owner_email else None,
        }
        for each in loaded.devices
    ]
    await _put(change.connection, device, rows, ("hostname",))


async def _put(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, object]], key: tuple[str, ...]
) -> None:
    if not rows:
        return
    query = insert(table)
    changed = {name: query.excluded[name] for name in rows[0] if name not in key}
    await connection.execute(query.on_conflict_do_update(index_elements=list(key), set_=changed), [*map(dict, rows)])


def _listed(row: Mapping[str, object]) -> dict[str, object]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in row.items()}


async def forget(change: Change, email: str) -> None:
    """Take a person out of the company's own words; whoever keeps the company in memory sees that it has changed."""
    query = select(company.c.document).where(company.c.id == THE_COMPANY).with_for_update()
    document = (await change.connection.execute(query)).scalar_one_or_none()
    if document is None:
        return
    people = [each for each in document.get("people", []) if str(each.get("email", "")).strip().lower() != email]
    devices = [
        {**each, "owner_email": None} if str(each.get("owner_email") or "").strip().lower() == email else each
        for each in document.get("devices", [])
    ]
    values = {"document": {**document, "people": people, "devices": devices}, "loaded_at": change.at}
    await change.connection.execute(company.update().where(company.c.id == THE_COMPANY).values(values))


async def current(connection: AsyncConnection) -> Company | None:
    """The company as it was last loaded, or None before the first time."""
    found = (
        await connection.execute(select(company.c.document).where(company.c.id == THE_COMPANY))
    ).scalar_one_or_none()
    return read_company(json.dumps(found).encode())[0] if found is not None else None


async def loaded_at(connection: AsyncConnection) -> object | None:
    """When the company was last loaded: whoever keeps it in memory compares this."""
    query = select(company.c.loaded_at).where(company.c.id == THE_COMPANY)
    return (await connection.execute(query)).scalar_one_or_none()


async def required(connection: AsyncConnection) -> Company:
    """The company; Refused (409) before it was loaded."""
    found = await current(connection)
    if found is None:
        raise Refused("no company is loaded yet: quell company load company.json", 409, "no_company")
    return found


async def timing(connection: AsyncConnection) -> Timing:
    """The calendar and the promises; before a company is loaded, clocks run around the clock in UTC."""
    query = select(company.c.document["timezone"], company.c.document["business_hours"])
    row = (await connection.execute(query.where(company.c.id == THE_COMPANY))).one_or_none()
    if row is None:
        return Timing(Calendar("UTC", {}, always=True), DEFAULT_PROMISES)
    zone, hours = row
    periods = {day: tuple((start, end) for start, end in value) for day, value in hours.items()}
    return Timing(Calendar(zone, periods), DEFAULT_PROMISES)


async def service_key(connection: AsyncConnection, named: str | None) -> str | None:
    """The key of the service that a label names, by key, name or alias; None when there is none."""
    return await _key_of(connection, service, named)


async def site_key(connection: AsyncConnection, named: str | None) -> str | None:
    """The key of the site that a label names, by key, name or alias; None when there is none."""
    return await _key_of(connection, site, named)


async def _key_of(connection: AsyncConnection, table: Table, named: str | None) -> str | None:
    if not named:
        return None
    wanted = named.strip().lower()
    rows = (await connection.execute(select(table.c.key, table.c.name, table.c.aliases))).all()
    exact = next((row.key for row in rows if row.key.lower() == wanted), None)
    close = (row.key for row in rows if wanted in {row.name.lower(), *(each.lower() for each in row.aliases)})
    return exact or next(close, None)
