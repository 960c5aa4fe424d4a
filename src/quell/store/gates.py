"""The gate as it stands, its evidence, and how far each category's owner lets automation go."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import Json
from quell.store.change import Change
from quell.store.tables import category, gate

JOINT = "all"


async def now(connection: AsyncConnection, version: str, field: str = JOINT) -> tuple[bool, float]:
    """Whether the gate is open for this version of the model, and its threshold; another version finds it closed."""
    row = (await connection.execute(select(gate).where(gate.c.field == field))).one_or_none()
    if row is None or row.version != version or row.threshold is None:
        return False, 1.0
    return bool(row.open), float(row.threshold)


async def move(
    change: Change, is_open: bool, threshold: float | None, evidence: Mapping[str, Json], version: str
) -> None:
    """Open or close the gate; the evidence stands in the event and in the row."""
    values = {
        "field": JOINT,
        "open": is_open,
        "threshold": threshold,
        "evidence": dict(evidence),
        "version": version,
        "at": change.at,
    }
    query = insert(gate).values(values)
    changed = {name: query.excluded[name] for name in values if name != "field"}
    await change.connection.execute(query.on_conflict_do_update(index_elements=["field"], set_=changed))


async def ceilings(connection: AsyncConnection) -> dict[str, str]:
    """How far automation may go in each category: `suggest`, `sort` or `fix`."""
    rows = await connection.execute(select(category.c.key, category.c.ceiling))
    return {row.key: row.ceiling for row in rows}


async def set_ceiling(change: Change, key: str, ceiling: str, actor: str) -> None:
    """Let automation go this far in a category."""
    await change.connection.execute(category.update().where(category.c.key == key).values(ceiling=ceiling))
    await change.record(f"setting:category:{key}", "ceiling_set", actor, {"ceiling": ceiling})
