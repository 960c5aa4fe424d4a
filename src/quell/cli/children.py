"""Child processes that live as long as they are wanted: started again when they die, and gone when we are gone."""

import asyncio
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

WAIT_FIRST_S = 0.5
WAIT_MAX_S = 30.0
# A child that lived this long had started well; the next time it is started at once again.
STEADY_AFTER_S = 60.0
STOP_WITHIN_S = 30.0
PR_SET_PDEATHSIG = 1

log = logging.getLogger("quell.up")


@dataclass
class Child:
    """One door as a process of its own; `deaths` counts those since it last was steady."""

    name: str
    deaths: int = 0
    process: asyncio.subprocess.Process | None = None
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Keep a process running from now on."""
        self.task = asyncio.create_task(self._keep())

    async def stop(self, ask: int = signal.SIGTERM) -> None:
        """Let it finish what it does, and end it if that takes too long."""
        if self.task is None:
            return
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.task = None
        await self.end(ask)

    async def end(self, ask: int = signal.SIGTERM) -> None:
        """End the process that runs now; if it is kept, another one follows."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        for order in (ask, signal.SIGKILL):
            with suppress(ProcessLookupError):
                process.send_signal(order)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
                return

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"quell.{self.name}", stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True, preexec_fn=die_with_parent(os.getpid()),
            )  # fmt: skip
            log.info("process_started name=%s pid=%s", self.name, self.process.pid)
            status = await self.process.wait()
            if loop.time() - began >= STEADY_AFTER_S:
                self.deaths = 0
            wait = min(WAIT_FIRST_S * 2**self.deaths, WAIT_MAX_S)
            self.deaths += 1
            log.warning("process_ended name=%s status=%s again_in_s=%s", self.name, status, wait)
            await asyncio.sleep(wait)


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes the program: on Linux the kernel ends it when we end, however we end."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # We were gone before the kernel knew.
            os._exit(1)

    return ask
