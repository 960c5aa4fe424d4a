"""Reports over the API: told by a program on somebody's behalf, and read back with the ticket they led to."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from quell.core.errors import Refused
from quell.core.permission import May
from quell.journey.desk import actor_of
from quell.store import listing
from quell.web.api.auth import Caller, answer, once
from quell.web.body import parse, read_body
from quell.web.doors import doors_of

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])


@router.post("", status_code=202)
async def tell(request: Request, who: Caller) -> Response:
    """Tell what is wrong: {reporter, subject, text, channel?, labels?, device?}; stored before this answers."""
    actor_of(who).need(May.REPORT)
    raw = await read_body(request)
    key = request.headers.get("idempotency-key", "")

    async def do() -> Response:
        headers = {"idempotency-key": f"{who.actor} {key}"} if key else {}
        made = await doors_of(request).desk.take_report(raw, headers)
        found = {"number": made.report, "ticket": made.ticket, "href": f"/api/v1/reports/{made.report}"}
        return answer(found, 202)

    return await once(request, who, raw, do)


@router.get("/{number}")
async def report(request: Request, who: Caller, number: int) -> Response:
    """One report with its conversation, its own ticket and the ticket where it counts now."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        return answer(await listing.one_report(connection, number))


@router.post("/{number}/replies", status_code=201)
async def reply(request: Request, who: Caller, number: int) -> Response:
    """The reporter writes again: {"text": …, "solved": true or false (optional)}."""
    actor_of(who).need(May.WORK)
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        text, solved = given.get("text"), given.get("solved")
        if not isinstance(text, str) or solved not in (None, True, False):
            raise Refused("text must be a text, solved true or false", 422, "bad_value")
        done = await doors_of(request).desk.answer(number, text, solved)
        return answer({"says": done.says, "ticket": done.ticket}, 201)

    return await once(request, who, raw, do)
