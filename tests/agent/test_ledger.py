"""The device's ledger: complete after a crash, unbroken over files, and a witness of every change to it."""

import dataclasses
import time
from pathlib import Path

import pytest

from quell.agent.chain import START_HASH
from quell.agent.home import Unusable
from quell.agent.ledger import OVERTAKEN_MAX, Ledger
from quell.wire.errors import Untrusted
from quell.wire.orders import Order, OrderKind, sign_order
from quell.wire.results import ApplyResult, Plan, PlannedFile, PlannedStep, PlanResult, Refusal, StepDone, plan_hash
from quell.wire.signing import new_key
from quell.wire.steps import DeleteOldFiles, RestartService

KEY = new_key()
NOW = int(time.time())
STEP = RestartService("web")
PLAN = Plan("7-a", "restart_service", 1, NOW * 1000, (PlannedStep(STEP, "Restart web.", state="stopped"),))
HASH = plan_hash(PLAN)


def order(number: int, kind: OrderKind = "plan") -> Order:
    """An order with this number."""
    return Order(
        id=f"o{number}",
        kind=kind,
        device_id="7-a",
        issued=NOW,
        expires=NOW + 600,
        nonce=f"{number:032x}",
        sequence=number,
        action="restart_service",
        steps=(STEP,),
        fix=1,
        consent=1,
        plan_hash=HASH if kind == "apply" else "",
    )


def accept(ledger: Ledger, number: int, kind: OrderKind = "plan") -> Order:
    """An order that came."""
    came = order(number, kind)
    ledger.check_new(came)
    ledger.accept(came, sign_order(came, KEY), NOW)
    return came


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Numbers, plans, steps and results, and the same end of the chain."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.head.hash == START_HASH
    accept(ledger, 5)
    ledger.finish("o5", PlanResult("o5", PLAN, HASH), NOW)
    accept(ledger, 6, "apply")
    ledger.start("o6", NOW)
    ledger.begin_step("o6", 0)
    ledger.note_child("o6", 123, 456)
    again = Ledger(tmp_path / "ledger.jsonl")
    assert again.head == ledger.head and again.sequence == 6
    found = again.find("o6")
    assert found is not None and found.started and found.begun == 1 and found.child == (123, 456)
    assert again.unfinished() == [found] and again.unsent() == [PlanResult("o5", PLAN, HASH)]
    note = again.find_plan(HASH)
    assert note is not None and note.states == {"web": "stopped"} and note.as_of_ms == PLAN.as_of_ms
    assert again.read_plan(HASH) == PLAN and again.applied(HASH) and again.applies("restart_service", NOW - 1) == 1


def test_a_number_or_nonce_never_counts_twice(tmp_path: Path) -> None:
    """Not after a restart either; two orders that overtook each other on their way both count, once."""
    late, early = 5 + OVERTAKEN_MAX, 6 + OVERTAKEN_MAX
    accept(Ledger(tmp_path / "ledger.jsonl"), early)
    accept(Ledger(tmp_path / "ledger.jsonl"), late)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.rotate(NOW, bytes_max=10**9)
    for number in (late, early, 6, 5):
        with pytest.raises(Untrusted):
            ledger.check_new(order(number))
    with pytest.raises(Untrusted):
        ledger.check_new(dataclasses.replace(order(early + 1), nonce=order(late).nonce))
    accept(ledger, 7)


def test_what_was_seen_is_bounded(tmp_path: Path) -> None:
    """A server with small numbers cannot fill the memory; then the oldest fall below the floor."""
    ledger = Ledger(tmp_path / "ledger.jsonl", seen_max=3)
    for number in (1, 2, 3, 4, 5):
        accept(ledger, number)
    for number in (1, 2, 3, 4, 5):
        with pytest.raises(Untrusted):
            Ledger(tmp_path / "ledger.jsonl", seen_max=3).check_new(order(number))


def test_a_line_cut_short_by_a_crash_is_dropped(tmp_path: Path) -> None:
    """What it tells of had not begun, since the line comes first."""
    accept(Ledger(tmp_path / "ledger.jsonl"), 5)
    whole = (tmp_path / "ledger.jsonl").read_bytes()
    accept(Ledger(tmp_path / "ledger.jsonl"), 6)
    longer = (tmp_path / "ledger.jsonl").read_bytes()
    for cut in (len(whole) + 1, len(longer) - 1):
        (tmp_path / "ledger.jsonl").write_bytes(longer[:cut])
        assert Ledger(tmp_path / "ledger.jsonl").sequence == 5
        assert (tmp_path / "ledger.jsonl").read_bytes() == whole


