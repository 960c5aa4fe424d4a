"""Devices: known by host name, enrolled once with a key of their own, heard by signed calls."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.company import DEFAULT_ORGANISATION
from quell.core.errors import Refused
from quell.store.change import Change
from quell.store.tables import device, device_nonce, enrol_token

NONCE_KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Device:
    """A device as the rooms see it; `public_key` is None until its agent is enrolled."""

    id: int
    organisation: str
    hostname: str
    kind: str
    os: str
    site: str | None
    owner: int | None
    public_key: bytes | None
    status: Mapping[str, object] | None
    agent_version: str | None
    enrolled_at: datetime | None
    revoked_at: datetime | None
    seen_at: datetime | None

    @property
    def reachable(self) -> bool:
        """Whether an agent that we trust runs there."""
        return self.public_key is not None and self.revoked_at is None


async def find(connection: AsyncConnection, hostname: str) -> Device | None:
    """The device of this host name; a domain or a port behind it does not matter."""
    full = hostname.strip().lower().split(":")[0]
    names = {full, full.split(".")[0]} - {""}
    query = (
        select(device).where(func.lower(device.c.hostname).in_(names)).order_by(func.length(device.c.hostname).desc())
    )
    row = (await connection.execute(query.limit(1))).one_or_none()
    return _device(row) if row is not None else None


async def load(connection: AsyncConnection, number: int) -> Device:
    """The device with this id."""
    row = (await connection.execute(select(device).where(device.c.id == number))).one_or_none()
    if row is None:
        raise Refused(f"there is no device {number}", 404, "no_such_device")
    return _device(row)


async def owned_by(connection: AsyncConnection, person: int) -> list[Device]:
    """The devices of a person."""
    rows = await connection.execute(select(device).where(device.c.owner == person).order_by(device.c.hostname))
    return [_device(row) for row in rows]


async def all_enrolled(connection: AsyncConnection) -> int:
    """How many devices have an agent that we trust."""
    query = select(func.count()).select_from(device)
    found = query.where(device.c.public_key.is_not(None), device.c.revoked_at.is_(None))
    return int((await connection.execute(found)).scalar_one())


async def add_token(change: Change, token: str, expires: datetime) -> None:
    """Remember a single-use enrolment token by its digest."""
    values = {"digest": digest(token), "made_at": change.at, "expires_at": expires}
    await change.connection.execute(enrol_token.insert().values(values))


async def enrol(change: Change, token: str, hostname: str, public_key: bytes, os: str, version: str) -> Device:
    """Spend a token and pin the key that the device made; Refused (403) for a used, unknown or expired token.

    A host name whose key is pinned already gets a new id only after the old one was revoked: an id is never reused.
    """
    query = enrol_token.update().where(
        enrol_token.c.digest == digest(token), enrol_token.c.used_at.is_(None), enrol_token.c.expires_at > change.at
    )
    spent = (await change.connection.execute(query.values(used_at=change.at).returning(enrol_token.c.digest))).all()
    if not spent:
        raise Refused("this enrolment token is unknown, used or expired", 403, "bad_token")
    found = await find(change.connection, hostname)
    if found is not None and found.public_key is not None and found.revoked_at is None:
        raise Refused(f"{hostname} is enrolled already; revoke it first", 409, "enrolled_already")
    values = {
        "public_key": public_key,
        "os": os,
        "agent_version": version,
        "enrolled_at": change.at,
        "seen_at": change.at,
        "revoked_at": None,
    }
    if found is not None and found.public_key is None:
        await change.connection.execute(device.update().where(device.c.id == found.id).values(values))
        number = found.id
    else:
        number = await _add(change, hostname, values, found)
    await change.connection.execute(
        enrol_token.update().where(enrol_token.c.digest == digest(token)).values(device=number)
    )
    key = hashlib.sha256(public_key).hexdigest()
    await change.record(f"device:{number}", "device_enrolled", f"device:{number}", {"key": key})
    return await load(change.connection, number)


async def _add(change: Change, hostname: str, values: Mapping[str, object], old: Device | None) -> int:
    if old is not None:
        retired = f"{old.hostname}#{old.id}"
        await change.connection.execute(device.update().where(device.c.id == old.id).values(hostname=retired))
    row = {
        "organisation": old.organisation if old else DEFAULT_ORGANISATION,
        "hostname": hostname,
        "kind": old.kind if old else "desktop",
        "site": old.site if old else None,
        "owner": old.owner if old else None,
        **values,
    }
    return int((await change.connection.execute(device.insert().values(row).returning(device.c.id))).scalar_one())


async def revoke(change: Change, number: int, actor: str) -> None:
    """Trust this device's key no longer."""
    await change.connection.execute(device.update().where(device.c.id == number).values(revoked_at=change.at))
    await change.record(f"device:{number}", "device_revoked", actor, {})


async def seen(change: Change, number: int, nonce: str) -> None:
    """Take one signed call of a device; Refused (409) when its nonce came before."""
    values = {"device": number, "nonce": nonce, "at": change.at}
    query = insert(device_nonce).values(values).on_conflict_do_nothing().returning(device_nonce.c.nonce)
    if (await change.connection.execute(query)).one_or_none() is None:
        raise Refused("this call came before", 409, "replayed")
    await change.connection.execute(device.update().where(device.c.id == number).values(seen_at=change.at))


async def keep_status(change: Change, number: int, status: object, version: str) -> None:
    """Keep the small picture that came with a poll."""
    values: dict[str, object] = {"status": status}
    if version:
        values["agent_version"] = version
    await change.connection.execute(device.update().where(device.c.id == number).values(values))


async def keep_head(change: Change, number: int, entries: int, head: str) -> None:
    """Keep the end of the device's own ledger, so that a shortened one is noticed later."""
    await change.connection.execute(
        device.update().where(device.c.id == number).values(ledger={"entries": entries, "hash": head})
    )


async def forget_nonces(change: Change) -> None:
    """Drop nonces that are too old for their call to be believed anyway."""
    old = change.at - NONCE_KEPT_FOR
    await change.connection.execute(device_nonce.delete().where(device_nonce.c.at < old))


def digest(token: str) -> bytes:
    """What is stored of a token: it has enough randomness that a plain hash is safe."""
    return hashlib.sha256(token.encode()).digest()


def _device(row: Row[tuple[object, ...]]) -> Device:
    return Device(
        row.id,
        row.organisation,
        row.hostname,
        row.kind,
        row.os,
        row.site,
        row.owner,
        row.public_key,
        row.status,
        row.agent_version,
        row.enrolled_at,
        row.revoked_at,
        row.seen_at,
    )
