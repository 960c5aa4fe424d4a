"""A real agent process and its orders: which it obeys, which it refuses, and that it does nothing twice."""

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from quell.wire.orders import sign_order
from quell.wire.results import ApplyResult, CheckResult, LookResult, PlanResult, Refusal, UndoResult, plan_hash
from quell.wire.signing import new_key
from quell.wire.steps import DiskFree, FlushNames, PutBackService, RestartService, ServiceRuns, StopService
from tests.agent.conftest import Box, Office

RESTART = (RestartService("web"),)
CHECK = (ServiceRuns("web"),)
BACK = (PutBackService("web"),)


def web(folder: Path, before: str = "") -> str:
    """A service of our own: start leaves a process behind, stop ends it, both write a line; `before` slows start."""
    for name, lines in {
        "start": (f"echo start >> {folder}/done", before, f"/bin/sleep 1000 >/dev/null 2>&1 & echo $! > {folder}/pid"),
        "stop": (f"echo stop >> {folder}/done", f"/bin/kill $(/bin/cat {folder}/pid)", f"/bin/rm {folder}/pid"),
    }.items():
        (folder / name).write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
        (folder / name).chmod(0o700)
    return f"""
applies_per_hour_max = 3
[actions]
restart_service = ["restart_service", "put_back_service"]
[services.web]
start = ["{folder}/start"]
stop = ["{folder}/stop"]
pid_file = "{folder}/pid"
"""


def done(folder: Path) -> list[str]:
    """What the service's commands were called for, in order."""
    return (folder / "done").read_text().split() if (folder / "done").exists() else []


@pytest.fixture
def ready(box: Box, tmp_path: Path) -> Iterator[Box]:
    """A device whose policy lists the service `web`, with its agent running."""
    box.allow(web(tmp_path))
    box.start()
    yield box
    if (tmp_path / "pid").exists():
        psutil.Process(int((tmp_path / "pid").read_text())).kill()


def planned(office: Office, fix: int = 1) -> str:
    """The hash of a plan to restart `web`."""
    result = office.ask("plan", RESTART, fix=fix)
    assert isinstance(result, PlanResult) and plan_hash(result.plan) == result.hash
    return result.hash


def refusal(office: Office, order_id: str, count: int = 1) -> str:
    """The code with which an order was refused."""
    result = office.wait(order_id, count)
    assert isinstance(result, Refusal), result
    return result.code


def test_plan_apply_check_and_undo(ready: Box, office: Office, tmp_path: Path) -> None:
    """The whole way of a fix on a device: the plan says what it would do, and only that is done."""
    plan = office.ask("plan", RESTART, fix=1)
    assert isinstance(plan, PlanResult) and done(tmp_path) == []
    assert plan.plan.steps[0].says == "Restart web, which is stopped now."
    assert plan.plan.steps[0].commands == ((f"{tmp_path}/start",),)
    apply = office.ask("apply", RESTART, fix=1, consent=1, plan_hash=plan.hash)
    assert isinstance(apply, ApplyResult) and apply.outcome == "done" and done(tmp_path) == ["start"]
    check = office.ask("check", CHECK, fix=1)
    assert isinstance(check, CheckResult) and check.passed
    undo = office.ask("undo", BACK, fix=1, consent=1, plan_hash=plan.hash)
    assert isinstance(undo, UndoResult) and undo.outcome == "done" and done(tmp_path) == ["start", "stop"]
    check = office.ask("check", (ServiceRuns("web", running=False),), fix=1)
    assert isinstance(check, CheckResult) and check.passed


def test_a_running_service_is_stopped_and_started(ready: Box, office: Office, tmp_path: Path) -> None:
    """And after the undo it runs, as before."""
    office.ask("apply", RESTART, fix=1, consent=1, plan_hash=planned(office))
    again = planned(office, fix=2)
    office.ask("apply", RESTART, fix=2, consent=2, plan_hash=again)
    assert done(tmp_path) == ["start", "stop", "start"]
    undo = office.ask("undo", BACK, fix=2, consent=2, plan_hash=again)
    assert isinstance(undo, UndoResult) and undo.steps[0].says == "web is running now."
    assert done(tmp_path) == ["start", "stop", "start"]


