"""Running one command: an absolute program with an argument vector, no environment, a time limit, bounded output."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quell.agent import gate
from quell.wire.results import OUTPUT_CHARACTERS_MAX

OUTPUT_BYTES_MAX = 1024 * 1024
GRACE_S = 3
LOOK_S = 0.02


@dataclass(frozen=True)
class Ran:
    """What came of a command; `problem` says why it did not end by itself, and is empty when it did."""

    code: int | None
    output: str
    took_ms: int
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with status 0."""
        return self.code == 0 and not self.problem


def run_command(argv: Sequence[str], timeout_s: int, output: Path, started: Callable[[int], None] | None = None) -> Ran:
    """Run it to its end; its output goes to a file and not to a pipe, so that it goes on if we are killed meanwhile.

    With `started`, the command begins only after that has returned, so whoever wrote its number down can wait for it.
    """
    if not argv or not os.path.isabs(argv[0]):
        return Ran(None, "", 0, "is not an absolute program")
    began = time.monotonic()
    with output.open("wb") as file:
        try:
            process = _start(list(argv), file, started)
        except OSError as error:
            return Ran(None, "", _ms(began), f"cannot be started: {error.strerror}")
        problem = _wait(process, began + timeout_s, file.fileno())
    said = read_output(output)
    output.unlink(missing_ok=True)
    return Ran(process.returncode, said, _ms(began), problem)


def _start(argv: list[str], output: IO[bytes], started: Callable[[int], None] | None) -> "subprocess.Popen[bytes]":
    gated = [sys.executable, "-I", "-S", gate.__file__, *argv] if started else argv
    process = subprocess.Popen(
        gated,
        stdin=subprocess.PIPE if started else subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={},
        cwd="/",
        start_new_session=True,
    )
    if started and process.stdin is not None:
        with process.stdin as opener:
            started(process.pid)
            opener.write(gate.GO)
    return process


def read_output(output: Path) -> str:
    """The end of what a command wrote, readable, without control characters."""
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - OUTPUT_CHARACTERS_MAX))
            body = file.read(OUTPUT_CHARACTERS_MAX)
    except OSError:
        return ""
    text = body.decode("utf-8", "replace")
    return "".join(each for each in text if each in "\n\t" or (each.isprintable())).strip()


def _wait(process: "subprocess.Popen[bytes]", until: float, output: int) -> str:
    while process.poll() is None:
        if time.monotonic() > until:
            _end(process)
            return "took too long and was stopped"
        if os.fstat(output).st_size > OUTPUT_BYTES_MAX:
            _end(process)
            return "wrote too much and was stopped"
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
    return ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the command and all that it started in its own group."""
    for kind, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, GRACE_S)):
        with suppress(OSError):
            os.killpg(process.pid, kind)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
