"""`quell bench triage`: from a message's arrival to its stored proposals, with every core kept busy by others."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from quell.cli import apart
from quell.cli.bench.figure import Figure, share
from quell.cli.children import die_with_parent
from quell.cli.demo.day import WHOLE, Spoken, company, messages
from quell.core.errors import Broken
from quell.core.permission import Role

COMMAND = "quell bench triage"
MESSAGES, PER_S = 240, 2.0
P99_S_MAX = 1.0
WARM = 8
LOOK_EVERY_S = 0.01
SORTED_WITHIN_S = 120.0
BURN = "while True: pass"


async def measure(count: int = MESSAGES, per_s: float = PER_S, burners: int | None = None) -> list[Figure]:
    """The sample's messages at an even pace, first with idle cores, then with each of them busy."""
    cores = burners if burners is not None else psutil.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="quell-bench-") as folder:
        home = Path(folder)
        async with apart.running(home) as quell:
            async with await quell.client(Role.OWNER) as owner:
                (await owner.put("/api/v1/company", content=company())).raise_for_status()
            async with await quell.client(Role.INTEGRATION) as api, sorted_tickets(home) as clock:
                rows = bodies(WARM + 2 * count)
                await _send(api, clock, rows[:WARM], per_s)
                quiet = await _send(api, clock, rows[WARM : WARM + count], per_s)
                with busy(cores):
                    loud = await _send(api, clock, rows[WARM + count :], per_s)
    says = f"{count} messages of the sample, {per_s:g} each second, {cores} cores busy with other work, no corrections"
    p99 = share(loud, 0.99)
    return [
        Figure("arrival to stored proposals, median", share(loud, 0.5), "s", COMMAND, "the same run with idle cores",
               share(quiet, 0.5), None, says),
        Figure("arrival to stored proposals, p99", p99, "s", COMMAND, "promised: under", P99_S_MAX, p99 < P99_S_MAX,
               f"{says}; with idle cores {share(quiet, 0.99):.2f} s"),
    ]  # fmt: skip


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep so many cores at work with something else."""
    given = [sys.executable, "-I", "-S", "-c", BURN]
    burning = [subprocess.Popen(given, preexec_fn=die_with_parent(os.getpid())) for _ in range(cores)]
    try:
        yield
    finally:
        for each in burning:
            each.kill()
            each.wait()


def bodies(count: int) -> list[dict[str, Any]]:
    """Reports for the API out of the sample, each one that opens a ticket of its own."""
    found: list[dict[str, Any]] = []
    told = [each for each in messages(WHOLE) if each.truth["kind"] in ("incident", "request", "question")]
    for turn in range(1 + count // len(told)):
        found += [_body(each, turn) for each in told]
    return found[:count]


def _body(spoken: Spoken, turn: int) -> dict[str, Any]:
    row = spoken.row
    body = {"reporter": row.get("sender") or "", "subject": row.get("subject") or "", "text": row["text"]}
    body |= {"device": row["device"]} if row.get("device") else {}
    if spoken.labels:
        body["labels"] = {**spoken.labels, "fingerprint": f"{spoken.id}-{turn}", "status": "firing"}
    return body


@dataclass
class Sorted:
    """Notes when the proposals of tickets that are waited for can be seen by others."""

    connection: psycopg.AsyncConnection[Any]
    waited_for: dict[int, asyncio.Future[float]] = field(default_factory=dict)

    async def watch(self) -> None:
        """Look again and again, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            if self.waited_for:
                query = "SELECT DISTINCT ticket FROM decision WHERE ticket = ANY(%s)"
                rows = await (await self.connection.execute(query, (list(self.waited_for),))).fetchall()
                at = loop.time()
                for (number,) in rows:
                    self.waited_for.pop(number).set_result(at)
            await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def sorted_tickets(home: Path) -> AsyncIterator[Sorted]:
    """The watch over the database of the Quell with this home, while the block lasts."""
    from quell.store import postgres

    server = postgres.locate(home)
    if server is None:
        raise Broken("the database is not there")
    async with await psycopg.AsyncConnection.connect(server.conninfo(), autocommit=True) as connection:
        made = Sorted(connection)
        watching = asyncio.create_task(made.watch())
        try:
            yield made
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _send(api: httpx.AsyncClient, clock: Sorted, rows: list[dict[str, Any]], per_s: float) -> list[float]:
    """Seconds for each, from before it is sent until its proposals are there; the pace waits for nobody."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks = []
    for index, body in enumerate(rows):
        await asyncio.sleep(max(0.0, began + index / per_s - loop.time()))
        tasks.append(asyncio.create_task(_one(api, clock, body)))
    return list(await asyncio.gather(*tasks))


async def _one(api: httpx.AsyncClient, clock: Sorted, body: dict[str, Any]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await api.post("/api/v1/reports", json=body)
    answer.raise_for_status()
    seen = clock.waited_for.setdefault(answer.json()["ticket"], loop.create_future())
    async with asyncio.timeout(SORTED_WITHIN_S):
        return await seen - began
