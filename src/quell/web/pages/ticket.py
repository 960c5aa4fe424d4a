"""One ticket: its page, its parts for the live page, and everything that can be done to it there."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quell.core.errors import Refused
from quell.core.permission import May
from quell.web.deps import deps_of
from quell.web.form import read_form
from quell.web.live import position_text
from quell.web.pages.queue import ask_of, link_of
from quell.web.render import done, download, frame_of, page, part
from quell.web.session import Looker, allowed

TEXT_CHARACTERS_MAX = 20_000
PARAMETERS_MAX = 20

router = APIRouter(include_in_schema=False)


@router.get("/tickets/{number}")
async def show(request: Request, number: int, seen: Looker) -> Response:
    """The whole page; the number of a ticket that was joined to another leads there."""
    who, ask = allowed(seen, May.READ), ask_of(request)
    position = position_text(await deps_of(request).live.end())
    view = await deps_of(request).reads.ticket(who, number, ask)
    if view.joined_to is not None:
        return RedirectResponse(f"/tickets/{view.joined_to}{link_of(ask)}#r-{view.own_report}", 303)
    frame = await frame_of(request, seen, "queue", ask.view, ask.team)
    return page(request, seen, "ticket/page.html", frame, view=view, link=link_of(ask), position=position)


@router.get("/tickets/{number}/parts")
async def parts(request: Request, number: int, seen: Looker) -> Response:
    """Everything but the composer, so that a half-written answer stays."""
    view = await deps_of(request).reads.ticket(allowed(seen, May.READ), number, ask_of(request))
    return part(request, seen, "ticket/parts.html", view=view)


@router.get("/tickets/{number}/talk")
async def talk(request: Request, number: int, seen: Looker) -> Response:
    """The conversation, of everybody or of one reporter."""
    given = request.query_params.get("report", "")
    report = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None
    found = await deps_of(request).reads.talk(allowed(seen, May.READ), number, report)
    return part(request, seen, "ticket/talk_alone.html", talk=found, number=number)


@router.post("/tickets/{number}/joins")
async def put_back(request: Request, number: int, seen: Looker) -> Response:
    """A report belongs here: one that was taken out comes back, one that waited for a word is kept."""
    who, form, desk = allowed(seen, May.WORK), await read_form(request), deps_of(request).desk
    report = form.number("report")
    if report is None:
        raise Refused("Which report?", 400, "nothing_chosen")
    verb = desk.keep if form.text("was", 20) == "ask" else desk.put_back
    what = await verb(who, number, report)
    return done(request, seen, what, f"/tickets/{number}#h-rep")


@router.api_route("/tickets/{number}/joins/{report}", methods=["DELETE", "POST"])
async def take_out(request: Request, number: int, report: int, seen: Looker) -> Response:
    """Not this one. A browser without script can only POST, so that means the same here."""
    what = await deps_of(request).desk.take_out(allowed(seen, May.WORK), number, report)
    return done(request, seen, what, f"/tickets/{number}#h-rep")


@router.post("/tickets/{number}/messages")
async def write(request: Request, number: int, seen: Looker) -> Response:
    """A reply to all or to one reporter, or a private note; without a clear word it is a note, for those never leak."""
    who, form, desk = allowed(seen, May.WORK), await read_form(request), deps_of(request).desk
    text, kind, report = form.text("text", TEXT_CHARACTERS_MAX), form.text("kind", 20), form.number("report")
    if not text:
        raise Refused("There are no words in it.", 400, "empty")
    if kind == "reply":
        what = await desk.reply(who, number, text)
    elif kind == "one" and report is not None:
        what = await desk.reply(who, number, text, (report,))
    else:
        what = await desk.note(who, number, text)
    return done(request, seen, what, f"/tickets/{number}#h-con")


@router.post("/tickets/{number}/reopening")
async def reopen(request: Request, number: int, seen: Looker) -> Response:
    """Take the closure back."""
    what = await deps_of(request).desk.reopen(allowed(seen, May.WORK), number)
    return done(request, seen, what, f"/tickets/{number}")


@router.post("/tickets/{number}/fixes")
async def plan(request: Request, number: int, seen: Looker) -> Response:
    """Ask a device what an action would do there."""
    who, form = allowed(seen, May.WORK), await read_form(request)
    given = [(key[6:], value.strip()) for key, value in form.fields if key.startswith("param:") and value.strip()]
    if len(given) > PARAMETERS_MAX:
        raise Refused(f"At most {PARAMETERS_MAX} parameters.", 400, "too_many")
    device, action = form.text("device", 300), form.text("action", 100)
    what = await deps_of(request).desk.plan_fix(who, number, device, action, dict(given))
    return done(request, seen, what, f"/tickets/{number}#a-fix")


@router.post("/fixes/{fix}/consent")
async def consent(request: Request, fix: int, seen: Looker) -> Response:
    """Approve exactly the plan that was on the screen."""
    who, form = allowed(seen, May.CONSENT), await read_form(request)
    what = await deps_of(request).desk.consent(who, fix, form.text("plan", 200))
    return done(request, seen, what, f"/tickets/{form.number('ticket') or ''}#a-fix")


@router.post("/fixes/{fix}/refusal")
async def refuse(request: Request, fix: int, seen: Looker) -> Response:
    """Refuse the plan."""
    who, form = allowed(seen, May.CONSENT), await read_form(request)
    what = await deps_of(request).desk.refuse(who, fix, form.text("why", 500))
    return done(request, seen, what, f"/tickets/{form.number('ticket') or ''}#a-fix")


@router.get("/files/{number}")
async def attached(request: Request, number: int, seen: Looker) -> Response:
    """An attachment as a download, never shown in the page's own origin."""
    allowed(seen, May.READ)
    return download(await deps_of(request).reads.file(number))
