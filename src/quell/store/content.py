"""Words, subjects and files: kept outside the chain with a salted digest, so that they can be erased for good."""

from dataclasses import dataclass
from datetime import datetime
from os import urandom

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import Json, content_digest
from quell.store.tables import content

SALT_BYTES = 16
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Kept:
    """A content row's id and digest, as an event carries them."""

    id: int
    digest: bytes

    def mention(self) -> dict[str, Json]:
        """How an event's body names it."""
        return {"content": self.id, "digest": self.digest.hex()}


async def keep(connection: AsyncConnection, body: bytes | str, person: int | None, media_type: str = TEXT) -> Kept:
    """Store words or a file; `person` is whose it is, so that erasing the person finds it."""
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    salt = urandom(SALT_BYTES)
    digest = content_digest(salt, raw)
    query = content.insert().values(salt=salt, digest=digest, body=raw, media_type=media_type, person=person)
    row = (await connection.execute(query.returning(content.c.id))).one()
    return Kept(row.id, digest)


async def text_of(connection: AsyncConnection, content_id: int | None) -> str:
    """The words of a row; an erased or absent one gives an empty text."""
    if content_id is None:
        return ""
    body = (await connection.execute(select(content.c.body).where(content.c.id == content_id))).scalar_one_or_none()
    return body.decode("utf-8", "replace") if body is not None else ""


async def texts_of(connection: AsyncConnection, ids: set[int]) -> dict[int, str]:
    """The words of many rows at once, by id."""
    if not ids:
        return {}
    rows = await connection.execute(select(content.c.id, content.c.body).where(content.c.id.in_(ids)))
    return {row.id: row.body.decode("utf-8", "replace") if row.body is not None else "" for row in rows}


async def erase_of(connection: AsyncConnection, person: int, at: datetime) -> list[int]:
    """Delete every word and salt of a person; the digests stay, and nobody can guess the words from them."""
    query = (
        content.update()
        .where(content.c.person == person, content.c.erased_at.is_(None))
        .values(body=None, salt=None, erased_at=at)
        .returning(content.c.id)
    )
    return [row.id for row in await connection.execute(query)]
