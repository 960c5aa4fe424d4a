"""Tickets over the API: lists, one whole, and nouns for every verb."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from quell.core.errors import Fault, Refused
from quell.core.permission import May
from quell.journey.desk import actor_of
from quell.journey.spoken import Done, Seen
from quell.store import evidence, fixes, incidents, listing, proposals, reports
from quell.web.api.auth import Caller, answer, once
from quell.web.body import parse, read_body
from quell.web.doors import doors_of

FIELDS = ("category", "owner", "priority", "assignee")

router = APIRouter(prefix="/api/v1/tickets", tags=["tickets"])


@router.get("")
async def tickets(
    request: Request,
    who: Caller,
    state: str = "open",
    category: str | None = None,
    owner: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> Response:
    """Tickets, the newest first; `state` is open, ended, noise or all."""
    if state not in ("open", "ended", "noise", "all"):
        raise Refused("state is open, ended, noise or all", 422, "bad_state")
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        page = await listing.tickets_page(connection, listing.Filter(state, category, owner), after, limit)
    return answer({"items": page.items, "next": page.next})


@router.get("/{number}")
async def ticket(request: Request, who: Caller, number: int) -> Response:
    """One ticket, each field with its value, who set it, how sure and why."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        return answer(await listing.one_ticket(connection, number))


@router.get("/{number}/timeline")
async def timeline(request: Request, who: Caller, number: int, after: int = 0, limit: int = 200) -> Response:
    """What happened, oldest first, with each event's hash."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        page = await listing.timeline(connection, number, after, limit)
    return answer({"items": page.items, "next": page.next})


@router.get("/{number}/reports")
async def ticket_reports(request: Request, who: Caller, number: int) -> Response:
    """The reports that count to the ticket."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        await listing.one_ticket(connection, number)
        return answer({"items": await listing.reports_of(connection, number), "next": None})


@router.get("/{number}/proposals")
async def ticket_proposals(request: Request, who: Caller, number: int) -> Response:
    """What the models suggested, newest first, with confidence, reasons and version."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        await listing.one_ticket(connection, number)
        found = await proposals.of_ticket(connection, number)
    return answer({"items": [_plain(each) for each in found], "next": None})


@router.get("/{number}/evidence")
async def ticket_evidence(request: Request, who: Caller, number: int) -> Response:
    """What was found out, each piece with its link and its age."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        await listing.one_ticket(connection, number)
        found = await evidence.of_tickets(connection, await incidents.members_of(connection, number))
    return answer({"items": [_plain(each) for each in found], "next": None})


