"""The single-use link: the first one makes the owner's account, later ones those of invited colleagues."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from quell.core.errors import Refused
from quell.store.accounts import Invitation, accept_invitation, clean_email, find_invitation
from quell.web.deps import deps_of
from quell.web.form import read_form
from quell.web.passwords import check_new, hashed
from quell.web.render import frame_of, page
from quell.web.session import Looker, Visit, begin, hash_token

TOKEN_CHARACTERS_MAX = 200

router = APIRouter(include_in_schema=False)


@router.get("/first-run")
async def show(request: Request, seen: Looker) -> Response:
    """The form for a link that can still be used."""
    token = request.query_params.get("token", "")[:TOKEN_CHARACTERS_MAX]
    return await _form(request, seen, token, await _usable(request, token))


@router.post("/first-run")
async def make(request: Request, seen: Looker) -> Response:
    """Make the account, use the link up, sign in."""
    deps, form = deps_of(request), await read_form(request)
    token, email, name = form.text("token", TOKEN_CHARACTERS_MAX), form.text("email", 300), form.text("name", 200)
    link = await _usable(request, token)
    password = next((value for key, value in form.fields if key == "password"), "")
    try:
        check_new(password, clean_email(link.email or email))
        secret = await hashed(password)
        async with deps.store.change() as change:
            number = await accept_invitation(change, hash_token(token), email, name, secret)
    except Refused as fault:
        if fault.status == 410:
            raise
        return await _form(request, seen, token, link, email, name, fault)
    onward = "/setup" if link.first_run else "/portal" if link.role == "reporter" else "/"
    response = RedirectResponse(onward, 303)
    await begin(request, response, number)
    return response


async def _usable(request: Request, token: str) -> Invitation:
    deps = deps_of(request)
    async with deps.store.read() as connection:
        found = await find_invitation(connection, hash_token(token), deps.now())
    if found is None:
        says = "This link was used already, or it is too old. A start of Quell prints a new one."
        raise Refused(says, 410, "link_used")
    return found


async def _form(
    request: Request,
    seen: Visit,
    token: str,
    link: Invitation,
    email: str = "",
    name: str = "",
    fault: Refused | None = None,
) -> Response:
    frame = await frame_of(request, seen, "first-run")
    values = {
        "first": link.first_run,
        "role": link.role,
        "token": token,
        "email": link.email or email,
        "fixed_email": bool(link.email),
        "name": name,
        "fault": fault.says if fault else "",
    }
    return page(request, seen, "first_run.html", frame, fault.status if fault else 200, **values)
