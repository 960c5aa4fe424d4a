"""What belongs to the person who looks: the theme, and undoing the last thing."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quell.core.permission import May
from quell.web.deps import deps_of
from quell.web.form import read_form
from quell.web.pages.login import local_path
from quell.web.render import done, is_part
from quell.web.session import THEME_COOKIE, THEME_KEPT_FOR, THEMES, Looker, allowed

UNDO_CHARACTERS_MAX = 500

router = APIRouter(include_in_schema=False)


@router.post("/me/theme")
async def theme(request: Request) -> Response:
    """Keep light, dark or as the system says, in a cookie of this browser."""
    chosen = (await read_form(request)).text("theme", 20)
    referer = request.headers.get("referer", "")
    back = local_path("/" + referer.split("/", 3)[3]) if referer.count("/") >= 3 else "/"
    response = Response(status_code=204) if is_part(request) else RedirectResponse(back, 303)
    if chosen in THEMES:
        seconds = int(THEME_KEPT_FOR.total_seconds())
        response.set_cookie(THEME_COOKIE, chosen, max_age=seconds, samesite="lax", secure=request.url.scheme == "https")
    return response


@router.post("/undo")
async def undo(request: Request, seen: Looker) -> Response:
    """Take back what a toast offered to take back."""
    who = allowed(seen, May.WORK)
    what = await deps_of(request).desk.undo(who, (await read_form(request)).text("token", UNDO_CHARACTERS_MAX))
    return done(request, seen, what, "/" if what.ticket is None else f"/tickets/{what.ticket}")
