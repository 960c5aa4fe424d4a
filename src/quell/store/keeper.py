"""The small program that keeps an embedded PostgreSQL: it runs as long as somebody holds the users' lock, no longer.

Every process that uses the server holds a shared lock on one file, which the kernel takes away when that process ends,
also by kill -9. The keeper waits for the exclusive lock: once it has that, nobody is left, and it stops the server.
Should the keeper itself be killed, the kernel tells the server to stop (parent-death signal). Standard library only,
since it is started as a plain file and must be up in a few milliseconds.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

STOP_SECONDS_MAX = 30
PR_SET_PDEATHSIG = 1


class Gone(Exception):
    """The server ended, or somebody asked the keeper to end."""


def raise_gone(_number: int, _frame: FrameType | None) -> None:
    """Leave the wait for the lock."""
    raise Gone


def die_with_the_keeper() -> None:
    """In the server's process, just before it becomes PostgreSQL: ask the kernel for a fast shutdown when we die."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def launch(order: dict[str, object]) -> "subprocess.Popen[bytes]":
    """Start PostgreSQL in its data folder, as the account that owns it when we are root."""
    owner = int(str(order["owner"]))
    other: dict[str, object] = {}
    if os.geteuid() == 0:
        other = {"user": owner, "group": owner, "extra_groups": []}
    with open(str(order["log"]), "ab") as log:
        return subprocess.Popen(  # type: ignore[no-any-return,call-overload]
            order["command"],
            cwd=order["data"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_the_keeper,
            **other,
        )


def stop(server: "subprocess.Popen[bytes]") -> None:
    """A fast shutdown; an immediate one, with recovery at the next start, if that takes too long."""
    for ask in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(ask)
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS_MAX)


def forget(locator: Path, folder: str) -> None:
    """Remove what others would find the server by, unless it speaks of a newer one already."""
    with suppress(OSError, ValueError):
        if json.loads(locator.read_text())["socket"] == folder:
            locator.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def keep(order: dict[str, object]) -> None:
    """Run the server until the last user has gone, then remove what other processes would find it by."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, raise_gone)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    users = open(str(order["users"]), "ab")  # noqa: SIM115 - held until this process ends
    server = launch(order)
    with suppress(Gone):
        fcntl.flock(users, fcntl.LOCK_EX)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN if number != signal.SIGCHLD else signal.SIG_DFL)
    stop(server)
    forget(Path(str(order["locator"])), str(order["socket"]))


if __name__ == "__main__":
    keep(json.loads(sys.argv[1]))
