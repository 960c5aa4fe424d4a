"""Bearer tokens for programs: shown once, kept as a digest, with a role, revoked at will."""

import hashlib
from dataclasses import dataclass
from secrets import token_urlsafe

from quell.core.permission import Role
from quell.store.change import Change
from quell.store.tables import api_token

TOKEN_BYTES = 32
PREFIX = "quell_"


@dataclass(frozen=True)
class Token:
    """A token that somebody showed us."""

    id: int
    name: str
    role: str


async def create(change: Change, name: str, role: Role, actor: str) -> str:
    """Make a token; it is returned here and never again."""
    secret = PREFIX + token_urlsafe(TOKEN_BYTES)
    values = {"digest": digest(secret), "name": name, "role": str(role), "made_at": change.at}
    made = (await change.connection.execute(api_token.insert().values(values).returning(api_token.c.id))).scalar_one()
    await change.record(f"setting:token:{made}", "token_made", actor, {"role": str(role)})
    return secret


async def use(change: Change, secret: str) -> Token | None:
    """The token with this secret, None when it is unknown or revoked; that it was used is written down."""
    query = (
        api_token.update()
        .where(api_token.c.digest == digest(secret), api_token.c.revoked_at.is_(None))
        .values(used_at=change.at)
        .returning(api_token.c.id, api_token.c.name, api_token.c.role)
    )
    row = (await change.connection.execute(query)).one_or_none()
    return Token(row.id, row.name, row.role) if row is not None else None


async def revoke(change: Change, number: int, actor: str) -> None:
    """Let a token work no longer."""
    await change.connection.execute(api_token.update().where(api_token.c.id == number).values(revoked_at=change.at))
    await change.record(f"setting:token:{number}", "token_revoked", actor, {})


def digest(secret: str) -> bytes:
    """What is kept of a token: it has enough randomness that a plain hash is safe."""
    return hashlib.sha256(secret.encode()).digest()
