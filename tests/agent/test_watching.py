"""What a device reports by itself: once when it is surely wrong, once when it is over, over every restart."""

import os
from pathlib import Path

import pytest

from quell.agent.home import Home
from quell.agent.policy import Policy
from quell.agent.policy_file import read_policy
from quell.agent.watching import Watch


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A folder of an agent."""
    return Home(tmp_path)


def policy(tmp_path: Path, extra: str = "") -> Policy:
    """A policy that watches one service, which runs when the file `pid` names a process that does."""
    command = f'["{tmp_path}/none"]'
    return read_policy(
        f'{extra}\n[services.web]\nstart = {command}\nstop = {command}\npid_file = "{tmp_path}/pid"\n'
        '[checks]\nservices = ["web"]\n'
    )


def test_a_problem_is_reported_once_and_its_end_once(home: Home, tmp_path: Path) -> None:
    """After two sightings; with one identity; the agent is started anew in between."""
    rules = policy(tmp_path)
    for at in range(4):
        Watch(home, "box").look(rules, at)
    assert [(each.said, each.identity, each.at) for each in Watch(home, "box").waiting] == [
        ("firing", "service:web", 1)
    ]
    (tmp_path / "pid").write_text("1" + "\n")
    Watch(home, "box").look(rules, 4)
    assert [each.said for each in Watch(home, "box").waiting] == ["firing"], "number 1 is no service of ours"

    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    for at in (5, 6):
        Watch(home, "box").look(rules, at)
    waiting = Watch(home, "box").waiting
    assert [(each.said, each.identity) for each in waiting] == [("firing", "service:web"), ("resolved", "service:web")]
    assert len({each.key for each in waiting}) == 2
    assert waiting[0].fields == {"check": "service_runs", "service": "web", "state": "stopped"}
    assert waiting[0].subject == "Service down: web on box"


def test_one_bad_moment_is_no_report(home: Home, tmp_path: Path) -> None:
    """Seen once, gone the next time."""
    watch = Watch(home, "box")
    watch.look(policy(tmp_path), 0)
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    watch.look(policy(tmp_path), 1)
    (tmp_path / "pid").unlink()
    watch.look(policy(tmp_path), 2)
    assert watch.waiting == ()


def test_reports_wait_until_the_server_has_them(home: Home, tmp_path: Path) -> None:
    """Kept on the disk; gone once acknowledged."""
    watch = Watch(home, "box")
    for at in (0, 1):
        watch.look(policy(tmp_path), at)
    key = Watch(home, "box").waiting[0].key
    Watch(home, "box").sent(("another",))
    assert Watch(home, "box").waiting
    Watch(home, "box").sent((key,))
    assert Watch(home, "box").waiting == ()


def test_a_full_disk_is_told_with_its_numbers(home: Home, tmp_path: Path) -> None:
    """Any disk is too full when ninety per cent must be free; nothing is told with the check switched off."""
    rules = read_policy("[checks]\ndisk_free_percent_min = 90\nmounts = ['/']")
    watch = Watch(home, "box")
    for at in (0, 1):
        watch.look(rules, at)
    if watch.waiting:  # On a machine whose root is nearly empty there is nothing to tell.
        report = watch.waiting[0]
        assert report.identity == "disk:/" and report.fields["free_percent_min"] == "90"
        assert int(report.fields["free_percent"]) < 90
    off = Watch(Home(tmp_path / "other"), "box")
    off.look(read_policy("disabled = true\n[checks]\ndisk_free_percent_min = 90"), 0)
    assert off.waiting == ()


def test_a_damaged_memory_begins_anew(home: Home, tmp_path: Path) -> None:
    """Better a report twice than an agent that does not start."""
    home.watch.write_text("junk")
    assert Watch(home, "box").waiting == ()
