"""`GET /events`: server-sent events that say which tickets and devices changed, never what; the pages fetch again."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from quell.core.errors import Refused
from quell.core.permission import May
from quell.store.chain import Position
from quell.web.deps import deps_of
from quell.web.live import PAUSE_S, Live, position_text, read_position
from quell.web.session import Looker, allowed

STREAMS_MAX = 500
STREAM_LASTS_S = 600.0
RETRY_MS = 2000

router = APIRouter(include_in_schema=False)


@router.get("/events")
async def events(request: Request, seen: Looker) -> Response:
    """The stream; it begins behind `Last-Event-ID`, or `after`, or now."""
    allowed(seen, May.READ)
    live = deps_of(request).live
    if live.streams >= STREAMS_MAX:
        raise Refused("Too many pages listen at once.", 503, "too_many_streams", (), 30)
    given = request.headers.get("last-event-id") or request.query_params.get("after", "")
    position = read_position(given) or await live.end()
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_stream(live, position), media_type="text/event-stream", headers=headers)


async def _stream(live: Live, position: Position) -> AsyncIterator[str]:
    # It ends after a while, so that a session that ended meanwhile is noticed when the browser comes back.
    live.streams += 1
    loop = asyncio.get_running_loop()
    ends = loop.time() + STREAM_LASTS_S
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while loop.time() < ends:
            found = await live.after(position)
            if found.position == position:
                yield ": still here\n\n"
                continue
            position = found.position
            for name, numbers in (("tickets", found.tickets), ("devices", found.devices)):
                if numbers:
                    yield f"id: {position_text(position)}\nevent: {name}\ndata: {json.dumps(sorted(numbers))}\n\n"
            await asyncio.sleep(PAUSE_S)
    finally:
        live.streams -= 1
