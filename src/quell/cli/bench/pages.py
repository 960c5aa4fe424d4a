"""`quell bench pages`: the server's time for the queue's page at few and at many open tickets, and the second start."""

import asyncio
import re
import tempfile
from pathlib import Path

import httpx

from quell.cli import apart
from quell.cli.apart import Apart
from quell.cli.bench import filling
from quell.cli.bench.figure import Figure, middle, share
from quell.cli.demo.day import company
from quell.cli.door import now
from quell.core.errors import Broken
from quell.core.permission import Role

COMMAND = "quell bench pages"
FEW, MANY = 100, 10_000
TIMES_AS_SLOW_MAX = 2.0
SECOND_START_S_MAX = 5.0
TIMES = 60
WARM = 5
TOKEN = re.compile(r'name="csrf" (?:content|value)="([^"]+)"')
ABOUT_ONE = {"name": "Bench", "email": "bench@northwind-hospital.example", "password": "a long sentence for a bench"}


async def measure(few: int = FEW, many: int = MANY, times: int = TIMES) -> list[Figure]:
    """Fill, look, fill more, look again; then stop and start."""
    with tempfile.TemporaryDirectory(prefix="quell-bench-") as folder:
        home = Path(folder)
        async with apart.running(home) as quell:
            await _load_company(quell)
            browser = await _signed_in(quell)
            try:
                await _fill(home, few)
                at_few = await _look(browser, times)
                await _fill(home, many - few)
                at_many = await _look(browser, times)
            finally:
                await browser.aclose()
        async with apart.running(home) as again:
            second = again.ready_after_s
    return [*_pages(few, many, at_few, at_many), _start(second)]


def _pages(few: int, many: int, at_few: list[float], at_many: list[float]) -> list[Figure]:
    ratio = middle(at_many) / middle(at_few)
    says = f"median of {len(at_many)} requests one after the other over loopback, first page, signed in as owner"
    return [
        Figure(
            f"queue page at {many} open tickets", middle(at_many) * 1000, "ms", COMMAND, f"at {few} open tickets",
            middle(at_few) * 1000, None, f"{says}; the slowest of 20 took {share(at_many, 0.95) * 1000:.0f} ms",
        ),
        Figure(
            f"the same, times as slow as at {few}", ratio, "times", COMMAND, "promised: at most",
            TIMES_AS_SLOW_MAX, ratio <= TIMES_AS_SLOW_MAX, says,
        ),
    ]  # fmt: skip


def _start(seconds: float) -> Figure:
    says = "from the command to the ready line, with the data of this bench"
    kept = seconds <= SECOND_START_S_MAX
    return Figure(
        "second start of quell up", seconds, "s", COMMAND, "promised: at most", SECOND_START_S_MAX, kept, says
    )


async def _load_company(quell: Apart) -> None:
    async with await quell.client(Role.OWNER) as owner:
        answer = await owner.put("/api/v1/company", content=company())
        answer.raise_for_status()


async def _signed_in(quell: Apart) -> httpx.AsyncClient:
    """A browser that has made the first account by its link."""
    if quell.first_run is None:
        raise Broken("there was no first-run link")
    browser = httpx.AsyncClient(base_url=quell.url, headers={"origin": quell.url}, timeout=60.0)
    form = await browser.get(quell.first_run)
    found = TOKEN.search(form.text)
    if found is None:
        raise Broken("the first-run page has no form")
    data = {"csrf": found[1], "token": quell.first_run.partition("token=")[2], **ABOUT_ONE}
    made = await browser.post("/first-run", data=data)
    if made.status_code != 303:
        raise Broken(f"the first account was not made: {made.status_code}")
    return browser


async def _look(browser: httpx.AsyncClient, times: int) -> list[float]:
    loop = asyncio.get_running_loop()
    took = []
    for turn in range(WARM + times):
        began = loop.time()
        answer = await browser.get("/")
        if turn >= WARM:
            took.append(loop.time() - began)
        if answer.status_code != 200:
            raise Broken(f"the queue's page answered {answer.status_code}")
    return took


async def _fill(home: Path, count: int) -> None:
    from sqlalchemy import text

    from quell.store import postgres
    from quell.store.change import Store
    from quell.store.database import connect
    from quell.store.jobs import InlineJobs

    with postgres.reached(home, None) as url:
        engine = connect(url, "quell bench", 1)
        try:
            async with Store(engine, now, InlineJobs()).change() as change:
                await filling.fill(change, count)
            async with engine.connect() as connection:
                # What autovacuum would do within a minute; a bench does not wait for it.
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text("VACUUM ANALYZE"))
        finally:
            await engine.dispose()
