"""The real application over a real database, driven by a real Chromium; pictures are kept, and ignored by git."""

import asyncio
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn

from quell.core.errors import Refused
from quell.core.permission import Role
from quell.journey import flow
from quell.journey.desk import TheDesk
from quell.journey.house import House
from quell.journey.mind import Mind
from quell.journey.spoken import Who
from quell.seams import Action, Channel, find
from quell.store import accounts, companies
from quell.store.change import Store
from quell.store.database import connect, driver_url
from quell.store.jobs import InlineJobs, Job
from quell.store.notify import Notifier
from quell.web.app import build_app
from quell.web.deps import Deps
from quell.web.live import Live
from quell.web.passwords import hashed
from quell.web.reading.answers import Answers
from quell.web.session import hash_token
from tests.journey.conftest import COMPANY, Scripted

playwright = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")

SHOTS = Path(__file__).parent / "shots"
PASSWORD = "a calm short sentence"
START_S_MAX = 20.0
Answer = TypeVar("Answer")


def chromium() -> str:
    """Where Debian keeps Chromium; the test is skipped, naming it, when it is not there."""
    found = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if found is None:
        pytest.skip("needs the program chromium")
    return found


class PromptJobs(InlineJobs):
    """The inline queue, worked off by the server's own loop as soon as something was committed."""

    def __init__(self) -> None:
        """Nobody works yet."""
        super().__init__()
        self.wake = asyncio.Event()

    async def committed(self, jobs: tuple[Job, ...]) -> None:
        """Remember the jobs and wake the loop that does them."""
        await super().committed(jobs)
        self.wake.set()


class QuietSigner:
    """Has keys to show and signs nothing: no device obeys in these scenes."""

    async def public_keys(self) -> tuple[str, str]:
        """Two keys that nobody holds."""
        return "1" * 64, "2" * 64

    async def sign_order(self, *_: object, **__: object) -> object:
        """Refused, as by a signer that is not there."""
        raise Refused("no signer in this scene", 503, "no_signer")


@dataclass
class Served:
    """A running server with everything behind it at hand."""

    url: str
    house: House
    desk: TheDesk
    model: Scripted
    loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run something in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def add(self, role: Role, name: str) -> Who:
        """An account."""

        async def make() -> Who:
            address = f"{name.split()[0].lower()}@aldermoor.example"
            secret = await hashed(PASSWORD)
            async with self.house.store.change() as change:
                await accounts.invite(change, hash_token(address), role, address, "system")
            async with self.house.store.change() as change:
                number = await accounts.accept_invitation(change, hash_token(address), address, name, secret)
            return Who(number, name, address, str(role))

        return self.do(make())

    def tell(self, person: int, text: str, subject: str = "") -> int:
        """A person reports something; the number of the report."""
        body = {"reporter": f"p{person}@aldermoor.example", "text": text} | ({"subject": subject} if subject else {})
        return self.do(self.desk.take_report(json.dumps(body).encode(), {})).report

    def settled(self) -> None:
        """Wait until the server has nothing left to do."""
        ends = time.monotonic() + 15
        while time.monotonic() < ends:
            if self.do(self._idle()):
                return
            time.sleep(0.05)
        raise AssertionError("the server is still busy")

    async def _idle(self) -> bool:
        jobs = self.house.store.jobs
        assert isinstance(jobs, PromptJobs)
        due = jobs.next_due()
        return not jobs.wake.is_set() and (due is None or due > datetime.now(UTC).timestamp())


@pytest.fixture
def served(database_url: str) -> Iterator[Served]:
    """The application on a port of its own."""
    box: dict[str, Any] = {}
    ready = threading.Event()

    async def work_off(house: House, jobs: PromptJobs) -> None:
        while True:
            await jobs.wake.wait()
            while (job := jobs.take(datetime.now(UTC))) is not None:
                await flow.do(house, job.task, job.args)
            jobs.wake.clear()

    async def serve() -> None:
        engine, jobs, model = connect(database_url), PromptJobs(), Scripted()
        notifier = Notifier(driver_url(database_url))
        store = Store(engine, lambda: datetime.now(UTC), jobs, notifier.poke)
        channels = find("quell.channels", "CHANNEL", Channel)  # type: ignore[type-abstract]
        actions = find("quell.actions", "ACTION", Action)  # type: ignore[type-abstract]
        house = House(
            store,
            channels,
            actions,
            Mind(lambda: model),
            QuietSigner(),
            secrets={"token_key": "00" * 32},  # type: ignore
        )
        async with store.change() as change:
            await companies.save(change, json.dumps(COMPANY).encode(), "test")
        desk = TheDesk(house)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        app = build_app(Deps(store, desk, Answers(store, channels, actions, url), Live(store), b"s" * 32, url))
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1))
        box.update(server=server, made=Served(url, house, desk, model, asyncio.get_running_loop()))
        working = asyncio.create_task(work_off(house, jobs))
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        ready.set()
        await serving
        working.cancel()
        await notifier.stop()
        await engine.dispose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(START_S_MAX), "the server does not start"
    yield box["made"]
    box["server"].should_exit = True
    thread.join(15)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium a module; not one a session, since Playwright keeps a loop running that async tests trip over."""
    path = chromium()
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """A wide page; whatever the browser complains about fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=served.url)
    made = context.new_page()
    wrong = watch(made)
    yield made
    context.close()
    assert wrong == []


def watch(page: Any) -> list[str]:
    """Collect errors of scripts, refused resources and breaches of the content policy."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if _bad(said) else None)
    return wrong


def _bad(said: Any) -> bool:
    # A refusal (4xx) is an answer; the browser writes it down as an error all the same.
    return said.type == "error" and "Failed to load resource" not in said.text


def sign_in(page: Any, name: str) -> None:
    """Fill in the form."""
    page.goto("/login")
    page.fill("#email", f"{name.split()[0].lower()}@aldermoor.example")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url(lambda url: "/login" not in url)


def live(page: Any) -> None:
    """Wait until the page listens to the log."""
    page.wait_for_selector("html[data-live]")


def shoot(page: Any, name: str) -> None:
    """Keep a picture."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")
