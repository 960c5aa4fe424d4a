"""Fixes and the orders they consist of: proposed, planned, agreed to, applied, checked, undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.consent import CONSENT_VALID_FOR
from quell.core.errors import Refused
from quell.core.event import Json
from quell.store.change import Change
from quell.store.signer_client import SignedByUs
from quell.store.tables import consent, fix, fix_order

RUNNING = frozenset({"applying", "checking", "undoing"})
UNFINISHED = frozenset({"proposed", "planning", "planned", "agreed"}) | RUNNING


@dataclass(frozen=True)
class Fix:
    """A fix of one ticket on one device."""

    id: int
    ticket: int
    device: int
    action: str
    params: Mapping[str, str]
    state: str
    plan: Mapping[str, object] | None
    plan_hash: str | None
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    says: str
    proposed_by: str
    reasons: list[list[object]]
    at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class Ordered:
    """An order that was signed for a device, and what the device answered."""

    id: int
    fix: int | None
    ticket: int | None
    device: int
    kind: str
    nonce: str
    envelope: bytes
    state: str
    result: Mapping[str, object] | None
    expires_at: datetime


async def add(
    change: Change, ticket: int, device: int, action: str, params: Mapping[str, str], reasons: list[Json], actor: str
) -> int:
    """Propose a fix; its id."""
    values = {
        "ticket": ticket,
        "device": device,
        "action": action,
        "params": dict(params),
        "state": "proposed",
        "reasons": reasons,
        "proposed_by": actor,
        "at": change.at,
        "changed_at": change.at,
    }
    return int((await change.connection.execute(fix.insert().values(values).returning(fix.c.id))).scalar_one())


async def load(connection: AsyncConnection, number: int, *, lock: bool = False) -> Fix:
    """The fix with this id; Refused (404) when there is none."""
    query = select(fix).where(fix.c.id == number)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise Refused(f"there is no fix {number}", 404, "no_such_fix")
    return Fix(**{name: row._mapping[name] for name in Fix.__dataclass_fields__})


async def of_tickets(connection: AsyncConnection, numbers: list[int]) -> list[Fix]:
    """The fixes of these tickets, newest first."""
    query = select(fix).where(fix.c.ticket.in_(numbers)).order_by(fix.c.id.desc())
    names = Fix.__dataclass_fields__
    return [Fix(**{name: row._mapping[name] for name in names}) for row in await connection.execute(query)]


async def update(change: Change, number: int, **values: object) -> None:
    """Write columns of a fix."""
    await change.connection.execute(fix.update().where(fix.c.id == number).values(changed_at=change.at, **values))


async def agree(change: Change, number: int, plan_hash: str, actor: str) -> int:
    """Write a consent to exactly this plan; its id."""
    values = {
        "fix": number,
        "plan_hash": plan_hash,
        "actor": actor,
        "at": change.at,
        "expires_at": change.at + CONSENT_VALID_FOR,
    }
    return int((await change.connection.execute(consent.insert().values(values).returning(consent.c.id))).scalar_one())


async def withdraw(change: Change, number: int) -> None:
    """Withdraw whatever consent was given to a fix."""
    query = consent.update().where(consent.c.fix == number, consent.c.withdrawn_at.is_(None))
    await change.connection.execute(query.values(withdrawn_at=change.at))


async def add_order(
    change: Change, signed: SignedByUs, kind: str, device: int, fix_id: int | None, ticket: int | None
) -> int:
    """Put a signed order into the device's list; the same order put twice stands there once. Its id."""
    query = select(fix_order.c.id).where(fix_order.c.nonce == signed.order.nonce)
    there = (await change.connection.execute(query)).scalar_one_or_none()
    if there is not None:
        return int(there)
    values = {
        "fix": fix_id,
        "ticket": ticket,
        "device": device,
        "kind": kind,
        "action": signed.order.action,
        "sequence": signed.order.sequence,
        "nonce": signed.order.nonce,
        "envelope": signed.envelope,
        "issued_at": signed.issued_at,
        "expires_at": signed.expires_at,
    }
    query_made = fix_order.insert().values(values).returning(fix_order.c.id)
    return int((await change.connection.execute(query_made)).scalar_one())


async def waiting_for(connection: AsyncConnection, device: int, at: datetime, limit: int) -> list[Ordered]:
    """The orders of a device that have no answer and have not run out, in their sequence."""
    query = (
        select(fix_order)
        .where(fix_order.c.device == device, fix_order.c.state == "waiting", fix_order.c.expires_at > at)
        .order_by(fix_order.c.sequence)
        .limit(limit)
    )
    return [_ordered(row) for row in await connection.execute(query)]


async def answer(change: Change, device: int, nonce: str, result: Mapping[str, object]) -> Ordered | None:
    """Keep the first answer to an order; None when the order is unknown or was answered before."""
    query = (
        fix_order.update()
        .where(fix_order.c.device == device, fix_order.c.nonce == nonce, fix_order.c.state != "answered")
        .values(state="answered", result=dict(result), answered_at=change.at)
        .returning(fix_order)
    )
    row = (await change.connection.execute(query)).one_or_none()
    return _ordered(row) if row is not None else None


async def order(connection: AsyncConnection, number: int) -> Ordered | None:
    """One order."""
    row = (await connection.execute(select(fix_order).where(fix_order.c.id == number))).one_or_none()
    return _ordered(row) if row is not None else None


async def orders_of(connection: AsyncConnection, fix_id: int) -> list[Ordered]:
    """All orders of a fix, oldest first."""
    query = select(fix_order).where(fix_order.c.fix == fix_id).order_by(fix_order.c.id)
    return [_ordered(row) for row in await connection.execute(query)]


async def run_out(change: Change) -> list[Ordered]:
    """Mark the orders that ran out unanswered as such; those that belong to a fix come back."""
    query = (
        fix_order.update()
        .where(fix_order.c.state == "waiting", fix_order.c.expires_at <= change.at)
        .values(state="run_out")
        .returning(fix_order)
    )
    return [found for row in await change.connection.execute(query) if (found := _ordered(row)).fix is not None]


def _ordered(row: object) -> Ordered:
    values = row._mapping  # type: ignore[attr-defined]
    return Ordered(**{name: values[name] for name in Ordered.__dataclass_fields__})
