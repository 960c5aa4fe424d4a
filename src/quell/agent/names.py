"""Names that this device remembers: which caches of names there are, and throwing them away."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from quell.agent.services import read_pid
from quell.agent.tables import NamesTable, names_tables


@dataclass(frozen=True)
class NameCache:
    """A cache that runs here: emptied by a command, or by a hang-up signal to the process in a pid file."""

    name: str
    command: tuple[str, ...]


def find_caches(dnsmasq_pid_file: str) -> tuple[NameCache, ...]:
    """The caches of names that run on this device now."""
    found = [_present(table) for table in names_tables(dnsmasq_pid_file=dnsmasq_pid_file)]
    return tuple(each for each in found if each is not None)


def hang_up(name: str, pid_file: str) -> str:
    """Send the signal that makes a name server forget; why not, or nothing."""
    pid = read_pid(pid_file)
    if pid is None or not _is_called(pid, name):
        return f"{name} does not run under the number in {pid_file}"
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        return f"{name} could not be told: {error.strerror}"
    return ""


def is_signal(command: Sequence[str]) -> bool:
    """Whether a planned command is a signal and not a program."""
    return len(command) == 3 and command[0] == "SIGHUP"


def _present(table: NamesTable) -> NameCache | None:
    if not all(Path(each).exists() for each in table.needs):
        return None
    if not table.pid_file:
        return NameCache(table.name, table.command)
    pid = read_pid(table.pid_file)
    if pid is None or not _is_called(pid, table.name):
        return None
    return NameCache(table.name, ("SIGHUP", table.name, table.pid_file))


def _is_called(pid: int, name: str) -> bool:
    try:
        return psutil.Process(pid).name() == name
    except psutil.Error:
        return False
