"""The process tree of `quell up`: the database first, then the doors over it, stopped the other way round."""

import asyncio
import hashlib
import logging
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click

from quell.cli.children import Child
from quell.cli.door import now
from quell.core.errors import Broken
from quell.settings import Settings, reachable
from quell.store import accounts, deliveries, postgres
from quell.store.change import Store
from quell.store.database import connect
from quell.store.jobs import InlineJobs
from quell.store.schema import migrate

LOOK_EVERY_S = 0.05
WATCH_EVERY_S = 1.0
LISTEN_LOOK_EVERY_S = 5.0
READY_WITHIN_S = 120.0
# One that dies so often before everything was ready will not get better by trying again.
DEATHS_MAX = 3
PROBE_S_MAX = 2.0
TOKEN_BYTES = 32
POOL_SIZE = 1

log = logging.getLogger("quell.up")


@dataclass
class Tree:
    """Database, signer, pages, worker, and what listens once there is something to listen for."""

    settings: Settings
    signer: Child = field(default_factory=lambda: Child("signer"))
    worker: Child = field(default_factory=lambda: Child("worker"))
    web: Child = field(default_factory=lambda: Child("web"))
    listen: Child = field(default_factory=lambda: Child("listen"))

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; Broken when it does not come up."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(each, stop.set)
        while not stop.is_set():
            with postgres.reached(self.settings.home, self.settings.database_url) as url:
                await asyncio.to_thread(migrate, url)
                await self._live(url, stop)

    async def _live(self, url: str, stop: asyncio.Event) -> None:
        """Everything over one database, until we are told to stop or the database is gone."""
        for each in (self.signer, self.web, self.worker):
            each.start()
        try:
            async with small_store(url) as store:
                ready = asyncio.create_task(self._get_ready(store))
                stopped = asyncio.create_task(stop.wait())
                await asyncio.wait({ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if stopped.done():
                    ready.cancel()
                    return
                stopped.cancel()
                for line in ready.result():
                    click.echo(line)
                await self._watch(store, stop)
        finally:
            await self._stop()

    async def _get_ready(self, store: Store) -> list[str]:
        """Wait until pages and signer answer; the lines to print then."""
        here = f"http://{reachable(self.settings.bind)}:{self.settings.port}"
        async with asyncio.timeout(READY_WITHIN_S):
            while not (_signer_there(self.settings.home) and await asyncio.to_thread(_answers, f"{here}/readyz")):
                for child in (self.signer, self.web):
                    if child.deaths >= DEATHS_MAX:
                        raise Broken(f"the process {child.name} does not start; what it said stands above")
                await asyncio.sleep(LOOK_EVERY_S)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        async with store.change() as change:
            first = await accounts.renew_first_run(change, hashlib.sha256(token.encode()).digest())
        link = f"Make the first account here: {self.settings.public_url}/first-run?token={token}"
        return [f"Quell is ready at {here}", *([link] if first else [])]

    async def _watch(self, store: Store, stop: asyncio.Event) -> None:
        """Look after the database, and start what listens once there is something to listen for."""
        look_again = 0.0
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            if self.settings.database_url is None and postgres.locate(self.settings.home) is None:
                log.error("database_gone starting_again=yes")
                return
            if self.listen.task is None and loop.time() >= look_again:
                look_again = loop.time() + LISTEN_LOOK_EVERY_S
                if await self._has_to_listen(store):
                    self.listen.start()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WATCH_EVERY_S)

    async def _has_to_listen(self, store: Store) -> bool:
        ports = (self.settings.smtp_port, self.settings.lmtp_port, self.settings.syslog_port)
        if any(port is not None for port in ports):
            return True
        async with store.read() as connection:
            return any(line.settings.get("imap_url") for line in await deliveries.lines(connection))

    async def _stop(self) -> None:
        """What takes work in stops first, what others need stops last."""
        await asyncio.gather(self.web.stop(), self.listen.stop())
        await self.worker.stop()
        await self.signer.stop()


@asynccontextmanager
async def small_store(url: str) -> AsyncIterator[Store]:
    """A store for the few questions that we have ourselves."""
    engine = connect(url, "quell up", POOL_SIZE)
    try:
        yield Store(engine, now, InlineJobs())
    finally:
        await engine.dispose()


def _signer_there(home: Path) -> bool:
    return (home / "signer.json").exists()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=PROBE_S_MAX) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
