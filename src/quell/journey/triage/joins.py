"""Joining as an overlay: a ticket points to another, nothing is copied, and undoing it is just another event."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.core.event import Json
from quell.core.incident import check_join
from quell.core.reading import Reason
from quell.core.ticket import OPEN_STATUSES, reasons_json
from quell.store import incidents, tickets
from quell.store.change import Change
from quell.store.tables import ticket

ANCESTORS_MAX = 1000
ANNOUNCED_LEVELS = ("P1", "P2")
RULE = "rule:triage"


async def join(
    change: Change, child: int, into: int, actor: str, strength: float | None = None, reasons: tuple[Reason, ...] = ()
) -> int:
    """Let a ticket, with all that is joined to it, count to another; the number of the ticket where it counts now.

    Refused (409) when it is joined already, is the same, or belongs to another organisation.
    """
    root = (await incidents.hold(change, child, into))[into]
    there = await tickets.load_many(change.connection, (child, root))
    check_join(there[child], there[root])
    body: dict[str, Json] = {"into": root, "strength": strength, "reasons": reasons_json(reasons)}
    await tickets.record(change, child, "ticket_joined", actor, body)
    await tickets.record(change, root, "member_joined", actor, {"ticket": child, "report": there[child].report})
    if there[root].status not in OPEN_STATUSES and there[child].is_open:
        await tickets.record(change, root, "ticket_stirred", actor, {"by_ticket": child})
    await maybe(change, child, None)
    await point_on(change, child, root)
    await incidents.move_subtree(change, child, root)
    await settle(change, root)
    return root


async def leave(change: Change, child: int, actor: str) -> int:
    """Take a join back: the ticket, with what is joined to it, stands as if it had never been joined.

    Returns the number of the ticket that it left. Refused (409) when it is not joined.
    """
    root = (await incidents.hold(change, child))[child]
    now = await tickets.load(change.connection, child)
    if now.joined_to is None:
        raise Refused(f"ticket {child} is not joined to another", 409, "not_joined")
    above = await ancestors(change.connection, child)
    below = await incidents.subtree(change.connection, child)
    await tickets.record(change, child, "ticket_left", actor, {"from": now.joined_to})
    for each in above:
        await tickets.record(change, each, "member_left", actor, {"ticket": child, "tickets": [*below]})
    await incidents.move_subtree(change, child, child)
    await incidents.regather(change, root)
    await incidents.regather(change, child)
    return root


async def stir(change: Change, child: int, actor: str) -> None:
    """A reporter's word brings back what had ended: his own ticket, and what it is joined to while it is joined."""
    own = await tickets.take(change, child)
    if own.status not in OPEN_STATUSES:
        await tickets.record(change, child, "ticket_reopened", actor, {"why": "the reporter wrote again"})
    for each in await ancestors(change.connection, child):
        if (await tickets.load(change.connection, each)).status not in OPEN_STATUSES:
            await tickets.record(change, each, "ticket_stirred", actor, {"by_ticket": child})
    await incidents.regather(change, child)


async def settle(change: Change, root: int) -> None:
    """Gather a ticket anew; when a person's level is held while the crowd asks for P1 or P2, say so once."""
    gathered = await incidents.regather(change, root)
    other = gathered.other
    if other is None or other.value not in ANNOUNCED_LEVELS:
        return
    if await tickets.announced(change.connection, root) == other.value:
        return
    own = gathered.fields["priority"].value
    body: dict[str, Json] = {
        "field": "priority",
        "value": other.value,
        "held": own,
        "by": "rule",
        "reasons": reasons_json(other.reasons),
    }
    await tickets.record(change, root, "opinion_announced", RULE, body)
    await tickets.update(change.connection, root, announced=other.value)


async def maybe(change: Change, child: int, into: int | None) -> int | None:
    """Remember which ticket a model believes this one belongs to, until a person says so or not; where it points now.

    Beliefs are never chained: what pointed to this ticket points on, and a belief that would lead back is dropped.
    """
    if into is not None:
        into = await incidents.root_of(change.connection, into)
        further = select(ticket.c.maybe_into).where(ticket.c.number == into)
        into = (await change.connection.execute(further)).scalar_one_or_none() or into
        if into == child:
            into = None
    await change.connection.execute(ticket.update().where(ticket.c.number == child).values(maybe_into=into))
    if into is not None:
        await point_on(change, child, into)
    return into


async def point_on(change: Change, child: int, into: int) -> None:
    """Let beliefs that pointed to this ticket point to the one where it counts."""
    query = ticket.update().where(ticket.c.maybe_into == child, ticket.c.number != into)
    await change.connection.execute(query.values(maybe_into=into))
    back = ticket.update().where(ticket.c.maybe_into == child, ticket.c.number == into)
    await change.connection.execute(back.values(maybe_into=None))


async def ancestors(connection: AsyncConnection, number: int) -> list[int]:
    """The tickets that this one is joined to, the nearest first."""
    found: list[int] = []
    while len(found) < ANCESTORS_MAX:
        query = select(ticket.c.joined_to).where(ticket.c.number == number)
        up = (await connection.execute(query)).scalar_one_or_none()
        if up is None or up in found:
            return found
        found.append(int(up))
        number = int(up)
    return found
