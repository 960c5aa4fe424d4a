"""kill -9 where it hurts: the action is done exactly once, and the ticket tells the truth."""

import os
import signal
import time
from pathlib import Path

import httpx
import psutil

from tests.whole_way.conftest import Town, until
from tests.whole_way.devices import full_disk, stopped_nginx
from tests.whole_way.test_fix import consent, fix_in, kinds


def workers(town: Town) -> list[int]:
    """The worker processes of a town."""
    tree = psutil.Process(town.process.pid).children(recursive=True)
    return [each.pid for each in tree if "quell.worker" in " ".join(each.cmdline())]


def test_the_worker_dies_between_apply_and_check(town: Town, tmp_path: Path) -> None:
    with stopped_nginx(town, tmp_path) as (_, address):
        number = town.sorted_ticket("ticket of the stopped nginx")["number"]
        planned = fix_in(town, number, "planned")
        consent(town, number, planned)
        fix_in(town, number, "applying", "checking", "held")
        for pid in workers(town):
            os.kill(pid, signal.SIGKILL)
        until("another worker", lambda: workers(town))
        fix_in(town, number, "held")
        until("ended ticket", lambda: town.get(f"/tickets/{number}")["status"] == "resolved")
        assert kinds(town, number).count("fix_applied") == 1
        assert httpx.get(address).text == "well"
        ledger = (tmp_path / "agent").rglob("*")
        assert any(each.is_file() for each in ledger)


def test_the_agent_dies_while_it_applies(town: Town, tmp_path: Path) -> None:
    with full_disk(town, tmp_path) as (box, mount):
        number = town.sorted_ticket("ticket of the full disk")["number"]
        planned = fix_in(town, number, "planned")
        root = box.inside(mount)
        assert root.exists()
        consent(town, number, planned)
        ends = time.monotonic() + 30
        while (root / "spool/old1.log").exists() and time.monotonic() < ends:
            time.sleep(0.001)
        os.kill(_agent(box.process.pid), signal.SIGSTOP)
        keep = os.open(root, os.O_RDONLY)
        try:
            os.kill(_agent(box.process.pid), signal.SIGKILL)
            box.process.wait(10)
            box.wrap = ()
            box.start()
            done = fix_in(town, number, "held", "undone", "failed", "checking")
            assert done is not None
            finished = fix_in(town, number, "held", "undone", "failed")
            assert kinds(town, number).count("fix_applied") == 1
            ended = town.get(f"/tickets/{number}")["status"] == "resolved"
            assert ended == (finished["state"] == "held") or finished["state"] == "held"
        finally:
            os.close(keep)


def _agent(pid: int) -> int:
    return pid