@router.get("/{number}/fixes")
async def ticket_fixes(request: Request, who: Caller, number: int) -> Response:
    """The fixes of the ticket, newest first, each with its plan and what was measured."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        await listing.one_ticket(connection, number)
        found = await fixes.of_tickets(connection, await incidents.members_of(connection, number))
    return answer({"items": [_plain(each) for each in found], "next": None})


@router.put("/{number}/{field}")
async def set_field(request: Request, who: Caller, number: int, field: str) -> Response:
    """Set category, owner, priority or assignee: {"value": key or null, "version": as seen (optional)}."""
    if field not in FIELDS:
        raise Refused(f"a ticket has no {field}", 404, "no_such_field")
    given = await _given(request)
    value = given.get("value")
    if value is not None and not isinstance(value, str):
        raise Refused("value must be a text or null", 422, "bad_value", (Fault("value", "must be a text or null"),))
    done = await doors_of(request).desk.correct(who, [_seen(number, given)], {field: value})
    return await _shown(request, done, number)


@router.post("/{number}/acceptance")
async def accept(request: Request, who: Caller, number: int) -> Response:
    """Say yes to all open proposals."""
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        return await _shown(request, await doors_of(request).desk.accept(who, [_seen(number, given)]), number)

    return await once(request, who, raw, do)


@router.post("/{number}/joins")
async def join(request: Request, who: Caller, number: int) -> Response:
    """Let a report, or a ticket with all its reports, count to this one: {"report": n} or {"ticket": n}."""
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        doors = doors_of(request)
        if isinstance(given.get("report"), int):
            done = await doors.desk.put_back(who, number, given["report"])
        elif isinstance(given.get("ticket"), int):
            done = await doors.desk.join(who, [Seen(given["ticket"])], number)
        else:
            raise Refused("name a report or a ticket", 422, "nothing_to_join", (Fault("report", "is missing"),))
        return await _shown(request, done, number, 201)

    return await once(request, who, raw, do)


@router.delete("/{number}/joins/{report}")
async def leave(request: Request, who: Caller, number: int, report: int) -> Response:
    """Take a report out, or say no to a suggested join; both sides stand as if it had never been joined."""
    doors = doors_of(request)
    async with doors.house.store.read() as connection:
        known = await reports.load(connection, report)
        if known.ticket is None or number not in (
            await incidents.root_of(connection, known.ticket),
            await incidents.place_of(connection, report),
        ):
            raise Refused(f"report {report} does not count to ticket {number}", 404, "not_joined")
    return await _shown(request, await doors.desk.take_out(who, number, report), known.ticket)


@router.post("/{number}/closure")
async def close(request: Request, who: Caller, number: int) -> Response:
    """End a ticket: {"solved_by": what helped}; every reporter is told once."""
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        solved_by = given.get("solved_by") or ""
        if not isinstance(solved_by, str):
            raise Refused("solved_by must be a text", 422, "bad_value", (Fault("solved_by", "must be a text"),))
        done = await doors_of(request).desk.close(who, [_seen(number, given)], solved_by)
        return await _shown(request, done, number, 201)

    return await once(request, who, raw, do)


@router.delete("/{number}/closure")
async def reopen(request: Request, who: Caller, number: int) -> Response:
    """Take the end back."""
    return await _shown(request, await doors_of(request).desk.reopen(who, number), number)


@router.post("/{number}/replies")
async def reply(request: Request, who: Caller, number: int) -> Response:
    """Answer reporters: {"text": …, "reports": [n …] (none: all)}."""
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        wanted = given.get("reports") or []
        if not isinstance(wanted, list) or not all(isinstance(each, int) for each in wanted):
            raise Refused("reports must be a list of numbers", 422, "bad_value", (Fault("reports", "is no list"),))
        done = await doors_of(request).desk.reply(who, number, _text(given), wanted)
        return await _shown(request, done, number, 201)

    return await once(request, who, raw, do)


@router.post("/{number}/notes")
async def note(request: Request, who: Caller, number: int) -> Response:
    """Write a note that only technicians see: {"text": …}."""
    raw = await read_body(request)

    async def do() -> Response:
        done = await doors_of(request).desk.note(who, number, _text(parse(raw)))
        return await _shown(request, done, number, 201)

    return await once(request, who, raw, do)


@router.post("/{number}/fixes")
async def plan_fix(request: Request, who: Caller, number: int) -> Response:
    """Have a device plan a fix: {"device": host name, "action": key, "params": {}}; nothing runs without consent."""
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        params = given.get("params") or {}
        if not isinstance(params, dict) or not all(isinstance(each, str) for each in params.values()):
            raise Refused("params must map names to texts", 422, "bad_value", (Fault("params", "is no such map"),))
        device, action = given.get("device"), given.get("action")
        if not isinstance(device, str) or not isinstance(action, str):
            raise Refused("name a device and an action", 422, "bad_value", (Fault("action", "is missing"),))
        done = await doors_of(request).desk.plan_fix(who, number, device, action, params)
        return await _shown(request, done, number, 202)

    return await once(request, who, raw, do)


@router.post("/{number}/fixes/{fix}/consent")
async def consent(request: Request, who: Caller, number: int, fix: int) -> Response:
    """Agree to exactly the plan with this hash: {"plan_hash": …}."""
    raw = await read_body(request)

    async def do() -> Response:
        await _check_fix(request, number, fix)
        named = parse(raw).get("plan_hash")
        if not isinstance(named, str):
            raise Refused("name the plan by its hash", 422, "bad_value", (Fault("plan_hash", "is missing"),))
        return await _shown(request, await doors_of(request).desk.consent(who, fix, named), number, 201)

    return await once(request, who, raw, do)


@router.delete("/{number}/fixes/{fix}/consent")
async def refuse(request: Request, who: Caller, number: int, fix: int) -> Response:
    """Refuse a fix, or withdraw the consent before it runs."""
    await _check_fix(request, number, fix)
    return await _shown(request, await doors_of(request).desk.refuse(who, fix), number)


async def _check_fix(request: Request, number: int, fix: int) -> None:
    async with doors_of(request).house.store.read() as connection:
        found = await fixes.load(connection, fix)
        if number not in (found.ticket, await incidents.root_of(connection, found.ticket)):
            raise Refused(f"ticket {number} has no fix {fix}", 404, "no_such_fix")


async def _shown(request: Request, done: Done, number: int, status: int = 200) -> Response:
    async with doors_of(request).house.store.read() as connection:
        found = await listing.one_ticket(connection, number)
    return answer({**found, "says": done.says, "undo": done.undo}, status)


async def _given(request: Request) -> dict[str, Any]:
    return parse(await read_body(request))


def _seen(number: int, given: dict[str, Any]) -> Seen:
    version = given.get("version")
    return Seen(number, version if isinstance(version, int) else None)


def _text(given: dict[str, Any]) -> str:
    text = given.get("text")
    if not isinstance(text, str):
        raise Refused("text is missing", 422, "bad_value", (Fault("text", "must be a text"),))
    return text


def _plain(thing: Any) -> dict[str, Any]:
    return {key: _value(value) for key, value in asdict(thing).items()}


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _value(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_value(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value
