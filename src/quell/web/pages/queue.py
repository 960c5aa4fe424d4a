"""The queue, its parts for the live page, and the dialogs that work on one or many tickets."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quell.core.errors import Refused
from quell.core.permission import May
from quell.web.deps import deps_of
from quell.web.desk import Seen
from quell.web.form import Form, read_form
from quell.web.live import position_text
from quell.web.reads import Ask
from quell.web.render import done, frame_of, page, part
from quell.web.session import Looker, allowed, may_do

WORDS_CHARACTERS_MAX = 200
AT_ONCE_MAX = 200
FOCUSES = ("category", "owner", "priority")
FIELDS = ("category", "owner", "assignee", "priority")

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show(request: Request, seen: Looker) -> Response:
    """The whole page; a reporter is led to his own."""
    if seen.who is not None and not may_do(seen.who, May.READ):
        return RedirectResponse("/portal", 303)
    who, ask, reads = allowed(seen, May.READ), ask_of(request), deps_of(request).reads
    position = position_text(await deps_of(request).live.end())
    view = await reads.queue(who, ask)
    frame = await frame_of(request, seen, "queue", ask.view, ask.team)
    link, more = link_of(ask), more_of(ask, view.next)
    return page(request, seen, "queue/page.html", frame, view=view, ask=ask, link=link, more=more, position=position)


@router.get("/queue")
async def rows_anew(request: Request, seen: Looker) -> Response:
    """The list anew, for the moment when new rows are let in, and for more rows below."""
    who, ask = allowed(seen, May.READ), ask_of(request)
    view = await deps_of(request).reads.queue(who, ask)
    frame = await frame_of(request, seen, "queue", ask.view, ask.team)
    values = {"view": view, "frame": frame, "link": link_of(ask), "more": more_of(ask, view.next)}
    return part(request, seen, "queue/anew.html", **values)


@router.get("/rail")
async def rail(request: Request, seen: Looker) -> Response:
    """The counts beside every page, anew."""
    allowed(seen, May.READ)
    ask = ask_of(request)
    frame = await frame_of(request, seen, request.query_params.get("here", "")[:20], ask.view, ask.team)
    return part(request, seen, "rail_anew.html", frame=frame)


@router.get("/queue/rows")
async def rows(request: Request, seen: Looker) -> Response:
    """These tickets as rows, after the live log named them; those that are new to the view only as their numbers."""
    who, ask = allowed(seen, May.READ), ask_of(request)
    shown, others = _numbers(request, "shown"), _numbers(request, "other")
    reads = deps_of(request).reads
    found = await reads.rows(who, ask, shown) if shown else ()
    fresh = await reads.fresh(who, ask, others) if others else ()
    response = part(request, seen, "queue/rows.html", rows=found, link=link_of(ask))
    response.headers["x-new"] = ",".join(map(str, fresh))
    return response


@router.get("/tickets/{number}/peek")
async def peek(request: Request, number: int, seen: Looker) -> Response:
    """The preview beside the queue."""
    who, ask = allowed(seen, May.READ), ask_of(request)
    found = await deps_of(request).reads.peek(who, number)
    return part(request, seen, "queue/peek.html", peek=found, link=link_of(ask))


@router.get("/tickets/{number}/why")
async def why(request: Request, number: int, seen: Looker) -> Response:
    """The reasons behind a ticket's proposal."""
    found = await deps_of(request).reads.why(allowed(seen, May.READ), number)
    return part(request, seen, "queue/why.html", why=found)


@router.get("/find")
async def find(request: Request, seen: Looker) -> Response:
    """What the palette finds."""
    who, words = allowed(seen, May.READ), words_of(request)
    found = await deps_of(request).reads.find(who, words) if words else ()
    kinds = tuple(dict.fromkeys(each.kind for each in found))
    groups = [(kind, [each for each in found if each.kind == kind]) for kind in kinds]
    return part(request, seen, "queue/found.html", groups=groups)


@router.post("/acceptances")
async def accept(request: Request, seen: Looker) -> Response:
    """Say yes to the proposals of one or many tickets."""
    who, form = allowed(seen, May.WORK), await read_form(request)
    what = await deps_of(request).desk.accept(who, _tickets(form))
    return done(request, seen, what, "/")


