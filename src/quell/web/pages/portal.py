"""The reporter's pages: tell us, my requests, one request; all of it works without script."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quell.core.errors import Refused
from quell.core.portal_link import portal_path, read_key
from quell.store import sessions
from quell.store.accounts import clean_email
from quell.web.deps import deps_of
from quell.web.desk import Reporter
from quell.web.form import Form, read_form
from quell.web.render import download, frame_of, page
from quell.web.session import Looker, Visit
from quell.web.views.portal import PortalView

TEXT_CHARACTERS_MAX = 20_000
REPORTS_OF_PLACE_MAX = 300
SUBJECT_CHARACTERS_MAX = 120

router = APIRouter(include_in_schema=False)


@router.get("/portal")
async def show(request: Request, seen: Looker) -> Response:
    """The form, and for somebody who is signed in his requests."""
    email = seen.who.email if seen.who else None
    return await _form(request, seen, await deps_of(request).reads.portal(email))


@router.post("/portal/reports")
async def tell(request: Request, seen: Looker) -> Response:
    """Take a report, then lead to its own page."""
    deps, form = deps_of(request), await read_form(request)
    try:
        reporter = _reporter(form, seen)
        text = form.text("text", TEXT_CHARACTERS_MAX)
        if not text:
            raise Refused("Tell us in a few words what is wrong.", 400, "empty")
        if form.text("website"):
            raise Refused("This was filled in by a program.", 400, "robot")
        if not reporter.proven:
            await _count(request)
        device = form.text("device", 300)
        told = await deps.desk.report(reporter, text, subject_of(text), device, form.files)
    except Refused as fault:
        view = await deps.reads.portal(seen.who.email if seen.who else None)
        return await _form(request, seen, replace(view, text=form.text("text"), fault=fault.says), fault)
    return RedirectResponse(portal_path(deps.secret, told.report) + "?sent", 303)


@router.get("/portal/requests/{key}")
async def one(request: Request, key: str, seen: Looker) -> Response:
    """One request: its state, what was said, and a place to answer."""
    deps = deps_of(request)
    report = read_key(deps.secret, key)
    view = await deps.reads.request(report, portal_path(deps.secret, report))
    view = replace(view, fresh="sent" in request.query_params)
    return page(request, seen, "portal/request.html", await frame_of(request, seen, "portal"), view=view)


@router.post("/portal/requests/{key}/answers")
async def answer(request: Request, key: str) -> Response:
    """The reporter writes again, or says whether it is solved."""
    deps, form = deps_of(request), await read_form(request)
    report = read_key(deps.secret, key)
    text = form.text("text", TEXT_CHARACTERS_MAX)
    solved = {"yes": True, "no": False}.get(form.text("solved", 10))
    if not text and solved is None:
        raise Refused("There are no words in it.", 400, "empty")
    await deps.desk.answer(report, text, solved)
    return RedirectResponse(portal_path(deps.secret, report), 303)


@router.get("/portal/requests/{key}/files/{number}")
async def attached(request: Request, key: str, number: int) -> Response:
    """A file of this conversation."""
    deps = deps_of(request)
    return download(await deps.reads.file_of(read_key(deps.secret, key), number))


def subject_of(text: str) -> str:
    """The first line as the subject, cut at a word."""
    line = text.strip().splitlines()[0].strip()
    if len(line) <= SUBJECT_CHARACTERS_MAX:
        return line
    return line[:SUBJECT_CHARACTERS_MAX].rsplit(" ", 1)[0] + "…"


def _reporter(form: Form, seen: Visit) -> Reporter:
    if seen.who is not None:
        return Reporter(seen.who.email, seen.who.name, proven=True)
    return Reporter(clean_email(form.text("email", 300)), form.text("name", 100))


async def _count(request: Request) -> None:
    # Nameless reports are counted by place, so that one machine cannot fill the queue through an open form.
    deps, place = deps_of(request), request.client.host if request.client else "?"
    key = f"portal:{place}"
    async with deps.store.engine.begin() as connection:
        await sessions.check_failures(connection, {key: REPORTS_OF_PLACE_MAX}, deps.now())
        await sessions.record_failure(connection, (key,), deps.now())


async def _form(request: Request, seen: Visit, view: PortalView, fault: Refused | None = None) -> Response:
    deps = deps_of(request)
    links = {each.report: portal_path(deps.secret, each.report) for each in view.requests}
    frame = await frame_of(request, seen, "portal")
    status = fault.status if fault else 200
    return page(request, seen, "portal/page.html", frame, status, view=view, links=links)
