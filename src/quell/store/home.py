"""Files in QUELL_HOME that belong to the embedded server: its password, its log, and the locks on it."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from quell.core.errors import Broken, TryAgain

LOCK_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02
LOG_BYTES_MAX = 10 * 1024 * 1024


def secret(home: Path, *, fresh: bool = False) -> str:
    """The role's password; `fresh` makes a new one."""
    path = home / "postgres.password"
    if fresh:
        write_privately(path, secrets.token_urlsafe(32))
    try:
        return path.read_text()
    except FileNotFoundError as gone:
        raise Broken(f"{path} is gone; without it the data in {home / 'postgres'} cannot be opened") from gone


def write_privately(path: Path, text: str) -> None:
    """Write a file that only we may read, at once or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def turn_log(log: Path) -> None:
    """Begin a new log, readable by us only, when the old one has grown large; one old one is kept."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name(log.name + ".old"))
    os.close(os.open(log, os.O_CREAT | os.O_APPEND, 0o600))


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold a lock on a file for a while."""
    with take(path, how):
        yield


def take(path: Path, how: int) -> BinaryIO:
    """A lock on a file, held until the file is closed; TryAgain when others do not let go of theirs."""
    file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")  # noqa: SIM115 - the caller closes it
    until = time.monotonic() + LOCK_SECONDS_MAX
    while not try_lock(file, how):
        if time.monotonic() > until:
            file.close()
            raise TryAgain(f"{path} stays locked")
        time.sleep(POLL_SECONDS)
    return file


def try_lock(file: BinaryIO, how: int) -> bool:
    """Take or change a lock if that is possible at once."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
