"""`quell bench intake`: hooks that are verified, stored durably and acknowledged each second, beside a plain INSERT."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx

from quell.cli.apart import free_port, stop, surroundings
from quell.cli.bench.figure import Figure, middle
from quell.cli.bench.load import Pressed, press, request
from quell.cli.children import die_with_parent
from quell.cli.door import now
from quell.core.company import DEFAULT_ORGANISATION
from quell.core.errors import Broken

COMMAND = "quell bench intake"
# Each address takes some hundreds a second at most; a company's tools have one each.
CHANNELS = 16
CONNECTIONS = 32
READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1


async def measure(seconds: float = 5.0, rounds: int = 3) -> list[Figure]:
    """Alternate between both, so that what else the machine does strikes both alike; the median round counts."""
    with tempfile.TemporaryDirectory(prefix="quell-bench-") as folder:
        return await _measure(Path(folder), seconds, rounds)


async def _measure(home: Path, seconds: float, rounds: int) -> list[Figure]:
    from quell.store import postgres
    from quell.store.schema import migrate

    with postgres.start(home) as running:
        migrate(running.server.url)
        keys = await _switch_on(running.server.url)
        plain = {"YARDSTICK_URL": running.server.conninfo()}
        async with door(home, "quell.web", "/readyz") as ours, door(home, YARDSTICK, "/", plain, True) as theirs:
            hooks, inserts = _hooks(keys, ours), _inserts(theirs)
            await press(ours, hooks, CONNECTIONS, 1.0)
            await press(theirs, inserts, CONNECTIONS, 1.0)
            mine, other = [], []
            for _ in range(rounds):
                other.append(_checked(await press(theirs, inserts, CONNECTIONS, seconds)))
                mine.append(_checked(await press(ours, hooks, CONNECTIONS, seconds)))
    says = f"median of {rounds} stretches of {seconds:g} s, {CONNECTIONS} connections, one web process, no worker"
    return [Figure("hooks accepted", middle(mine), "1/s", COMMAND, "plain FastAPI + INSERT", middle(other), None, says)]


YARDSTICK = "quell.cli.bench.yardstick"


async def _switch_on(url: str) -> list[str]:
    from quell.store import deliveries
    from quell.store.change import Store
    from quell.store.database import connect
    from quell.store.jobs import InlineJobs

    engine = connect(url, "quell bench", 1)
    keys = [f"bench-{number}" for number in range(CHANNELS)]
    async with Store(engine, now, InlineJobs()).change() as change:
        for key in keys:
            await deliveries.add_line(change, key, "alertmanager", {}, DEFAULT_ORGANISATION)
    await engine.dispose()
    return keys


@asynccontextmanager
async def door(
    home: Path, module: str, ready: str, more: dict[str, str] | None = None, port_as_word: bool = False
) -> AsyncIterator[int]:
    """A process that serves HTTP, once it answers; its port."""
    port = free_port()
    given = [str(port)] if port_as_word else []
    environment = surroundings(home, {"QUELL_PORT": str(port), "QUELL_LOG": "warning"} | (more or {}))
    with (home / "bench.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *given, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            env=environment, start_new_session=True, preexec_fn=die_with_parent(os.getpid()),
        )  # fmt: skip
    try:
        await _wait_for(f"http://127.0.0.1:{port}{ready}", process, home)
        yield port
    finally:
        await stop(process)


async def _wait_for(url: str, process: asyncio.subprocess.Process, home: Path) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(READY_WITHIN_S):
        while process.returncode is None:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(LOOK_EVERY_S)
    raise Broken(f"{url} does not answer:\n{(home / 'bench.log').read_text(errors='replace')[-1500:]}")


def _hooks(keys: list[str], port: int) -> Callable[[], bytes]:
    numbers = count()

    def make() -> bytes:
        number = next(numbers)
        key = keys[number % len(keys)]
        return request(f"/hooks/alertmanager/{key}", port, alert(number))

    return make


def _inserts(port: int) -> Callable[[], bytes]:
    numbers = count()
    return lambda: request("/", port, alert(next(numbers)))


def alert(number: int) -> bytes:
    """A webhook of Alertmanager as it looks in life, each about another problem."""
    labels = {
        "alertname": "HighRequestLatency",
        "severity": "warning",
        "instance": f"app-{number:06}:9100",
        "job": "node",
        "service": "ehr",
        "site": "dc",
    }
    words = {"summary": f"Latency on app-{number:06}", "description": "p99 above 1 s for 10 minutes. " * 8}
    one = {
        "status": "firing",
        "labels": labels,
        "annotations": words,
        "startsAt": "2026-03-11T07:52:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=latency",
        "fingerprint": f"{number:016x}",
    }
    body = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="HighRequestLatency", n="{number}"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "quell",
        "groupLabels": {"alertname": "HighRequestLatency"},
        "commonLabels": labels,
        "commonAnnotations": words,
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [one],
    }
    return json.dumps(body).encode()


def _checked(found: Pressed) -> float:
    refused = {status: count for status, count in found.statuses.items() if not 200 <= status < 300}
    if refused:
        raise Broken(f"not everything was accepted: {refused}")
    return found.accepted_per_s
