"""The fleet, one device, and the token that lets a new one in."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from quell.core.permission import May
from quell.web.deps import deps_of
from quell.web.live import position_text
from quell.web.pages.queue import words_of
from quell.web.render import frame_of, page
from quell.web.session import Looker, allowed
from quell.web.views.devices import EnrolView
from quell.web.views.signs import Moment

router = APIRouter(include_in_schema=False)


@router.get("/devices")
async def show(request: Request, seen: Looker) -> Response:
    """The list."""
    who, query = allowed(seen, May.READ), request.query_params
    position = position_text(await deps_of(request).live.end())
    which, after = query.get("which", "all")[:40], query.get("after", "")[:300]
    view = await deps_of(request).reads.devices(who, which, words_of(request), after)
    frame = await frame_of(request, seen, "devices")
    return page(request, seen, "devices/list.html", frame, view=view, position=position)


@router.post("/devices/tokens")
async def token(request: Request, seen: Looker) -> Response:
    """Make a single-use token and show it this once."""
    deps, who = deps_of(request), allowed(seen, May.CONFIGURE)
    made = await deps.desk.enrol(who)
    line = f"quell agent enrol --server {deps.address} --token {made.token}"
    ends = Moment(f"{made.ends:%H:%M} UTC", made.ends.isoformat())
    frame = await frame_of(request, seen, "devices")
    return page(request, seen, "devices/token.html", frame, enrol=EnrolView(made.token, line, ends))


@router.get("/devices/{key}")
async def one(request: Request, key: str, seen: Looker) -> Response:
    """One device."""
    who = allowed(seen, May.READ)
    position = position_text(await deps_of(request).live.end())
    view = await deps_of(request).reads.device(who, key)
    frame = await frame_of(request, seen, "devices")
    return page(request, seen, "devices/device.html", frame, view=view, position=position)
