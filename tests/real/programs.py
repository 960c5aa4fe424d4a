"""Starts real programs for a test, on free ports and in folders of their own, and stops exactly those."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

READY_S_MAX = 30.0
STOP_S_MAX = 10.0


def need(program: str) -> str:
    """The program's path; the test is skipped, naming it, where it is absent."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        pytest.skip(f"needs the program {program}")
    return found


def need_root() -> None:
    """Some mail servers only start as root."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to start a mail server with accounts of its own")


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder that servers running under other accounts can enter; gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix=f"quell-{name}-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(command: Sequence[str], port: int, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program, once it accepts connections on the port; its process group is stopped at the end."""
    with output.open("ab") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(process, port, output)
        yield process
    finally:
        _stop(process)


def _wait_for(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    until = time.monotonic() + READY_S_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}:\n{output.read_text()[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} did not listen on {port} in {READY_S_MAX} s:\n{output.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait()
