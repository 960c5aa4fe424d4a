"""The door for device agents: enrol, poll, results, reports; every call is signed by the device's own key."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from quell.journey import agents
from quell.web.body import JSON_BYTES_MAX, read_body
from quell.web.doors import doors_of

LOOK_EVERY_S = 0.5

router = APIRouter(prefix="/agent/v1", include_in_schema=False)


@router.post("/enrol")
async def enrol(request: Request) -> Response:
    """Let a device in by its single-use token."""
    doors = doors_of(request)
    host = request.client.host if request.client else ""
    doors.hook_rate.take(f"enrol {host}", doors.house.store.clock().timestamp())
    body = await read_body(request, JSON_BYTES_MAX)
    return _json(await agents.enrol(doors.house, body, _signature(request)))


@router.post("/poll")
async def poll(request: Request) -> Response:
    """The orders that wait for a device; waits for one as long as the device said, and no longer."""
    house = doors_of(request).house
    device, asked = await agents.poll(house, await read_body(request, JSON_BYTES_MAX), _signature(request))
    loop = asyncio.get_running_loop()
    ends = loop.time() + asked.wait_s
    while True:
        found = await agents.orders(house, device.id)
        if found is not None:
            return _json(found)
        if loop.time() >= ends or await request.is_disconnected():
            return _json(agents.no_orders(house))
        await asyncio.sleep(LOOK_EVERY_S)


@router.post("/results")
async def results(request: Request) -> Response:
    """What came of orders."""
    body = await read_body(request, JSON_BYTES_MAX)
    return _json(await agents.results(doors_of(request).house, body, _signature(request)))


@router.post("/reports")
async def reports(request: Request) -> Response:
    """What the device saw itself."""
    body = await read_body(request, JSON_BYTES_MAX)
    return _json(await agents.reports(doors_of(request).house, body, _signature(request)))


def _signature(request: Request) -> str:
    return request.headers.get(agents.HEADER, "")


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
