"""Who is looking: the session cookie, the visit of somebody without a session, and what a role may see."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from quell.core.errors import Refused
from quell.core.permission import ROLES, May, Role
from quell.store import sessions
from quell.web.csrf import FIELD, HEADER, check_origin, check_token, csrf_token
from quell.web.deps import Deps, deps_of
from quell.web.desk import Who
from quell.web.form import read_form

SESSION_COOKIE = "quell_session"
VISIT_COOKIE = "quell_visit"
THEME_COOKIE = "quell_theme"
TOKEN_BYTES = 32
VISIT_CHARACTERS_MAX = 100
THEMES = ("auto", "light", "dark")
THEME_KEPT_FOR = timedelta(days=365)
LOOK_ONLY = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Visit:
    """One request's view of who looks; `binding` is what its form tokens are bound to, `fresh` a cookie to be set."""

    who: Who | None
    binding: bytes
    theme: str
    fresh: str | None = None


def hash_token(token: str) -> bytes:
    """What the database keeps in place of a token; a token is random, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).digest()


def cookie_name(request: Request, name: str) -> str:
    """Over https the name says that no other host and no plain http may have set the cookie."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


async def visit(request: Request) -> Visit:
    """Dependency of every page: finds the session; never refuses."""
    deps = deps_of(request)
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    theme = chosen if chosen in THEMES else "auto"
    token = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    if token:
        async with deps.store.engine.begin() as connection:
            found = await sessions.find_session(connection, hash_token(token), deps.now())
        if found is not None:
            who = Who(found.id, found.name, found.email, found.role)
            return Visit(who, hash_token(token), theme)
    known = request.cookies.get(cookie_name(request, VISIT_COOKIE), "")[:VISIT_CHARACTERS_MAX]
    fresh = None if known else secrets.token_urlsafe(TOKEN_BYTES)
    return Visit(None, (known or str(fresh)).encode(), theme, fresh)


Looker = Annotated[Visit, Depends(visit)]


async def checked(request: Request) -> None:
    """Dependency of every page: a request that changes something must come from our own page."""
    if request.method in LOOK_ONLY:
        return
    check_origin(request)
    now = await visit(request)
    token = request.headers.get(HEADER) or (await read_form(request)).text(FIELD)
    check_token(deps_of(request).secret, now.binding, token)


def form_token(deps: Deps, seen: Visit) -> str:
    """A token for the forms of this page."""
    return csrf_token(deps.secret, seen.binding)


def signed_in(seen: Visit) -> Who:
    """The person, or Refused 401, which the door turns into the way to the sign-in page."""
    if seen.who is None:
        raise Refused("Please sign in.", 401, "not_signed_in")
    return seen.who


def allowed(seen: Visit, may: May) -> Who:
    """The person, when the role may do this; else Refused 401 or 403."""
    who = signed_in(seen)
    if not may_do(who, may):
        raise Refused("Your role does not include this. An owner or an admin can change that.", 403, "not_allowed")
    return who


def may_do(who: Who | None, may: May) -> bool:
    """Whether the person's role includes these verbs."""
    return who is not None and may in ROLES[Role(who.role)]


async def begin(request: Request, response: Response, account: int) -> None:
    """Open a new session and set its cookie; a session that was there before ends, so that none is fixed by others."""
    deps, token, at = deps_of(request), secrets.token_urlsafe(TOKEN_BYTES), deps_of(request).now()
    old = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    async with deps.store.engine.begin() as connection:
        if old:
            await sessions.close_session(connection, hash_token(old))
        await sessions.open_session(connection, hash_token(token), account, at)
    _set(request, response, SESSION_COOKIE, token, int(sessions.SESSION_LASTS.total_seconds()))
    response.delete_cookie(cookie_name(request, VISIT_COOKIE), secure=request.url.scheme == "https", httponly=True)


async def end(request: Request, response: Response) -> None:
    """Sign out: the session is gone from the database, not only from the browser."""
    token = request.cookies.get(cookie_name(request, SESSION_COOKIE))
    if token:
        async with deps_of(request).store.engine.begin() as connection:
            await sessions.close_session(connection, hash_token(token))
    secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(request, SESSION_COOKIE), secure=secure, httponly=True, samesite="lax")


def remember_visit(request: Request, response: Response, seen: Visit) -> None:
    """Give a nameless visitor the cookie that his form tokens are bound to."""
    if seen.fresh is not None:
        _set(request, response, VISIT_COOKIE, seen.fresh, None)


def _set(request: Request, response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