def test_a_check_that_does_not_pass_says_what_was_measured(ready: Box, office: Office) -> None:
    """With the values."""
    check = office.ask("check", (DiskFree("/", percent=100),), fix=1)
    assert isinstance(check, CheckResult) and not check.passed
    measured = check.measured[0]
    assert 0 <= int(measured.values["free_percent"]) < 100 and "% of / is free" in measured.says


def test_a_look_brings_telemetry(ready: Box, office: Office) -> None:
    """Disks, memory, load, processes by name, network and the listed services."""
    look = office.ask("look")
    assert isinstance(look, LookResult)
    seen = look.telemetry
    assert any(disk.mount == "/" and disk.size > disk.free > 0 for disk in seen.disks)
    assert seen.memory.total > seen.memory.available > 0 and seen.cpu.cores >= 1
    assert 1 <= len(seen.top_memory) <= 5 and abs(seen.at - time.time()) < 60
    assert [(each.name, each.state) for each in seen.services] == [("web", "stopped")]


def test_orders_that_must_not_be_obeyed_are_refused_with_a_code(ready: Box, office: Office, tmp_path: Path) -> None:
    """Forged, altered, for another device, too late, too early, without a plan: nothing runs."""
    plan = planned(office)
    good = office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan)
    now = int(time.time())

    assert refusal(office, office.send(good, key=new_key())) == "bad_signature"
    signed = sign_order(good, office.key)
    changed = dataclasses.replace(signed, text=signed.text.replace('"web"', '"www"'))
    office.results.clear()
    with office.changed:
        office.waiting[good.id] = changed
        office.changed.notify_all()
    assert refusal(office, good.id) == "bad_signature"

    for code, given in (
        ("other_device", {"device_id": "8-" + "0" * 16}),
        ("expired", {"issued": now - 400, "expires": now - 1}),
        ("not_yet_valid", {"issued": now + 300, "expires": now + 400}),
        ("plan_unknown", {"plan_hash": "e" * 64}),
        ("plan_unknown", {"fix": 99}),
    ):
        values = {"fix": 1, "consent": 1, "plan_hash": plan, **given}
        assert refusal(office, office.send(office.order("apply", RESTART, **values))) == code
    assert refusal(office, office.send(office.order("plan", (StopService("web"),), fix=1))) == "not_allowed"
    assert refusal(office, office.send(office.order("plan", (RestartService("ssh"),), fix=1))) == "not_listed"
    flush = office.order("plan", (FlushNames(),), action="flush_dns", fix=1)
    assert refusal(office, office.send(flush)) == "not_allowed"
    undo = office.order("undo", BACK, fix=1, consent=1, plan_hash=plan)
    assert refusal(office, office.send(undo)) == "nothing_applied"
    assert done(tmp_path) == []


def test_an_order_that_came_before_is_refused_also_after_a_restart(ready: Box, office: Office, tmp_path: Path) -> None:
    """The very same bytes, or a new order with a number that came, is far too old, or with a nonce that came."""
    order = office.order("apply", RESTART, fix=1, consent=1, plan_hash=planned(office))
    office.send(order)
    assert isinstance(office.wait(order.id), ApplyResult)
    office.send(order)
    assert refusal(office, order.id, count=2) == "replayed"
    assert ready.stop() == 0
    ready.start()
    office.send(order)
    assert refusal(office, order.id, count=3) == "replayed"
    old = dataclasses.replace(order, id="another", nonce="1" * 32)
    assert refusal(office, office.send(old)) == "replayed"
    lower = dataclasses.replace(order, id="lower", nonce="2" * 32, sequence=order.sequence - 600_001)
    assert refusal(office, office.send(lower)) == "replayed"
    same_nonce = dataclasses.replace(office.order("plan", RESTART), nonce=order.nonce)
    assert refusal(office, office.send(same_nonce)) == "replayed"
    assert done(tmp_path) == ["start"]


