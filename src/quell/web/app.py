"""The application for browsers: pages, static files, live events and the guards around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from quell.web import faults
from quell.web.deps import Deps
from quell.web.pages import devices, events, first_run, login, me, portal, queue, setup, ticket
from quell.web.render import environment
from quell.web.security import SecurityHeaders
from quell.web.session import checked
from quell.web.static_files import StaticTree

PAGES = (queue, ticket, devices, setup, portal, login, first_run, me)
COMPRESSED_BYTES_MIN = 1000


def build_app(deps: Deps) -> FastAPI:
    """The application; other doors (REST, hooks, agents) are included into it by the wiring.

    Every page stands behind `checked`: what changes something must come from our own page.
    """
    files = StaticTree()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await deps.live.start()
        yield
        await deps.live.stop()

    app = FastAPI(
        title="Quell",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.deps = deps
    app.state.templates = environment(files)
    for each in PAGES:
        app.include_router(each.router, dependencies=[Depends(checked)])
    app.include_router(events.router)
    app.router.routes.append(Route("/static/{digest}/{name:path}", files.serve))
    faults.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_BYTES_MIN)
    app.add_middleware(SecurityHeaders)
    return app
