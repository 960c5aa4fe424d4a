"""The doors for programs on an application: hooks, the REST API, device agents, health."""

from fastapi import FastAPI

from quell.web import agent_api, health, hooks
from quell.web.api import reports, setting_up, tickets
from quell.web.doors import Doors

ROUTERS = (hooks.router, agent_api.router, health.router, tickets.router, reports.router, setting_up.router)


def add_programs(app: FastAPI, doors: Doors) -> None:
    """Hang every door for programs onto the application."""
    app.state.doors = doors
    for each in ROUTERS:
        app.include_router(each)