def test_a_plan_is_applied_once(ready: Box, office: Office, tmp_path: Path) -> None:
    """A second order for the same plan needs a new plan, whoever signed it."""
    plan = planned(office)
    office.ask("apply", RESTART, fix=1, consent=1, plan_hash=plan)
    again = office.send(office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan))
    assert refusal(office, again) == "already_applied" and done(tmp_path) == ["start"]


def test_a_device_that_changed_since_the_plan_refuses(ready: Box, office: Office, tmp_path: Path) -> None:
    """Agreed was to start a stopped service; now it runs, so this would be something else."""
    plan = planned(office)
    subprocess.run([tmp_path / "start"], check=True)
    order = office.send(office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan))
    assert refusal(office, order) == "plan_changed" and done(tmp_path) == ["start"]


def test_the_policy_counts_at_once(ready: Box, office: Office, tmp_path: Path) -> None:
    """The owner's switch and the hourly bound, without a restart; a policy open to others allows nothing."""
    plan = planned(office)
    ready.allow("disabled = true\n" + web(tmp_path))
    for order in (office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan), office.order("look")):
        assert refusal(office, office.send(order)) == "disabled"
    ready.allow(web(tmp_path))
    (ready.home / "policy.toml").chmod(0o666)
    assert refusal(office, office.send(office.order("plan", RESTART, fix=1))) == "bad_policy"
    (ready.home / "policy.toml").chmod(0o600)
    for fix in range(2, 6):
        order = office.order("apply", RESTART, fix=fix, consent=1, plan_hash=planned(office, fix))
        result = office.wait(office.send(order))
        assert (
            isinstance(result, ApplyResult) if fix < 5 else isinstance(result, Refusal) and result.code == "too_often"
        )


def test_results_are_sent_until_the_server_has_them(ready: Box, office: Office, tmp_path: Path) -> None:
    """The order is handed out again and again meanwhile; it still runs once."""
    plan = planned(office)
    office.deaf = True
    order = office.send(office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan))
    office.wait(order, count=2)
    ready.stop()
    ready.start()
    office.wait(order, count=3)
    office.deaf = False
    office.wait(order, count=4)
    results = office.results[order]
    assert all(each == results[0] for each in results) and isinstance(results[0], ApplyResult)
    assert done(tmp_path) == ["start"]


def test_an_agent_killed_during_apply_never_starts_it_again(box: Box, office: Office, tmp_path: Path) -> None:
    """Kill -9 in the middle of a slow start: afterwards it says what it found, and the check tells the rest."""
    box.allow(web(tmp_path, before="echo under way; /bin/sleep 3"))
    box.start()
    plan = planned(office)
    order = office.send(office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan))
    wait_for(lambda: done(tmp_path) == ["start"])
    box.kill()
    box.start()
    result = office.wait(order)
    assert isinstance(result, ApplyResult) and result.outcome == "interrupted"
    assert result.steps[0].done is None and result.steps[0].says == "Interrupted; web is running now."
    assert result.steps[0].output == "under way"
    check = office.ask("check", CHECK, fix=1)
    assert isinstance(check, CheckResult) and check.passed
    assert done(tmp_path) == ["start"]
    again = office.send(office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan))
    assert refusal(office, again) == "already_applied" and done(tmp_path) == ["start"]
    undo = office.ask("undo", BACK, fix=1, consent=1, plan_hash=plan)
    assert isinstance(undo, UndoResult) and undo.outcome == "done" and done(tmp_path) == ["start", "stop"]


