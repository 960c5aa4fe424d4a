"""The application on a fresh database, with invented answers behind the pages and people of every role."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from quell.core.permission import Role
from quell.store import accounts, sessions
from quell.store.change import Store
from quell.store.database import connect
from quell.store.jobs import InlineJobs
from quell.web.app import build_app
from quell.web.deps import Deps
from quell.web.live import Live
from quell.web.passwords import hashed
from quell.web.session import hash_token
from tests.web.desks import WrittenDesk
from tests.web.samples import SampleReads

PASSWORD = "a calm short sentence"
ORIGIN = "http://desk.test"
# Hashing is slow on purpose, so one is kept for all tests.
HASHES: dict[str, str] = {}


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        """A Monday morning."""
        self.time = datetime(2026, 11, 23, 9, 32, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.time

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.time += by


@dataclass
class House:
    """Everything a test of the pages needs."""

    app: FastAPI
    store: Store
    desk: WrittenDesk
    reads: SampleReads
    clock: Hands

    def browser(self) -> httpx.AsyncClient:
        """A browser that has not been here before; it does not follow redirects by itself."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"accept": "text/html"})

    async def add(self, role: Role, email: str = "") -> str:
        """An account of this role; its address."""
        address = email or f"{role}@aldermoor.example"
        digest = hash_token(address)
        if PASSWORD not in HASHES:
            HASHES[PASSWORD] = await hashed(PASSWORD)
        async with self.store.change() as change:
            await accounts.invite(change, digest, role, address, "system")
        async with self.store.change() as change:
            await accounts.accept_invitation(change, digest, address, f"{role} {role}".title(), HASHES[PASSWORD])
        return address

    async def signed_in(self, role: Role) -> httpx.AsyncClient:
        """A browser with a session of somebody of this role; the way there is tested in test_sign_in."""
        address, browser, token = await self.add(role), self.browser(), f"session of {role}"
        async with self.store.engine.begin() as connection:
            found = await accounts.account_by_email(connection, address)
            assert found is not None
            await sessions.open_session(connection, hash_token(token), found.id, self.clock())
        browser.cookies.set("quell_session", token, domain="desk.test")
        return browser


def form_token(html: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf" (?:content|value)="([^"]+)"', html)
    assert found, html
    return found.group(1)


async def sign_in(browser: httpx.AsyncClient, address: str, password: str = PASSWORD) -> httpx.Response:
    """Fill in the sign-in form."""
    shown = await browser.get("/login")
    data = {"csrf": form_token(shown.text), "email": address, "password": password, "next": "/"}
    return await browser.post("/login", data=data)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = connect(database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def house(engine: AsyncEngine) -> AsyncIterator[House]:
    clock = Hands()
    store = Store(engine, clock, InlineJobs())
    desk, reads = WrittenDesk(), SampleReads()
    app = build_app(Deps(store, desk, reads, Live(store), b"s" * 32, ORIGIN))  # type: ignore[arg-type]
    yield House(app, store, desk, reads, clock)
    await asyncio.sleep(0)
