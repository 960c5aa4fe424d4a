"""Sessions of signed-in people, and the count of failed sign-ins; only digests of tokens are kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store.accounts import Account
from quell.store.tables import account, sign_in_failure, web_session

SESSION_LASTS = timedelta(days=14)
SESSION_IDLE_MAX = timedelta(hours=12)
SEEN_AGAIN_AFTER = timedelta(minutes=1)
FAILURES_WITHIN = timedelta(minutes=15)


async def open_session(connection: AsyncConnection, digest: bytes, number: int, at: datetime) -> None:
    """Begin a session of this account."""
    await connection.execute(web_session.insert().values(digest=digest, account=number, opened_at=at, seen_at=at))


async def find_session(connection: AsyncConnection, digest: bytes, at: datetime) -> Account | None:
    """Whose session this is, None when it has ended; being seen keeps it alive, up to its full length."""
    alive = (web_session.c.opened_at > at - SESSION_LASTS) & (web_session.c.seen_at > at - SESSION_IDLE_MAX)
    query = (
        select(account, web_session.c.seen_at)
        .join(web_session, web_session.c.account == account.c.id)
        .where(web_session.c.digest == digest, alive, account.c.blocked_at.is_(None))
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    if row.seen_at < at - SEEN_AGAIN_AFTER:
        seen = web_session.update().where(web_session.c.digest == digest, web_session.c.seen_at < at)
        await connection.execute(seen.values(seen_at=at))
    return Account(row.id, row.email, row.name, row.role, row.password, row.made_at, row.blocked_at)


async def close_session(connection: AsyncConnection, digest: bytes) -> None:
    """End one session."""
    await connection.execute(web_session.delete().where(web_session.c.digest == digest))


async def check_failures(connection: AsyncConnection, most: Mapping[str, int], at: datetime) -> None:
    """Raise Refused (429) when one of these keys failed as often as its number allows in the last quarter hour."""
    recent = sign_in_failure.c.at > at - FAILURES_WITHIN
    query = (
        select(sign_in_failure.c.key, func.count().label("n"), func.min(sign_in_failure.c.at).label("first"))
        .where(sign_in_failure.c.key.in_(most), recent)
        .group_by(sign_in_failure.c.key)
    )
    for row in await connection.execute(query):
        if row.n >= most[row.key]:
            wait = int((row.first + FAILURES_WITHIN - at).total_seconds()) + 1
            raise Refused("Too many tries. Wait a quarter of an hour, then try again.", 429, "too_many", (), wait)


async def record_failure(connection: AsyncConnection, keys: tuple[str, ...], at: datetime) -> None:
    """Count a failed sign-in under each key."""
    await connection.execute(sign_in_failure.insert(), [{"key": key, "at": at} for key in keys])


async def forget_failures(connection: AsyncConnection, key: str) -> None:
    """A right password clears the count of its own key."""
    await connection.execute(sign_in_failure.delete().where(sign_in_failure.c.key == key))


async def sweep(connection: AsyncConnection, at: datetime) -> None:
    """Remove ended sessions and old failures; called once an hour by a periodic task."""
    ended = or_(web_session.c.opened_at < at - SESSION_LASTS, web_session.c.seen_at < at - SESSION_IDLE_MAX)
    await connection.execute(web_session.delete().where(ended))
    await connection.execute(sign_in_failure.delete().where(sign_in_failure.c.at < at - FAILURES_WITHIN))
