"""A Quell apart: `quell up` as a child in a home of its own, for the demo and the benches."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from quell.cli.children import die_with_parent
from quell.cli.door import ACTOR, now
from quell.core.errors import Broken
from quell.core.permission import Role

PORT_DEFAULT = 8080
READY_WITHIN_S = 180.0
STOP_WITHIN_S = 45.0
API_TIMEOUT_S = 60.0
READY = "Quell is ready at "
FIRST_RUN = "Make the first account here: "
LOG = "quell.log"
LOG_SHOWN_CHARACTERS = 1500


@dataclass
class Apart:
    """A running Quell: where it is, and how long it took from its start to the ready line."""

    home: Path
    url: str
    ports: Mapping[str, int]
    process: asyncio.subprocess.Process
    ready_after_s: float
    first_run: str | None = None

    async def token(self, role: Role, name: str = "") -> str:
        """A fresh bearer token; its name stands in the log beside what is done with it."""
        from quell.store import postgres, tokens
        from quell.store.change import Store
        from quell.store.database import connect
        from quell.store.jobs import InlineJobs

        with postgres.reached(self.home, None) as url:
            engine = connect(url, "quell cli", 1)
            try:
                async with Store(engine, now, InlineJobs()).change() as change:
                    return await tokens.create(change, name or str(role), role, ACTOR)
            finally:
                await engine.dispose()

    async def client(self, role: Role, name: str = "") -> httpx.AsyncClient:
        """Somebody who calls the API with a token of this role; close him when done."""
        headers = {"authorization": f"Bearer {await self.token(role, name)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=API_TIMEOUT_S)


def free_port(wanted: int = 0) -> int:
    """A port on 127.0.0.1 that nobody has just now: the wanted one if it is free, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours, without any of our own settings, so that it finds its own home only."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("QUELL_")}
    return ours | {"QUELL_HOME": str(home)} | dict(more)


@asynccontextmanager
async def running(home: Path, port: int | None = None, **settings: str) -> AsyncIterator[Apart]:
    """Start everything and wait for the ready line; stopped, its last user gone, when the block ends.

    Raises Broken, with the end of its log, when it does not come up.
    """
    ports = {"QUELL_PORT": port or free_port(PORT_DEFAULT), "QUELL_LMTP_PORT": free_port()}
    more = {name: str(value) for name, value in ports.items()} | settings
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / LOG).open("ab") as log:
        began = asyncio.get_running_loop().time()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "quell.cli", "up", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=log, env=surroundings(home, more), start_new_session=True, preexec_fn=die_with_parent(os.getpid()),
        )  # fmt: skip
    try:
        url = await _ready(process, home)
        made = Apart(home, url, ports, process, asyncio.get_running_loop().time() - began)
        made.first_run = await _first_run(process)
        yield made
    finally:
        await stop(process)


async def _ready(process: asyncio.subprocess.Process, home: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while line := (await process.stdout.readline()).decode():
                if line.startswith(READY):
                    return line.removeprefix(READY).strip()
    except TimeoutError:
        pass
    said = (home / LOG).read_text(errors="replace")[-LOG_SHOWN_CHARACTERS:]
    raise Broken(f"Quell did not start; the end of {home / LOG}:\n{said}")


async def _first_run(process: asyncio.subprocess.Process) -> str | None:
    """The link that makes the first account; it is printed right after the ready line, or not at all."""
    assert process.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            line = (await process.stdout.readline()).decode()
            return line.removeprefix(FIRST_RUN).strip() if line.startswith(FIRST_RUN) else None
    return None


async def stop(process: asyncio.subprocess.Process, ask: int = signal.SIGTERM) -> None:
    """Ask a child to end, and end it if it takes too long."""
    for order, patience_s in ((ask, STOP_WITHIN_S), (signal.SIGKILL, STOP_WITHIN_S)):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(order)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience_s)
