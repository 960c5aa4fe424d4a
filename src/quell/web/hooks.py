"""Hooks: whatever a machine or a chat service posts to `/hooks/{channel}/{key}`; stored before it is acknowledged."""

from fastapi import APIRouter, Request
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.responses import Response

from quell.core.errors import Refused, TryAgain
from quell.core.incoming import Hook
from quell.journey.intake.room import Knock
from quell.web.body import JSON_BYTES_MAX, MAIL_BYTES_MAX, read_body
from quell.web.doors import doors_of

RETRY_AFTER_S = 5
LARGE_CHANNELS = frozenset({"mail", "email"})

router = APIRouter(prefix="/hooks")


@router.api_route("/{channel}/{key}", methods=["POST", "GET", "OPTIONS"], include_in_schema=False)
async def take(request: Request, channel: str, key: str) -> Response:
    """Verify, store, answer; 503 on our own failure, so that senders who retry do."""
    doors = doors_of(request)
    doors.hook_rate.take(key, doors.house.store.clock().timestamp())
    body = await read_body(request, MAIL_BYTES_MAX if channel in LARGE_CHANNELS else JSON_BYTES_MAX)
    try:
        receipt = await doors.gathering.take(Knock(key, hook_of(request, body), channel))
    except (DBAPIError, InterfaceError, PoolTimeout, TryAgain, OSError) as error:
        raise Refused("Quell cannot store this just now", 503, "try_again", retry_after_s=RETRY_AFTER_S) from error
    return Response(receipt.body, receipt.status, media_type=receipt.media_type)


def hook_of(request: Request, body: bytes) -> Hook:
    """The request as a channel gets it: header names in lower case, nothing believed."""
    return Hook(
        body=body,
        headers={name.lower(): value for name, value in request.headers.items() if not name.startswith("x-quell-")},
        query=dict(request.query_params),
        method=request.method,
        path=request.url.path,
        remote=request.client.host if request.client else "",
    )
