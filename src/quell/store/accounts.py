"""Accounts of those who sign in, and the single-use links that make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.core.permission import Role
from quell.store.change import Change
from quell.store.tables import account, invitation, web_session

INVITATION_VALID_FOR = timedelta(days=7)
FIRST_RUN_VALID_FOR = timedelta(days=1)
ADDRESS_CHARACTERS_MAX = 254
NAME_CHARACTERS_MAX = 100


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in; `password` is the argon2id hash, None while none was chosen."""

    id: int
    email: str
    name: str
    role: str
    password: str | None
    made_at: datetime
    blocked_at: datetime | None


@dataclass(frozen=True)
class Invitation:
    """What a single-use link lets its holder make: an account of this role, for this address ("": any)."""

    digest: bytes
    role: str
    email: str
    first_run: bool
    expires_at: datetime


def clean_email(email: str) -> str:
    """The one spelling of an address; Refused when it is none."""
    found = email.strip().lower()
    name, _, host = found.rpartition("@")
    if not name or not host or any(each.isspace() for each in found) or len(found) > ADDRESS_CHARACTERS_MAX:
        raise Refused("That is not an email address.", 400, "email")
    return found


async def any_account(connection: AsyncConnection) -> bool:
    """Whether somebody has an account at all."""
    return (await connection.execute(select(account.c.id).limit(1))).first() is not None


async def account_by_email(connection: AsyncConnection, email: str) -> Account | None:
    """The account of an address that may still sign in."""
    query = select(account).where(account.c.email == email.strip().lower(), account.c.blocked_at.is_(None))
    return _account((await connection.execute(query)).first())


async def account_by_id(connection: AsyncConnection, number: int) -> Account | None:
    """One account, blocked or not."""
    return _account((await connection.execute(select(account).where(account.c.id == number))).first())


async def all_accounts(connection: AsyncConnection) -> list[Account]:
    """Every account by name."""
    rows = await connection.execute(select(account).order_by(func.lower(account.c.name), account.c.id))
    return [each for row in rows if (each := _account(row)) is not None]


async def names_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    """The names behind `account:N` in the log."""
    rows = await connection.execute(select(account.c.id, account.c.name).where(account.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


async def renew_first_run(change: Change, digest: bytes) -> bool:
    """Make this the only first-run link; False when there is an account already and none is needed."""
    await _lock(change.connection)
    if await any_account(change.connection):
        return False
    await change.connection.execute(invitation.delete().where(invitation.c.first_run))
    await _invite(change, digest, Role.OWNER, "", FIRST_RUN_VALID_FOR, first_run=True)
    return True


async def invite(change: Change, digest: bytes, role: Role, email: str, actor: str) -> None:
    """Make a single-use link for somebody else."""
    await _invite(change, digest, role, email, INVITATION_VALID_FOR)
    await change.record(f"invitation:{digest.hex()[:16]}", "invitation_made", actor, {"role": str(role)})


async def find_invitation(connection: AsyncConnection, digest: bytes, at: datetime) -> Invitation | None:
    """The link if it can still be used."""
    usable = invitation.c.used_at.is_(None) & (invitation.c.expires_at > at)
    row = (await connection.execute(select(invitation).where(invitation.c.digest == digest, usable))).first()
    if row is None or (row.first_run and await any_account(connection)):
        return None
    return Invitation(row.digest, row.role, row.email, row.first_run, row.expires_at)


async def accept_invitation(change: Change, digest: bytes, email: str, name: str, password: str) -> int:
    """Make the account that the link stands for and use the link up; `password` is a hash. The account's id."""
    await _lock(change.connection)
    found = await find_invitation(change.connection, digest, change.at)
    if found is None:
        raise Refused("This link was used already, or it is too old.", 410, "link_used")
    address, shown = clean_email(found.email or email), name.strip()
    if not shown or len(shown) > NAME_CHARACTERS_MAX:
        raise Refused("Please tell us your name.", 400, "name")
    if await _taken(change.connection, account.c.email == address):
        raise Refused("There is an account with this address already.", 409, "email_taken")
    used = invitation.update().where(invitation.c.digest == digest).values(used_at=change.at)
    await change.connection.execute(used)
    query = account.insert().values(email=address, name=shown, role=found.role, password=password, made_at=change.at)
    number: int = (await change.connection.execute(query.returning(account.c.id))).scalar_one()
    await change.record(f"account:{number}", "account_made", f"account:{number}", {"role": found.role})
    return number


async def block(change: Change, number: int, actor: str) -> None:
    """End all sessions of an account and let it sign in no more; the last owner cannot be blocked."""
    await _lock(change.connection)
    others = (account.c.role == Role.OWNER) & (account.c.id != number) & account.c.blocked_at.is_(None)
    found = await account_by_id(change.connection, number)
    if found is None:
        raise Refused("There is no such account.", 404, "no_account")
    if found.role == Role.OWNER and not await _taken(change.connection, others):
        raise Refused("The last owner cannot be blocked.", 409, "last_owner")
    await change.connection.execute(account.update().where(account.c.id == number).values(blocked_at=change.at))
    await change.connection.execute(web_session.delete().where(web_session.c.account == number))
    await change.record(f"account:{number}", "account_blocked", actor, {})


async def unblock(change: Change, number: int, actor: str) -> None:
    """Let an account sign in again."""
    await change.connection.execute(account.update().where(account.c.id == number).values(blocked_at=None))
    await change.record(f"account:{number}", "account_unblocked", actor, {})


async def _invite(
    change: Change, digest: bytes, role: Role, email: str, lasts: timedelta, first_run: bool = False
) -> None:
    await change.connection.execute(
        invitation.insert().values(
            digest=digest,
            role=str(role),
            email=clean_email(email) if email else "",
            first_run=first_run,
            made_at=change.at,
            expires_at=change.at + lasts,
        )
    )


async def _lock(connection: AsyncConnection) -> None:
    # Two people who open the first-run link at the same moment: one becomes the owner, the other is told.
    await connection.execute(text("LOCK TABLE invitation IN SHARE ROW EXCLUSIVE MODE"))


async def _taken(connection: AsyncConnection, condition: ColumnElement[bool]) -> bool:
    return (await connection.execute(select(account.c.id).where(condition).limit(1))).first() is not None


def _account(row: object) -> Account | None:
    return None if row is None else Account(*(getattr(row, name) for name in Account.__dataclass_fields__))
