"""Answers to POST requests that named an Idempotency-Key, so that doing one twice does it once."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from quell.core.errors import Refused
from quell.store.change import Change
from quell.store.tables import idempotency

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Before:
    """The answer that was given before."""

    status: int
    answer: bytes


async def claim(change: Change, actor: str, key: str, request: bytes) -> Before | None:
    """Claim a key for a request with this digest; the earlier answer when there is one."""
    old = idempotency.delete().where(idempotency.c.at < change.at - KEPT_FOR)
    await change.connection.execute(old)
    values = {"actor": actor, "key": key, "request": request, "at": change.at}
    query = insert(idempotency).values(values).on_conflict_do_nothing().returning(idempotency.c.key)
    if (await change.connection.execute(query)).one_or_none() is not None:
        return None
    mine = (idempotency.c.actor == actor, idempotency.c.key == key)
    row = (await change.connection.execute(select(idempotency).where(*mine).with_for_update())).one()
    if row.request != request:
        raise Refused("this Idempotency-Key was used for another request", 422, "key_reused")
    if row.status is not None:
        return Before(row.status, row.answer)
    if change.at - row.at < ABANDONED_AFTER:
        raise Refused("the first request with this key is still under way", 409, "under_way", retry_after_s=1)
    await change.connection.execute(idempotency.update().where(*mine).values(at=change.at))
    return None


async def keep(change: Change, actor: str, key: str, status: int, answer: bytes) -> None:
    """Keep the answer that was given."""
    query = idempotency.update().where(idempotency.c.actor == actor, idempotency.c.key == key)
    await change.connection.execute(query.values(status=status, answer=answer))


async def release(change: Change, actor: str, key: str) -> None:
    """Give a key back whose request was refused."""
    query = idempotency.delete().where(idempotency.c.actor == actor, idempotency.c.key == key)
    await change.connection.execute(query.where(idempotency.c.status.is_(None)))
