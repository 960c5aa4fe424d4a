"""`quell bench recovery`: kill -9 of the worker in the midst of its work: does each delivery end exactly once?"""

import asyncio
import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from psycopg import AsyncConnection

from quell.cli import apart
from quell.cli.bench.figure import Figure
from quell.cli.bench.intake import alert
from quell.cli.demo.day import company
from quell.core.errors import Broken
from quell.core.permission import Role

COMMAND = "quell bench recovery"
DELIVERIES, KILLS = 120, 4
KILL_EVERY_S = 4.0
DONE_WITHIN_S = 300.0
LOOK_EVERY_S = 0.1

# A delivery is done when it is read and its report's ticket is sorted; nothing may be there twice.
COUNTS = """
SELECT (SELECT count(*) FROM delivery WHERE state = 'read'),
       (SELECT count(*) FROM report),
       (SELECT count(DISTINCT report) FROM ticket),
       (SELECT count(*) FROM event WHERE kind = 'ticket_opened'),
       (SELECT count(DISTINCT ticket) FROM decision),
       (SELECT count(*) FROM (SELECT 1 FROM proposal WHERE state = 'open' GROUP BY ticket, field HAVING count(*) > 1) x)
"""


async def measure(deliveries: int = DELIVERIES, kills: int = KILLS) -> list[Figure]:
    """The same deliveries twice, each time on a fresh home: left alone, and with the worker killed again and again."""
    calm, _ = await _run(deliveries, 0)
    killed, found = await _run(deliveries, kills)
    lost = deliveries - min(found[0], found[1], found[4])
    doubled = max(found[1], found[3]) - deliveries + found[5]
    says = f"{deliveries} webhooks sent at once; the worker killed {kills} times, {KILL_EVERY_S:g} s apart"
    return [
        Figure("deliveries lost after kill -9", lost, "", COMMAND, "promised: none", 0, lost == 0, says),
        Figure("reports, tickets or proposals doubled", doubled, "", COMMAND, "promised: none", 0, doubled == 0, says),
        Figure("all sorted after", killed, "s", COMMAND, "nobody killed", calm, None, says),
    ]


async def _run(deliveries: int, kills: int) -> tuple[float, tuple[int, ...]]:
    """Seconds until all is done, and the counts then."""
    with tempfile.TemporaryDirectory(prefix="quell-bench-") as folder:
        home = Path(folder)
        async with apart.running(home) as quell:
            async with await quell.client(Role.OWNER) as owner:
                (await owner.put("/api/v1/company", content=company())).raise_for_status()
                made = await owner.post("/api/v1/channels", json={"name": "alertmanager", "settings": {}})
                hook = str(made.json()["address"])
                began = asyncio.get_running_loop().time()
                await asyncio.gather(*(_send(owner, hook, number) for number in range(deliveries)))
            killing = asyncio.create_task(_kill(quell.process.pid, kills))
            try:
                counts = await _done(home, deliveries, killing)
            finally:
                killing.cancel()
                await asyncio.gather(killing, return_exceptions=True)
            return asyncio.get_running_loop().time() - began, counts


async def _send(owner: httpx.AsyncClient, hook: str, number: int) -> None:
    answer = await owner.post(hook, content=alert(number), headers={"content-type": "application/json"})
    answer.raise_for_status()


async def _kill(parent: int, kills: int) -> None:
    """Kill the worker that runs now, so many times; whoever started it starts another."""
    for _ in range(kills):
        await asyncio.sleep(KILL_EVERY_S)
        while (worker := _worker(parent)) is None:
            await asyncio.sleep(LOOK_EVERY_S)
        os.kill(worker, signal.SIGKILL)


def _worker(parent: int) -> int | None:
    for child in psutil.Process(parent).children(recursive=True):
        with suppress(psutil.Error):
            if "quell.worker" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                return int(child.pid)
    return None


async def _done(home: Path, deliveries: int, killing: "asyncio.Task[None]") -> tuple[int, ...]:
    from quell.store import postgres

    server = postgres.locate(home)
    if server is None:
        raise Broken("the database is not there")
    async with await AsyncConnection.connect(server.conninfo(), autocommit=True) as connection:
        counts: tuple[int, ...] = ()
        try:
            async with asyncio.timeout(DONE_WITHIN_S):
                while not (killing.done() and counts and counts[0] >= deliveries and counts[4] >= counts[1]):
                    counts = await _counts(connection)
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            pass  # What is missing then counts as lost.
        return counts


async def _counts(connection: AsyncConnection[Any]) -> tuple[int, ...]:
    row = await (await connection.execute(COUNTS)).fetchone()
    assert row is not None
    return tuple(int(each) for each in row)