@router.get("/corrections/form")
async def edit(request: Request, seen: Looker) -> Response:
    """The dialog that changes fields by hand."""
    who, numbers = allowed(seen, May.WORK), _numbers(request, "ticket")
    focus = request.query_params.get("focus", "")
    found = await deps_of(request).reads.edit(who, numbers, focus if focus in FOCUSES else FOCUSES[0])
    return part(request, seen, "queue/edit.html", edit=found)


@router.post("/corrections")
async def correct(request: Request, seen: Looker) -> Response:
    """Set fields by a person's word; a field left empty stays as it is."""
    who, form = allowed(seen, May.WORK), await read_form(request)
    values = {name: value for name in FIELDS if (value := form.text(name, 200))}
    if not values:
        raise Refused("Nothing was chosen.", 400, "nothing_chosen")
    what = await deps_of(request).desk.correct(who, _tickets(form), values)
    return done(request, seen, what, "/")


@router.get("/joins/targets")
async def targets(request: Request, seen: Looker) -> Response:
    """The dialog that finds the ticket to join to."""
    who, numbers = allowed(seen, May.WORK), _numbers(request, "ticket")
    found = await deps_of(request).reads.merge(who, numbers, words_of(request))
    query = urlencode([("ticket", each) for each in numbers])
    return part(request, seen, "queue/merge.html", merge=found, numbers=query)


@router.post("/joins")
async def join(request: Request, seen: Looker) -> Response:
    """Let tickets point to another one."""
    who, form = allowed(seen, May.WORK), await read_form(request)
    into = form.number("into")
    if into is None:
        raise Refused("Choose the ticket to join to.", 400, "nothing_chosen")
    what = await deps_of(request).desk.join(who, _tickets(form), into)
    return done(request, seen, what, f"/tickets/{into}")


@router.get("/closures/form")
async def solve(request: Request, seen: Looker) -> Response:
    """The dialog that asks what solved it."""
    who, numbers = allowed(seen, May.WORK), _numbers(request, "ticket")
    found = await deps_of(request).reads.edit(who, numbers, FOCUSES[0])
    return part(request, seen, "queue/solve.html", numbers=found.numbers, title=found.title)


@router.post("/closures")
async def close(request: Request, seen: Looker) -> Response:
    """Mark tickets as solved."""
    who, form = allowed(seen, May.WORK), await read_form(request)
    what = await deps_of(request).desk.close(who, _tickets(form), form.text("solved_by", 2000))
    return done(request, seen, what, "/")


def ask_of(request: Request) -> Ask:
    """Which part of the queue an address asks for."""
    query = request.query_params
    view, team, after = query.get("view", "all")[:40], query.get("team", "")[:200], query.get("after", "")[:200]
    return Ask(view, team, words_of(request), after)


def link_of(ask: Ask) -> str:
    """The query that leads back to this part of the queue, "" for all that is open."""
    parts = [("view", ask.view if ask.view != "all" else ""), ("team", ask.team), ("q", ask.words)]
    query = urlencode([(key, value) for key, value in parts if value])
    return f"?{query}" if query else ""


def more_of(ask: Ask, after: str) -> str:
    """The query of the following page."""
    return urlencode([("view", ask.view), ("team", ask.team), ("q", ask.words), ("after", after)])


def words_of(request: Request) -> str:
    """The words of a search, bounded."""
    return request.query_params.get("q", "").replace("\0", "").strip()[:WORDS_CHARACTERS_MAX]


def _numbers(request: Request, name: str) -> list[int]:
    given = [each for value in request.query_params.getlist(name) for each in value.split(",") if each]
    numbers = [int(each) for each in given if each.isascii() and each.isdigit() and len(each) < 18]
    if len(numbers) > AT_ONCE_MAX:
        raise Refused(f"At most {AT_ONCE_MAX} tickets at once.", 413, "too_many")
    return list(dict.fromkeys(numbers))


def _tickets(form: Form) -> Sequence[Seen]:
    pairs = [each.partition(":") for each in form.all("ticket")]
    good = [(n, v) for n, _, v in pairs if n.isascii() and n.isdigit() and len(n) < 18 and len(v) < 10]
    found = [Seen(int(n), int(v) if v.isascii() and v.isdigit() else None) for n, v in good]
    if not found or len(found) > AT_ONCE_MAX:
        raise Refused(f"Choose between 1 and {AT_ONCE_MAX} tickets.", 400, "nothing_chosen")
    return found
