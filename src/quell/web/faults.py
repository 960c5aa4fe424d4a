"""What a browser, our script or a program is told when something is refused or broken."""

import json
import logging
import secrets
from urllib.parse import quote

from fastapi import FastAPI, Request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from quell.core.errors import Refused, TryAgain
from quell.web.render import answer_html, frame_of, is_part, page
from quell.web.session import visit

PROBLEM = "application/problem+json"
RETRY_AFTER_S = 2
TITLES = {
    401: "Please sign in",
    403: "Not allowed",
    404: "There is nothing here",
    409: "Somebody was faster",
    410: "This link has been used",
    413: "That is too large",
    429: "Too many tries",
    503: "Too busy just now",
}
ICONS = {403: "lock", 404: "file", 410: "link", 429: "clock"}

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer Refused, unknown addresses and our own bugs; on `/api`, `/hooks` and the like as problem documents."""

    @app.exception_handler(Refused)
    async def refused(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, Refused)
        return await answer_refused(request, fault)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        says = "No page has this address." if fault.status_code == 404 else str(fault.detail)
        return await answer_refused(request, Refused(says, fault.status_code, "http"))

    async def later(request: Request, fault: Exception) -> Response:
        says = str(fault) if isinstance(fault, TryAgain) else "the database does not answer just now"
        log.warning("page_put_off path=%s trouble=%s", request.url.path, type(fault).__name__)
        return await answer_refused(request, Refused(says, 503, "try_again", retry_after_s=RETRY_AFTER_S))

    for trouble in (TryAgain, OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(trouble, later)

    @app.exception_handler(Exception)
    async def broken(request: Request, fault: Exception) -> Response:
        number = secrets.token_hex(4).upper()
        log.error("page_broken error=%s path=%s", number, request.url.path, exc_info=fault)
        says = f"This is our fault, and it was written down as error {number}. What you entered before is safe."
        return await answer_refused(request, Refused(says, 500, "broken"))


async def answer_refused(request: Request, fault: Refused) -> Response:
    """The refusal in the form that the asker reads."""
    headers = {"retry-after": str(fault.retry_after_s)} if fault.retry_after_s else {}
    if is_part(request):
        response = _to_script(request, fault)
    elif "text/html" not in request.headers.get("accept", ""):
        response = problem(fault)
    elif fault.code == "not_signed_in":
        response = RedirectResponse("/login?next=" + quote(_local(request), safe=""), 303)
    else:
        response = await _page(request, fault)
    response.headers.update(headers)
    return response


def problem(fault: Refused) -> Response:
    """A problem document (RFC 9457); `faults` says the place and the sentence of each."""
    body: dict[str, object] = {
        "type": f"urn:quell:problem:{fault.code}",
        "title": TITLES.get(fault.status, "Refused"),
        "status": fault.status,
        "detail": fault.says,
    }
    if fault.faults:
        body["faults"] = [{"place": each.place, "says": each.says} for each in fault.faults]
    return Response(json.dumps(body), fault.status, media_type=PROBLEM)


def _to_script(request: Request, fault: Refused) -> Response:
    if fault.code == "not_signed_in":
        return Response(status_code=401, headers={"hx-redirect": "/login"})
    response = answer_html(request, "toast_fault.html", fault.status, fault=fault)
    response.headers["hx-retarget"] = "#toasts"
    response.headers["hx-reswap"] = "beforeend"
    return response


async def _page(request: Request, fault: Refused) -> Response:
    seen = await visit(request)
    frame = await frame_of(request, seen, "")
    title = TITLES.get(fault.status, "That did not work")
    icon = ICONS.get(fault.status, "warn")
    return page(request, seen, "fault.html", frame, fault.status, fault=fault, title=title, icon=icon)


def _local(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query if request.method == "GET" else "/"
