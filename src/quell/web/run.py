"""The web process: pages, API, hooks and devices on one port."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from quell.settings import Settings, reachable
from quell.web.app import build_app
from quell.web.deps import Deps
from quell.web.doors import Doors
from quell.web.live import Live
from quell.web.programs import add_programs
from quell.web.reading.answers import Answers
from quell.wiring import Built, opened

STOP_WITHIN_S = 5
HEADER_BYTES_MAX = 64 * 1024

log = logging.getLogger("quell.web")


async def run(settings: Settings) -> None:
    """Serve until told to stop."""
    async with opened(settings, "quell web") as built:
        await serve(Server(config(built)))


class Server(uvicorn.Server):
    """The server without signal handlers of its own: who runs it says when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(server: uvicorn.Server) -> None:
    """Serve until cancelled, then let requests that run come to their end."""
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


def config(built: Built) -> uvicorn.Config:
    """How the server is run: no log of addresses, bounded headers, open pages let go at the end."""
    return uvicorn.Config(
        whole_app(built),
        host=built.settings.bind,
        port=built.settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        proxy_headers=False,
    )


def whole_app(built: Built) -> FastAPI:
    """Pages and programs' doors in one application."""
    address = built.settings.public_url or f"http://{reachable(built.settings.bind)}:{built.settings.port}"
    answers = Answers(built.store, built.house.channels, built.house.actions, address)
    deps = Deps(built.store, built.desk, answers, Live(built.store), built.secret, address)
    app = build_app(deps)
    add_programs(app, Doors(built.house, built.desk))
    return app