@pytest.mark.parametrize("change", ["edit", "remove", "swap", "repeat", "junk", "behead"])
def test_a_changed_ledger_is_unusable(tmp_path: Path, change: str) -> None:
    """Every change to what was written shows."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in (1, 2, 3):
        accept(ledger, number)
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    changed = {
        "edit": [lines[0], lines[1].replace(b'"sequence":2', b'"sequence":1'), lines[2]],
        "remove": [lines[0], lines[2]],
        "swap": [lines[1], lines[0], lines[2]],
        "repeat": [lines[0], lines[1], lines[1], lines[2]],
        "behead": lines[1:],
        "junk": [lines[0], b"junk\n", lines[2]],
    }[change]
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(changed))
    with pytest.raises(Unusable):
        Ledger(tmp_path / "ledger.jsonl")


def test_acknowledged_results_are_not_sent_again(tmp_path: Path) -> None:
    """Once is enough, and an unknown name does no harm."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    accept(ledger, 1)
    ledger.finish("o1", Refusal("o1", "disabled", "off"), NOW)
    ledger.acknowledge(("o1", "nobody"))
    for each in (ledger, Ledger(tmp_path / "ledger.jsonl")):
        assert each.unsent() == [] and each.unfinished() == []


def test_a_long_ledger_goes_on_in_a_new_file(tmp_path: Path) -> None:
    """With the chain unbroken, the highest number, open results and plans carried over, and old files kept."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    accept(ledger, 1)
    ledger.finish("o1", PlanResult("o1", PLAN, HASH), NOW)
    accept(ledger, 2, "apply")
    ledger.start("o2", NOW)
    ledger.rotate(NOW, bytes_max=10)
    assert not list(tmp_path.glob("ledger-*")), "an order is under way"
    done = ApplyResult("o2", "done", (StepDone(STEP, True, "web is running now."),))
    ledger.finish("o2", done, NOW)
    ledger.acknowledge(("o1",))
    for _round in range(7):
        before = ledger.head.entries
        ledger.rotate(NOW, bytes_max=10)
        assert ledger.head.entries == before + 1
    again = Ledger(tmp_path / "ledger.jsonl")
    assert again.head == ledger.head and again.sequence == 2
    assert again.unsent() == [done] and again.applied(HASH) and again.find_plan(HASH) is not None
    assert len(list(tmp_path.glob("ledger-*.jsonl"))) == 5
    accept(again, 3)
    assert Ledger(tmp_path / "ledger.jsonl").sequence == 3


def test_a_plan_is_found_in_the_file_before(tmp_path: Path) -> None:
    """After an interruption the files that were to be deleted must be known."""
    step = DeleteOldFiles("/srv", 1, 1)
    plan = Plan("7-a", "free_disk_space", 1, 1, (PlannedStep(step, "x", files=(PlannedFile("/srv/a", 1, 1, 1),)),))
    ledger = Ledger(tmp_path / "ledger.jsonl")
    accept(ledger, 1)
    ledger.finish("o1", PlanResult("o1", plan, plan_hash(plan)), NOW)
    ledger.acknowledge(("o1",))
    ledger.rotate(NOW, bytes_max=10)
    assert Ledger(tmp_path / "ledger.jsonl").read_plan(plan_hash(plan)) == plan


def test_a_newer_file_must_hang_on_the_older_one(tmp_path: Path) -> None:
    """Neither the first entry of the newer nor the older file itself can be taken away."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in (1, 2):
        accept(ledger, number)
        ledger.finish(f"o{number}", Refusal(f"o{number}", "disabled", "off"), NOW)
    ledger.rotate(NOW, bytes_max=10)
    accept(ledger, 3)
    newer = (tmp_path / "ledger.jsonl").read_bytes()
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(newer.splitlines(keepends=True)[1:]))
    with pytest.raises(Unusable):
        Ledger(tmp_path / "ledger.jsonl")
    (tmp_path / "ledger.jsonl").write_bytes(newer)
    assert Ledger(tmp_path / "ledger.jsonl").sequence == 3
    next(tmp_path.glob("ledger-*.jsonl")).unlink()
    with pytest.raises(Unusable):
        Ledger(tmp_path / "ledger.jsonl")


@pytest.mark.parametrize("left", [None, b"", b'{"what":"carr'])
def test_a_crash_between_two_files_loses_nothing(tmp_path: Path, left: bytes | None) -> None:
    """The old file was put aside and the new one not begun: then the old one is taken up again."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    accept(ledger, 5)
    (tmp_path / "ledger.jsonl").rename(tmp_path / "ledger-000000001.jsonl")
    if left is not None:
        (tmp_path / "ledger.jsonl").write_bytes(left)
    again = Ledger(tmp_path / "ledger.jsonl")
    assert again.head == ledger.head and again.sequence == 5
    with pytest.raises(Untrusted):
        again.check_new(order(5))
