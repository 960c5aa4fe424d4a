"""The whole queue page, from the request to the last byte, with a hundred and with ten thousand tickets open."""

import statistics
import time
from datetime import UTC, datetime

import httpx

from quell.core.permission import Role
from quell.web.app import build_app
from quell.web.deps import Deps
from quell.web.live import Live
from quell.web.reading.answers import Answers
from tests.store.test_queue import NOW, fill
from tests.web.conftest import ORIGIN, House

FACTOR_MAX = 2.0
NOISE_MS = 10.0
PAGE_BYTES_MAX = 150_000


async def _median_ms(browser: httpx.AsyncClient, path: str, times: int = 12) -> float:
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        answer = await browser.get(path)
        spent.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code == 200
    return statistics.median(spent[2:])


async def test_the_queue_page_takes_at_most_twice_as_long_with_ten_thousand_open_tickets(house: House) -> None:
    house.clock.time = NOW.astimezone(UTC) if NOW.tzinfo else datetime.now(UTC)
    browser = await house.signed_in(Role.TECHNICIAN)
    reads = Answers(house.store, {}, {}, ORIGIN)
    app = build_app(Deps(house.store, house.desk, reads, Live(house.store), b"s" * 32, ORIGIN))  # type: ignore[arg-type]
    real = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"accept": "text/html"}, cookies=browser.cookies
    )
    await fill(house.store.engine, 100)
    few = await _median_ms(real, "/")
    for begin in range(101, 10_000, 2_475):
        await fill(house.store.engine, 2_475, begin)
    many = await _median_ms(real, "/")
    page = await real.get("/")
    print(f"queue page: {few:.0f} ms at 100, {many:.0f} ms at 10,000 open tickets")
    assert many <= FACTOR_MAX * few + NOISE_MS, f"{few:.0f} ms at 100, {many:.0f} ms at 10,000"
    assert int(page.headers["content-length"]) < PAGE_BYTES_MAX
