"""Who calls the API: a bearer token, or the session of a signed-in person; and a POST that is never done twice."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import JSONResponse, Response

from quell.core.errors import Refused
from quell.core.permission import Role
from quell.journey.spoken import Who
from quell.store import idempotency, tokens
from quell.web.doors import doors_of

KEY_CHARACTERS_MAX = 255


async def caller(request: Request) -> Who:
    """The caller; Refused (401) without a good token."""
    doors = doors_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("a bearer token is needed: quell token create --role technician", 401, "no_token")
    async with doors.house.store.change() as change:
        found = await tokens.use(change, token.strip())
    if found is None:
        raise Refused("this token is unknown or revoked", 401, "bad_token")
    actor = f"token:{found.id}"
    doors.api_rate.take(actor, doors.house.store.clock().timestamp())
    return Who(0, found.name, "", Role(found.role), actor)


Caller = Annotated[Who, Depends(caller)]


async def once(request: Request, who: Who, body: bytes, do: Callable[[], Awaitable[Response]]) -> Response:
    """Do a POST; with an `Idempotency-Key` the same request again gets the first answer and does nothing.

    Refused: 422 when the key came before with another request, 409 while the first is still under way.
    """
    key = request.headers.get("idempotency-key", "")
    if not key:
        return await do()
    if len(key) > KEY_CHARACTERS_MAX:
        raise Refused(f"an Idempotency-Key has at most {KEY_CHARACTERS_MAX} characters", 400, "bad_key")
    store = doors_of(request).house.store
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).digest()
    async with store.change() as change:
        before = await idempotency.claim(change, who.actor, key, digest)
    if before is not None:
        return Response(before.answer, before.status, media_type="application/json")
    try:
        answer = await do()
    except Exception:
        async with store.change() as change:
            await idempotency.release(change, who.actor, key)
        raise
    async with store.change() as change:
        await idempotency.keep(change, who.actor, key, answer.status_code, bytes(answer.body))
    return answer


def answer(value: object, status: int = 200) -> JSONResponse:
    """A value as the API's JSON."""
    return JSONResponse(value, status)
