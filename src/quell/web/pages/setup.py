"""Set-up: the company file, the channels, and links for colleagues."""

import secrets

from fastapi import APIRouter, Request
from starlette.responses import Response

from quell.core.errors import Refused
from quell.core.permission import May, Role
from quell.store.accounts import invite
from quell.web.deps import deps_of
from quell.web.form import read_form
from quell.web.render import frame_of, page
from quell.web.session import TOKEN_BYTES, Looker, Visit, allowed, hash_token
from quell.web.words import several

INVITED = frozenset({Role.OWNER, Role.ADMIN, Role.TECHNICIAN, Role.AUDITOR, Role.REPORTER})

router = APIRouter(include_in_schema=False)


@router.get("/setup")
async def show(request: Request, seen: Looker) -> Response:
    """The page."""
    allowed(seen, May.CONFIGURE)
    return await _page(request, seen)


@router.post("/setup/company")
async def company(request: Request, seen: Looker) -> Response:
    """Read a company file; a bad one changes nothing and every fault is shown with its place."""
    who, form = allowed(seen, May.CONFIGURE), await read_form(request)
    try:
        if not form.files:
            raise Refused("Choose the company file first.", 400, "empty")
        loaded = await deps_of(request).desk.load_company(who, form.files[0].content)
    except Refused as fault:
        return await _page(request, seen, fault=fault)
    counts = ", ".join(several(count, noun.rstrip("s") if count == 1 else noun, noun) for noun, count in loaded.counts)
    warned = f" {several(len(loaded.warnings), 'warning')}: {'; '.join(loaded.warnings)}" if loaded.warnings else ""
    return await _page(request, seen, said=f"Read: {counts}.{warned}")


@router.post("/setup/channels")
async def channel(request: Request, seen: Looker) -> Response:
    """Connect a channel."""
    who, form = allowed(seen, May.CONFIGURE), await read_form(request)
    settings = {key[4:]: value.strip() for key, value in form.fields if key.startswith("set:") and value.strip()}
    try:
        made = await deps_of(request).desk.add_channel(who, form.text("name", 100), settings)
    except Refused as fault:
        return await _page(request, seen, fault=fault)
    where = f" Let it deliver to {deps_of(request).address}{made.path}" if made.path else ""
    return await _page(request, seen, said=f"Connected {made.channel}.{where}")


@router.post("/setup/invitations")
async def invitation(request: Request, seen: Looker) -> Response:
    """Make a single-use link for a colleague and show it this once."""
    who, form, deps = allowed(seen, May.CONFIGURE), await read_form(request), deps_of(request)
    role, email, token = form.text("role", 40), form.text("email", 300), secrets.token_urlsafe(TOKEN_BYTES)
    if role not in INVITED or (role == Role.OWNER and who.role != Role.OWNER):
        raise Refused("Only an owner makes another owner.", 403, "not_allowed")
    try:
        async with deps.store.change() as change:
            await invite(change, hash_token(token), Role(role), email, f"account:{who.account}")
    except Refused as fault:
        return await _page(request, seen, fault=fault)
    return await _page(request, seen, invited=f"{deps.address}/first-run?token={token}", invited_email=email)


async def _page(
    request: Request,
    seen: Visit,
    said: str = "",
    fault: Refused | None = None,
    invited: str = "",
    invited_email: str = "",
) -> Response:
    view = await deps_of(request).reads.setup(allowed(seen, May.CONFIGURE))
    frame = await frame_of(request, seen, "setup")
    values = {
        "view": view,
        "said": said,
        "faults": fault.faults if fault else (),
        "fault_says": fault.says if fault else "",
        "invited": invited,
        "invited_email": invited_email,
    }
    return page(request, seen, "setup/page.html", frame, fault.status if fault else 200, **values)
