"""Services on this device: whether one runs, and the commands that start, stop or restart it."""

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from quell.agent.commands import run_command
from quell.agent.policy import DeclaredService, Policy
from quell.agent.tables import service_table
from quell.wire.errors import Untrusted
from quell.wire.telemetry import Service

STATUS_S_MAX = 10
SETTLE_S_MAX = 10
LOOK_S = 0.1


@dataclass(frozen=True)
class Services:
    """The services that a policy lists; `folder` takes the output of status commands for a moment."""

    policy: Policy
    folder: Path

    def state(self, name: str) -> str:
        """`running`, `stopped`, or `unknown` when it cannot be told; Untrusted when the policy does not list it."""
        declared = self.policy.service(name)
        if declared.pid_file:
            return "running" if is_alive(read_pid(declared.pid_file)) else "stopped"
        table = service_table()
        argv = declared.status if declared.own else table.command("status", name)
        ran = run_command(argv, STATUS_S_MAX, self.folder / "status")
        if ran.code is None or ran.problem:
            return "unknown"
        if not declared.own and table.running:
            return "running" if table.running in ran.output else "stopped"
        return "running" if ran.code == 0 else "stopped"

    def states(self) -> tuple[Service, ...]:
        """All that the policy lists."""
        return tuple(Service(name, self.state(name)) for name in sorted(self.policy.services))

    def commands(self, verb: str, name: str, state: str) -> tuple[tuple[str, ...], ...]:
        """What `start`, `stop` or `restart` means here for a service in this state, as argument vectors."""
        declared = self.policy.service(name)
        if verb == "start":
            return () if state == "running" else (self._command("start", name, declared),)
        if verb == "stop":
            return () if state == "stopped" else (self._command("stop", name, declared),)
        if state == "stopped":
            return (self._command("start", name, declared),)
        restart = () if declared.own else service_table().command("restart", name)
        if restart:
            return (restart,)
        return (self._command("stop", name, declared), self._command("start", name, declared))

    def settle(self, name: str, wanted: str) -> str:
        """Wait a little until the service is in this state; the state in which it is then."""
        until = time.monotonic() + SETTLE_S_MAX
        while (state := self.state(name)) != wanted and time.monotonic() < until:
            time.sleep(LOOK_S)
        return state

    def _command(self, which: str, name: str, declared: DeclaredService) -> tuple[str, ...]:
        if declared.own:
            return declared.start if which == "start" else declared.stop
        table = service_table()
        argv = table.command(which, name)
        if not Path(argv[0]).exists():
            raise Untrusted("not_possible", f"{argv[0]} is not on this device")
        return argv


def read_pid(path: str) -> int | None:
    """The number in a pid file, None when there is none."""
    try:
        text = Path(path).read_text()[:32].strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isascii() and text.isdigit() and int(text) > 1 else None


def is_alive(pid: int | None) -> bool:
    """Whether a process runs under this number (one that only waits to be buried does not)."""
    if pid is None:
        return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
