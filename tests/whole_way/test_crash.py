"""kill -9 where it hurts: the action is done exactly once, and the ticket tells the truth."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests.whole_way.conftest import Town, until
from tests.whole_way.devices import stopped_nginx
from tests.whole_way.test_fix import consent, fix_in, kinds


def workers(town: Town) -> list[int]:
    """The worker processes of a town."""
    found = []
    for each in psutil.Process(town.process.pid).children(recursive=True):
        with suppress(psutil.Error):  # One that was killed just now is still there, but has no words any more.
            found += [each.pid] if "quell.worker" in " ".join(each.cmdline()) else []
    return found


def test_the_worker_dies_between_apply_and_check(busy_town: Town, tmp_path: Path) -> None:
    with stopped_nginx(busy_town, tmp_path) as (box, address):
        number = box.ticket()
        planned = fix_in(busy_town, number, "planned")
        consent(busy_town, number, planned)
        fix_in(busy_town, number, "applying", "checking", "held")
        for pid in workers(busy_town):
            os.kill(pid, signal.SIGKILL)
        until("another worker", lambda: workers(busy_town))
        fix_in(busy_town, number, "held")
        until("ended ticket", lambda: busy_town.get(f"/tickets/{number}")["status"] == "resolved")
        assert kinds(busy_town, number).count("fix_applied") == 1
        assert httpx.get(address).text == "well"
        assert (tmp_path / "started").read_text() == "once\n"


def test_the_agent_dies_while_it_applies(busy_town: Town, tmp_path: Path) -> None:
    """Its start command is under way when it is killed; whatever came of it, it is not run a second time."""
    with stopped_nginx(busy_town, tmp_path, slow_s=3) as (box, address):
        number = box.ticket()
        planned = fix_in(busy_town, number, "planned")
        consent(busy_town, number, planned)
        until("start under way", (tmp_path / "started").exists)
        box.kill()
        time.sleep(1)
        box.start()
        finished = fix_in(busy_town, number, "held", "undone", "failed")
        assert (tmp_path / "started").read_text() == "once\n", "the start ran exactly once"
        assert kinds(busy_town, number).count("fix_applied") == 1
        if finished["state"] == "held":
            assert httpx.get(address).text == "well"
            until("ended ticket", lambda: busy_town.get(f"/tickets/{number}")["status"] == "resolved")
        else:
            assert busy_town.get(f"/tickets/{number}")["status"] == "new" and "handed_over" in kinds(busy_town, number)
