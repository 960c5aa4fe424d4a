"""Commands: no environment, a time limit, bounded output, everything ended that was started."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from quell.agent import gate
from quell.agent.commands import OUTPUT_BYTES_MAX, run_command


def script(path: Path, *lines: str) -> str:
    """An executable file."""
    path.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
    path.chmod(0o700)
    return str(path)


def is_gone_soon(pid: int) -> bool:
    """Whether a process ends within a moment."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_what_a_command_says_and_how_it_ends(tmp_path: Path) -> None:
    """Output of both kinds, and the status."""
    ran = run_command((script(tmp_path / "s", "echo out", "echo err >&2", "exit 3"),), 5, tmp_path / "o")
    assert (ran.code, ran.output, ran.problem, ran.ok) == (3, "out\nerr", "", False)
    assert not (tmp_path / "o").exists()


def test_the_environment_is_empty(tmp_path: Path) -> None:
    """Nothing of ours leaks, no path is searched on our behalf."""
    os.environ["QUELL_LEAK"] = "1"
    try:
        ran = run_command(("/usr/bin/env",), 5, tmp_path / "o")
    finally:
        del os.environ["QUELL_LEAK"]
    assert ran.ok and ran.output == ""


def test_arguments_stay_arguments(tmp_path: Path) -> None:
    """No shell stands between."""
    ran = run_command(("/bin/echo", "$(id)", "; ls", "*"), 5, tmp_path / "o")
    assert ran.output == "$(id) ; ls *"


def test_only_absolute_programs_are_started(tmp_path: Path) -> None:
    """What is looked up along a path could be somebody else's."""
    assert run_command(("echo", "x"), 5, tmp_path / "o").problem == "is not an absolute program"
    assert "cannot be started" in run_command(("/no/such/program",), 5, tmp_path / "o").problem


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """Within its limit, children too."""
    began = time.monotonic()
    path = script(tmp_path / "s", f"/bin/sleep 60 & echo $! > {tmp_path}/child", "/bin/sleep 60")
    ran = run_command((path,), 1, tmp_path / "o")
    assert ran.problem == "took too long and was stopped" and time.monotonic() - began < 10
    child = int((tmp_path / "child").read_text())
    assert is_gone_soon(child)


def test_a_command_that_writes_without_end_is_ended(tmp_path: Path) -> None:
    """The file does not grow far beyond the bound, and only the end of it is kept."""
    ran = run_command(("/usr/bin/yes",), 20, tmp_path / "o")
    assert ran.problem == "wrote too much and was stopped"
    assert len(ran.output) <= 4000 < OUTPUT_BYTES_MAX


def test_a_daemon_that_stays_behind_is_not_waited_for(tmp_path: Path) -> None:
    """The command is over when its own process is."""
    began = time.monotonic()
    pid_file = tmp_path / "pid"
    path = script(tmp_path / "s", f"/bin/sleep 30 & echo $! > {pid_file}", "echo started")
    ran = run_command((path,), 20, tmp_path / "o")
    assert ran.ok and ran.output == "started" and time.monotonic() - began < 5
    psutil.Process(int(pid_file.read_text())).kill()


def test_a_command_begins_only_after_its_number_was_written_down(tmp_path: Path) -> None:
    """So that whoever comes after us can wait for it."""
    seen: list[tuple[int, bool]] = []
    path = script(tmp_path / "s", f"echo $$ > {tmp_path}/ran", "/usr/bin/env")

    def note(pid: int) -> None:
        time.sleep(0.3)
        seen.append((pid, (tmp_path / "ran").exists()))

    ran = run_command((path,), 10, tmp_path / "o", note)
    assert ran.ok and seen == [(int((tmp_path / "ran").read_text()), False)]
    assert "PATH" not in ran.output and "PYTHON" not in ran.output


def test_a_command_whose_starter_died_never_begins(tmp_path: Path) -> None:
    """The gate hears the end of its input instead of the word to go."""
    path = script(tmp_path / "s", f"echo ran > {tmp_path}/ran")
    done = subprocess.run([sys.executable, "-I", "-S", gate.__file__, path], stdin=subprocess.DEVNULL, timeout=20)
    assert done.returncode == gate.NEVER_BEGAN and not (tmp_path / "ran").exists()


def test_a_program_that_is_not_there_is_told_behind_the_gate_too(tmp_path: Path) -> None:
    """With the name and the reason."""
    ran = run_command(("/no/such/program",), 10, tmp_path / "o", lambda pid: None)
    assert ran.code == gate.NO_PROGRAM and ran.output == "/no/such/program cannot be started: No such file or directory"
