"""The signer's own reading of the database: fixes, consents, devices, and the counter of orders per device."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from quell.core.consent import Consent
from quell.core.errors import Refused
from quell.signer.orders import DeviceFacts, FixFacts
from quell.store.tables import company, consent, device, fix


class SqlLedger:
    """Each call is one short transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        """The engine may be shared."""
        self._engine = engine

    async def find_fix(self, number: int) -> FixFacts | None:
        """The fix with its device."""
        query = (
            select(fix.c.id, fix.c.ticket, fix.c.action, fix.c.params, fix.c.plan_hash, *_DEVICE)
            .join(device, device.c.id == fix.c.device)
            .where(fix.c.id == number)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        params: Mapping[str, object] = row.params
        facts = _device(row.device, row.public_key, row.revoked_at)
        return FixFacts(
            row.id, row.ticket, facts, row.action, {name: str(value) for name, value in params.items()}, row.plan_hash
        )

    async def find_device(self, number: int) -> DeviceFacts | None:
        """A device by its number."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(*_DEVICE).where(device.c.id == number))).one_or_none()
        return None if row is None else _device(row.device, row.public_key, row.revoked_at)

    async def find_consent(self, number: int) -> Consent | None:
        """The latest consent to this fix, withdrawn or not."""
        query = select(consent).where(consent.c.fix == number).order_by(consent.c.id.desc()).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Consent(row.id, row.fix, row.plan_hash, row.actor, row.at, row.expires_at, row.withdrawn_at)

    async def allowed_actions(self) -> frozenset[str]:
        """The actions that the company allows; none before a company was loaded."""
        async with self._engine.connect() as connection:
            document = (await connection.execute(select(company.c.document))).scalar_one_or_none()
        listed = document.get("actions", []) if isinstance(document, Mapping) else []
        return frozenset(str(each["key"]) for each in listed if isinstance(each, Mapping) and "key" in each)

    async def count_devices(self) -> int:
        """How many devices are enrolled and not shut out."""
        query = select(func.count()).where(device.c.public_key.is_not(None), device.c.revoked_at.is_(None))
        async with self._engine.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def next_sequence(self, number: int, least: int) -> int:
        """Above all before it and not below `least`; the row's lock keeps two signers apart."""
        rising = func.greatest(device.c.sequence + 1, least)
        query = device.update().where(device.c.id == number).values(sequence=rising).returning(device.c.sequence)
        async with self._engine.begin() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        if found is None:
            raise Refused("there is no such device", 404, "no_device")
        return int(found)


_DEVICE = (device.c.id.label("device"), device.c.public_key, device.c.revoked_at)


def _device(number: int, public_key: bytes | None, revoked_at: object) -> DeviceFacts:
    return DeviceFacts(number, bytes(public_key).hex() if public_key else None, revoked_at is not None)
