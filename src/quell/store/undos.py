"""Ways back: what a person's verb did, step by step, so that one press takes all of it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe

from sqlalchemy import select

from quell.core.errors import Refused
from quell.core.event import Json
from quell.store.change import Change
from quell.store.tables import undo

TOKEN_BYTES = 16


@dataclass(frozen=True)
class WayBack:
    """The steps to take, the last first."""

    steps: Sequence[Mapping[str, Json]]


async def keep(change: Change, actor: str, steps: Sequence[Mapping[str, Json]]) -> str | None:
    """Remember how to take something back; the token for it, None when there is nothing to take back."""
    if not steps:
        return None
    token = token_urlsafe(TOKEN_BYTES)
    values = {"token": token, "actor": actor, "steps": [dict(each) for each in steps], "at": change.at}
    await change.connection.execute(undo.insert().values(values))
    return token


async def spend(change: Change, token: str, actor: str) -> WayBack:
    """Take the token, once; Refused (404) for one that is unknown, somebody else's or spent."""
    query = select(undo).where(undo.c.token == token, undo.c.actor == actor, undo.c.used_at.is_(None))
    row = (await change.connection.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise Refused("there is nothing to take back here any more", 404, "no_undo")
    await change.connection.execute(undo.update().where(undo.c.token == token).values(used_at=change.at))
    return WayBack(row.steps)