def test_an_agent_killed_again_and_again_still_ends_every_order_once(box: Box, office: Office, tmp_path: Path) -> None:
    """At whatever moment it is killed, the service's start was called at most once, and a result came."""
    box.allow(web(tmp_path, before="/bin/sleep 0.4").replace("applies_per_hour_max = 3", "applies_per_hour_max = 99"))
    box.start()
    plan = planned(office)
    order = office.send(office.order("apply", RESTART, fix=1, consent=1, plan_hash=plan))
    for pause in (0.05, 0.2, 0.5):
        time.sleep(pause)
        box.kill()
        box.start()
    result = office.wait(order)
    assert isinstance(result, ApplyResult)
    assert done(tmp_path) == ["start"] or (done(tmp_path) == [] and result.outcome == "interrupted")
    if (tmp_path / "pid").exists():
        psutil.Process(int((tmp_path / "pid").read_text())).kill()


def test_a_changed_ledger_stops_the_agent(ready: Box, office: Office) -> None:
    """Whoever changes what it remembers could make it do something twice."""
    planned(office)
    ready.stop()
    path = ready.home / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"restart_service"', b'"restart_servicf"', 1))
    ready.start()
    assert ready.process is not None and ready.process.wait(20) == 2
    assert "the ledger was changed by somebody else" in ready.log()


def test_two_agents_do_not_share_a_folder(ready: Box, office: Office) -> None:
    """The second one leaves at once."""
    office.wait_until(polls=1)
    second = subprocess.run(
        ready.command("run"), capture_output=True, timeout=30, env=dict(os.environ, PYTHONPATH="src")
    )
    assert second.returncode == 2 and b"another agent runs" in second.stderr


def test_a_token_for_another_server_is_not_accepted(box: Box, office: Office, tmp_path: Path) -> None:
    """Whoever stands in between cannot have his own key pinned."""
    real = office.token
    office.key = new_key()
    other = Box(tmp_path / "other", office)
    given = other.command("enrol", "--server", office.url, "--token", real)
    failed = subprocess.run(given, capture_output=True, timeout=30, env=dict(os.environ, PYTHONPATH="src"))
    assert failed.returncode == 2 and b"order key is not the one in the token" in failed.stderr
    assert not (other.home / "identity.json").exists()


def test_doctor_says_what_stands_in_the_way(box: Box) -> None:
    """All well after enrolment; a policy that others can write is named."""
    environment = dict(os.environ, PYTHONPATH="src")
    well = subprocess.run(box.command("doctor"), capture_output=True, text=True, timeout=30, env=environment)
    assert well.returncode == 0 and "chain unbroken" in well.stdout
    (box.home / "policy.toml").chmod(0o666)
    ill = subprocess.run(box.command("doctor"), capture_output=True, text=True, timeout=30, env=environment)
    assert ill.returncode == 2 and "writable by nobody else" in ill.stdout


def test_the_agent_keeps_its_folder_in_the_home_of_quell(tmp_path: Path) -> None:
    """Without `--home`, QUELL_HOME says where, so that two devices on one machine do not meet."""
    environment = dict(os.environ, PYTHONPATH="src", QUELL_HOME=str(tmp_path))
    given = [sys.executable, "-m", "quell.agent", "doctor"]
    told = subprocess.run(given, capture_output=True, text=True, timeout=30, env=environment)
    assert (
        told.returncode == 2 and f"{tmp_path}/agent" in told.stdout and "run `quell agent enrol` first" in told.stdout
    )


def test_the_agent_stays_small(ready: Box, office: Office) -> None:
    """Resident memory after real work; the bound is what a small device can spare."""
    office.ask("look")
    planned(office)
    assert ready.process is not None
    rss = psutil.Process(ready.process.pid).memory_info().rss
    print(f"agent resident memory: {rss / 2**20:.1f} MiB")
    assert rss < 48 * 2**20


def wait_for(what: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Wait until a function gives true."""
    until = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)
