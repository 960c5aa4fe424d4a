"""Sign in and out."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quell.core.permission import May
from quell.store import accounts, sessions
from quell.web.deps import deps_of
from quell.web.form import read_form
from quell.web.passwords import fits
from quell.web.render import frame_of, page
from quell.web.session import Looker, Visit, begin, end, may_do

FAILURES_OF_ONE_MAX = 10
FAILURES_OF_PLACE_MAX = 50
FAILURES_OF_NAME_MAX = 100
WRONG = "That address and password do not fit together."

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def show(request: Request, seen: Looker) -> Response:
    """The form; who is signed in goes on."""
    onward = local_path(request.query_params.get("next", "/"))
    if seen.who is not None:
        return RedirectResponse(onward if may_do(seen.who, May.READ) else "/portal", 303)
    return await _form(request, seen, onward)


@router.post("/login")
async def sign_in(request: Request, seen: Looker) -> Response:
    """Check the password; failures are counted by name and by place, so that neither can be tried for long."""
    deps, form = deps_of(request), await read_form(request)
    email, onward = form.text("email", 300).lower(), local_path(form.text("next", 2000))
    place = request.client.host if request.client else "?"
    most = {
        f"one:{place}:{email}": FAILURES_OF_ONE_MAX,
        f"place:{place}": FAILURES_OF_PLACE_MAX,
        f"name:{email}": FAILURES_OF_NAME_MAX,
    }
    async with deps.store.engine.connect() as connection:
        await sessions.check_failures(connection, most, deps.now())
        found = await accounts.account_by_email(connection, email)
    if not await fits(found.password if found else None, form.text("password")) or found is None:
        async with deps.store.engine.begin() as connection:
            await sessions.record_failure(connection, tuple(most), deps.now())
        return await _form(request, seen, onward, email, WRONG, 401)
    async with deps.store.engine.begin() as connection:
        await sessions.forget_failures(connection, f"one:{place}:{email}")
    response = RedirectResponse("/portal" if found.role == "reporter" and onward == "/" else onward, 303)
    await begin(request, response, found.id)
    return response


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """End the session."""
    response = RedirectResponse("/login", 303)
    await end(request, response)
    return response


def local_path(text: str) -> str:
    """A path on this server, "/" when the text leads anywhere else."""
    good = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if good else "/"


async def _form(
    request: Request, seen: Visit, onward: str, email: str = "", fault: str = "", status: int = 200
) -> Response:
    async with deps_of(request).store.read() as connection:
        nobody = not await accounts.any_account(connection)
    frame = await frame_of(request, seen, "login")
    values = {"next": onward, "email": email, "fault": fault, "nobody_yet": nobody}
    return page(request, seen, "login.html", frame, status, **values)
