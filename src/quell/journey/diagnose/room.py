"""Gathers evidence when a ticket is sorted: the device as it is now, what solved it before, who else is affected."""

from collections.abc import Mapping
from datetime import UTC, datetime

from quell.core.errors import TryAgain
from quell.core.reading import Message
from quell.journey import tasks
from quell.journey.diagnose.decide import Similar, findings, worth_showing
from quell.journey.house import House
from quell.store import devices, evidence, fixes, incidents, nearby, readings, reports, tickets
from quell.store.jobs import Job

ACTOR = "diagnose"


async def examine(house: House, number: int) -> None:
    """Gather what can be known about a ticket; each piece has a link and an age. Safe to run twice."""
    async with house.store.read() as connection:
        state = await tickets.load(connection, number)
        report = await reports.load(connection, state.report)
        device = await devices.load(connection, report.device) if report.device is not None else None
        root = await incidents.root_of(connection, number)
        others = await nearby.open_tickets(connection, root, report.service, report.site)
        first = await nearby.first_message(connection, report.number)
        solved = await readings.solved(connection, house.store.clock(), number)
        messages = await house.mind.known(connection, {first or 0, *(said for _, said in solved)})
        await house.mind.ready(connection)
    similar = await _similar(house, first, dict(solved), messages)
    async with house.store.read() as connection:
        endings = {each.ticket: await nearby.ending(connection, each.ticket) for each in similar}
    async with house.store.change() as change:
        for kind in ("similar", "nearby"):
            await evidence.clear(change, number, kind)
        for each in similar:
            end = endings[each.ticket]
            body = {
                "share": round(each.share, 3),
                "ticket": each.ticket,
                "solved_by": end.solved_by,
                "proof": end.proof,
            }
            await evidence.add(change, number, "similar", end.title, body, f"/tickets/{each.ticket}", end.at)
        for other in others:
            about = {"ticket": other.number, "same": other.same, "reports": other.reports}
            await evidence.add(change, number, "nearby", other.title, about, f"/tickets/{other.number}", other.heard_at)
        gathered = {"similar": len(similar), "nearby": len(others)}
        await tickets.record(change, number, "evidence_gathered", ACTOR, {**gathered})
        await incidents.regather(change, root)
    if device is not None and device.reachable:
        await look(house, number, device.id)


async def _similar(
    house: House, first: int | None, solved: Mapping[int, int], messages: Mapping[int, Message]
) -> list[Similar]:
    if first is None or first not in messages or not solved:
        return []
    shares = await house.mind.similar(
        messages[first], {said: messages[said] for said in solved.values() if said in messages}
    )
    return worth_showing({ticket: shares[said] for ticket, said in solved.items() if said in shares})


async def look(house: House, number: int, device: int) -> int:
    """Ask a device to show itself as it is now; the order's id."""
    signed = await house.signer.sign_order("look", device=device, ticket=number)
    async with house.store.change() as change:
        return await fixes.add_order(change, signed, "look", device, None, number)


async def take_look(house: House, order: int) -> None:
    """Put what a device showed beside its ticket, and let the fixing room see whether it knows a way."""
    async with house.store.change() as change:
        found = await fixes.order(change.connection, order)
        if found is None or found.ticket is None or found.result is None:
            raise TryAgain(f"order {order} has no answer yet")
        device = await devices.load(change.connection, found.device)
        telemetry = found.result.get("telemetry")
        if not isinstance(telemetry, dict):
            body = {"says": str(found.result.get("says", "the device refused to look"))}
            await evidence.add(change, found.ticket, "telemetry", device.hostname, body, None, change.at)
            return
        seen = datetime.fromtimestamp(int(telemetry.get("at", change.at.timestamp())), UTC)
        said = findings(telemetry)
        await evidence.clear(change, found.ticket, "telemetry")
        body_all: dict[str, object] = {"findings": said, "telemetry": telemetry}
        link = f"/devices/{device.id}"
        await evidence.add(change, found.ticket, "telemetry", device.hostname, body_all, link, seen)
        await tickets.record(
            change, found.ticket, "evidence_gathered", f"device:{device.id}", {"telemetry": 1, "findings": len(said)}
        )
        await incidents.regather(change, await incidents.root_of(change.connection, found.ticket))
        change.later(Job(tasks.OFFER_FIX, {"number": found.ticket}))
