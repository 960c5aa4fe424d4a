"""Health for machines: alive, ready, and numbers for Prometheus."""

import asyncio

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse, Response

from quell.core.errors import Refused
from quell.store import health
from quell.web.doors import doors_of

ANSWER_WITHIN_S = 3.0
RETRY_AFTER_S = 2

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> Response:
    """Say that this process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """The database answers as well; 503 when it does not."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), doors_of(request).house.store.read() as connection:
            await health.answers(connection)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise Refused("the database does not answer", 503, "not_ready", retry_after_s=RETRY_AFTER_S) from error
    return PlainTextResponse("ready\n")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The numbers in Prometheus' text format."""
    async with doors_of(request).house.store.read() as connection:
        found = await health.counts(connection)
    lines = [
        f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n{name} {value}\n"
        for name, value in found.items()
    ]
    return PlainTextResponse("".join(lines), media_type="text/plain; version=0.0.4")
