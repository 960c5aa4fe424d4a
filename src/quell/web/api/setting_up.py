"""Setting up over the API: the company, channels and the tokens that let devices in."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from quell.core.company_file import FILE_BYTES_MAX
from quell.core.errors import Fault, Refused
from quell.core.permission import May
from quell.journey.desk import actor_of
from quell.store import companies, deliveries
from quell.web.api.auth import Caller, answer, once
from quell.web.body import parse, read_body
from quell.web.doors import doors_of

router = APIRouter(prefix="/api/v1", tags=["set-up"])


@router.put("/company")
async def load_company(request: Request, who: Caller) -> Response:
    """Load a company file; every fault is listed with its place, and nothing is loaded when there is one."""
    loaded = await doors_of(request).desk.load_company(who, await read_body(request, FILE_BYTES_MAX))
    return answer({"loaded": dict(loaded.counts), "warnings": list(loaded.warnings)})


@router.get("/company")
async def company(request: Request, who: Caller) -> Response:
    """The live lists that values come from: categories, teams, services, sites, priorities."""
    actor_of(who).need(May.READ)
    async with doors_of(request).house.store.read() as connection:
        found = await companies.required(connection)
    lists = {
        noun: [{"key": each.key, "name": each.name} for each in getattr(found, noun)]
        for noun in ("categories", "teams", "services", "sites")
    }
    return answer({"name": found.name, "timezone": found.timezone, "priorities": dict(found.priorities), **lists})


@router.get("/channels")
async def channels(request: Request, who: Caller) -> Response:
    """The channels that are switched on; secrets are never shown."""
    actor_of(who).need(May.CONFIGURE)
    async with doors_of(request).house.store.read() as connection:
        found = await deliveries.lines(connection)
    items = [
        {
            "name": each.name,
            "address": f"/hooks/{each.name}/{each.key}",
            "heard": each.heard_at.isoformat() if each.heard_at else None,
        }
        for each in found
    ]
    return answer({"items": items, "next": None})


@router.post("/channels", status_code=201)
async def add_channel(request: Request, who: Caller) -> Response:
    """Switch a channel on: {"name": …, "settings": {…}}; its hook's address comes back."""
    raw = await read_body(request)

    async def do() -> Response:
        given = parse(raw)
        name, settings = given.get("name"), given.get("settings") or {}
        if not isinstance(name, str) or not isinstance(settings, dict):
            raise Refused("name a channel and its settings", 422, "bad_value", (Fault("name", "is missing"),))
        texts = {str(key): str(value) for key, value in settings.items()}
        made = await doors_of(request).desk.add_channel(who, name, texts)
        return answer({"name": made.channel, "address": made.path}, 201)

    return await once(request, who, raw, do)


@router.post("/enrolments", status_code=201)
async def enrol(request: Request, who: Caller) -> Response:
    """A single-use token that lets one device in."""
    raw = await read_body(request)

    async def do() -> Response:
        made = await doors_of(request).desk.enrol(who)
        return answer({"token": made.token, "ends": made.ends.isoformat()}, 201)

    return await once(request, who, raw, do)
