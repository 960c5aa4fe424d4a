"""`quell demo` plays the sample through the real channels, fixes what breaks on its devices, and leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import quell.web
from quell.cli.demo import day, small_disk
from tests.real.programs import free_port

SOURCE = Path(__file__).parents[2] / "src"
ASSETS = Path(quell.web.__file__).parent / "static" / "vendor" / "htmx.min.js"
# Up to here the day brings alerts, Slack, mail and what comes over the API, and the sign-on outage begins.
MESSAGES = 14
SECONDS_MAX = 240.0

needs_assets = pytest.mark.skipif(not ASSETS.exists(), reason="needs the front-end files of `make setup`")


def environ() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("QUELL_")}
    return ours | {"PYTHONPATH": str(SOURCE)}


def begin(home: Path, out: Path, *given: str) -> "subprocess.Popen[bytes]":
    # A port of its own: 8080 may be anybody's, another run of this very test included.
    command = [sys.executable, "-m", "quell.cli", "demo", "--home", str(home), "--port", str(free_port()), *given]
    with out.open("w") as file:
        return subprocess.Popen(command, env=environ(), stdout=file, stderr=subprocess.STDOUT)


def left_behind(home: Path) -> list[str]:
    """Processes that still have to do with this demo, by their command or their surroundings."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if str(home) in words or process.environ().get("QUELL_HOME", "").startswith(str(home)):
                found.append(words)
        except psutil.Error:
            continue
    return found


@needs_assets
def test_a_part_of_the_day_is_played_sorted_and_fixed(tmp_path: Path) -> None:
    home, out = tmp_path / "demo", tmp_path / "out"
    process = begin(home, out, "--speed", "2000", "--messages", str(MESSAGES), "--once")
    assert process.wait(SECONDS_MAX) == 0, out.read_text()
    said = out.read_text()
    for way in ("slack", "email", "alertmanager", "zabbix", "portal", "whatsapp"):
        assert f"   {way}" in said
    assert "/first-run?token=" in said
    assert "looks like ticket" in said and "; it asks" in said
    if small_disk.possible():
        assert "Delete 18 files, 36.0 MiB" in said
        assert "the check has passed" in said and "is resolved" in said
        assert not list((home / "devices" / "lt-1095" / "disk").iterdir())
    assert "The day is over." in said
    assert left_behind(home) == []


@needs_assets
def test_ctrl_c_stops_all_of_it(tmp_path: Path) -> None:
    home, out = tmp_path / "demo", tmp_path / "out"
    process = begin(home, out)
    until = time.monotonic() + SECONDS_MAX
    while "is switched on" not in out.read_text():
        assert process.poll() is None and time.monotonic() < until, out.read_text()
        time.sleep(0.2)
    assert left_behind(home)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS_MAX) == 0, out.read_text()
    assert out.read_text().rstrip().endswith("The demo is stopped.")
    assert left_behind(home) == []


def test_a_folder_that_no_demo_has_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    process = begin(tmp_path, tmp_path.parent / f"{tmp_path.name}.out")
    assert process.wait(SECONDS_MAX) == 2
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_a_day_passes_as_fast_as_one_says_and_quiet_stretches_are_cut_short() -> None:
    spoken = day.messages("")
    assert spoken[0].at.date().isoformat() == "2026-03-11"
    waits = day.waits(spoken, 60)
    assert waits[0] == 0 and max(waits) == day.QUIET_S_MAX
    gap = next(
        (later.at - sooner.at).total_seconds() / 60
        for sooner, later in zip(spoken, spoken[1:], strict=False)
        if 0 < (later.at - sooner.at).total_seconds() / 60 < day.QUIET_S_MAX
    )
    assert pytest.approx(gap) in waits
    assert len(day.messages(day.WHOLE)) == 360
