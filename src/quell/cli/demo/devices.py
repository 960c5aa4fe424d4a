"""The demo's two devices: real agent processes with folders and policies of their own; on each something breaks."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from quell.cli.apart import stop, surroundings
from quell.cli.children import die_with_parent
from quell.cli.demo import pillar, small_disk
from quell.core.errors import Broken

LAPTOP, PILLAR = "lt-1095", "kio-main-01"
SERVICE = "pillar"
CACHE = "browser"
CACHE_FILES, CACHE_FILE_BYTES = 24, 1024 * 1024

LAPTOP_POLICY = """\
# The laptop of the demo: old files may be deleted below one folder of its small disk, and one cache emptied.
[actions]
free_disk_space = ["delete_old_files"]
clear_cache = ["clear_cache"]
[deletion]
roots = ["{home}/disk/temp"]
older_than_h_min = 24
[caches.browser]
roots = ["{home}/cache"]
[checks]
every_s = 2
disk_free_percent_min = {percent}
mounts = ["{home}/disk"]
"""
PILLAR_POLICY = """\
# The check-in pillar of the demo: one service may be restarted.
[actions]
restart_service = ["restart_service", "put_back_service"]
[services.pillar]
start = ["{python}", "-I", "{script}", "start", "{home}"]
stop = ["{python}", "-I", "{script}", "stop", "{home}"]
pid_file = "{home}/pillar.pid"
[checks]
every_s = 2
services = ["pillar"]
"""


@dataclass
class Device:
    """One device: its folder, its host name, and its agent while it runs."""

    hostname: str
    folder: Path
    policy: str
    launch: tuple[str, ...] = ()
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def agent_home(self) -> Path:
        """The agent's own folder."""
        return self.folder / "agent"

    async def enrol(self, server: str, token: str) -> None:
        """Let the device in, with its policy in place before it is asked for anything."""
        self.agent_home.mkdir(mode=0o700, parents=True)
        path = self.agent_home / "policy.toml"
        path.touch(mode=0o600)
        path.write_text(self.policy)
        given = ("--home", str(self.agent_home), "enrol", "--server", server, "--token", token)
        status = await self._run("quell.agent", *given, "--hostname", self.hostname)
        if status != 0:
            raise Broken(f"the agent of {self.hostname} was not let in; see {self.folder / 'agent.log'}")

    async def switch_on(self) -> None:
        """Start its agent."""
        given = self.launch or ("quell.agent", "--home", str(self.agent_home), "run")
        self.process = await self._start(*given)

    async def switch_off(self) -> None:
        """Stop its agent."""
        if self.process is not None:
            await stop(self.process)

    async def _run(self, *given: str) -> int:
        return await (await self._start(*given)).wait()

    async def _start(self, *given: str) -> asyncio.subprocess.Process:
        with (self.folder / "agent.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", *given, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env=surroundings(self.folder, {}), start_new_session=True, preexec_fn=die_with_parent(os.getpid()),
            )  # fmt: skip


def laptop(devices: Path) -> Device:
    """A laptop whose small disk is nearly full; where no disk can be hung, one with a cache that has grown."""
    folder = (devices / LAPTOP).resolve()
    for name in ("disk", "cache"):
        (folder / name).mkdir(parents=True)
    small = small_disk.possible()
    policy = LAPTOP_POLICY.format(home=folder, percent=15 if small else 0)
    made = Device(LAPTOP, folder, policy)
    if small:
        made.launch = ("quell.cli.demo.small_disk", str(folder / "disk"), str(made.agent_home))
    else:
        for number in range(CACHE_FILES):
            (folder / "cache" / f"{number:02}.bin").write_bytes(b"\0" * CACHE_FILE_BYTES)
    return made


async def check_in_pillar(devices: Path) -> Device:
    """A check-in pillar whose service runs."""
    folder = (devices / PILLAR).resolve()
    folder.mkdir(parents=True)
    policy = PILLAR_POLICY.format(home=folder, python=sys.executable, script=Path(pillar.__file__).resolve())
    await _service(folder, "start")
    return Device(PILLAR, folder, policy)


def break_pillar(device: Device) -> None:
    """Let its service die, as services do."""
    os.kill(int((device.folder / pillar.PID).read_text()), signal.SIGKILL)


async def stop_pillar(device: Device) -> None:
    """Leave nothing behind."""
    await _service(device.folder, "stop")


async def _service(folder: Path, verb: str) -> None:
    script = str(Path(pillar.__file__).resolve())
    process = await asyncio.create_subprocess_exec(sys.executable, "-I", script, verb, str(folder))
    if await process.wait() != 0:
        raise Broken(f"the pillar's service does not {verb}")
