"""Messages: signed by the device, fresh, for one purpose; results come back as they were written."""

import dataclasses

import pytest

from quell.wire.errors import Malformed, Untrusted
from quell.wire.messages import (
    Acknowledged,
    EnrolRequest,
    EnrolResponse,
    Head,
    Poll,
    PollResponse,
    Report,
    Reports,
    Results,
    check_order_key,
    claimed_device,
    make_token,
    open_enrolment,
    open_message,
    read_response,
    split_token,
    write_message,
    write_response,
)
from quell.wire.results import (
    ApplyResult,
    CheckResult,
    LookResult,
    Measured,
    Plan,
    PlannedFile,
    PlannedStep,
    PlanResult,
    Refusal,
    Result,
    StepDone,
    UndoResult,
    plan_hash,
)
from quell.wire.signing import new_key, public_hex
from quell.wire.steps import DeleteOldFiles, DiskFree, FlushNames, PutBackService
from quell.wire.telemetry import (
    Cpu,
    Disk,
    Interface,
    Memory,
    Process,
    Resolver,
    Service,
    Status,
    Telemetry,
)

DEVICE = new_key()
PUBLIC = public_hex(DEVICE)
NOW = 1_700_000_000
NONCE = "ab" * 16
HEAD = Head(3, "0" * 64)
DISK = Disk("/", "ext4", 2**40, 2**30, 1, 50)
STATUS = Status(120, 500, (DISK,), (Service("nginx", "running"),), ("flush_dns",))
POLL = Poll("d-1", NOW, NONCE, 25, STATUS, HEAD, "0.1.0")
PLAN = Plan(
    "d-1",
    "free_disk_space",
    2,
    NOW,
    (
        PlannedStep(
            DeleteOldFiles("/var", 60, 1000),
            "Delete 1 file",
            (("/bin/true",),),
            (PlannedFile("/var/tmp/ä", 9, NOW, 4),),
        ),
    ),
)
TELEMETRY = Telemetry(
    at=NOW,
    hostname="box",
    os="Debian 12",
    boot=NOW - 100,
    uptime_s=100,
    users=1,
    cpu=Cpu(2, 10, 20, 30, 40),
    memory=Memory(4, 3, 2, 1),
    disks=(DISK,),
    top_cpu=(Process("python", 9, 1000, 5),),
    top_memory=(),
    interfaces=(Interface("eth0", True, ("192.0.2.1",), 0, 0),),
    gateway=None,
    resolvers=(Resolver("192.0.2.53", None),),
    services=(),
)
RESULTS: tuple[Result, ...] = (
    PlanResult("o-1", PLAN, plan_hash(PLAN)),
    ApplyResult("o-2", "interrupted", (StepDone(FlushNames(), None, "stopped midway"),)),
    UndoResult("o-3", "done", (StepDone(PutBackService("nginx"), True, "stopped again"),)),
    CheckResult("o-4", False, (Measured(DiskFree("/", percent=10), False, "1 % free", {"free_percent": 1}, 3),)),
    LookResult("o-5", TELEMETRY),
    Refusal("o-6", "expired", "too late"),
)


def test_a_message_comes_back_the_same() -> None:
    """What the device wrote is what the server reads."""
    body, signature = write_message(POLL, DEVICE)
    assert claimed_device(body) == "d-1"
    assert open_message(Poll, body, signature, PUBLIC, NOW + 300) == POLL


def test_every_kind_of_result_comes_back_the_same() -> None:
    """Plans, deeds, measurements, telemetry and refusals travel whole."""
    told = Results("d-1", NOW, NONCE, RESULTS, HEAD)
    body, signature = write_message(told, DEVICE)
    assert open_message(Results, body, signature, PUBLIC, NOW) == told


def test_a_message_by_another_key_or_changed_or_old_is_refused() -> None:
    """A server believes a device only by its own signature, and only now."""
    body, signature = write_message(POLL, DEVICE)
    for read, key, at in (
        (body, public_hex(new_key()), NOW),
        (body.replace(b"25", b"26"), PUBLIC, NOW),
        (body, PUBLIC, NOW + 301),
        (body, PUBLIC, NOW - 301),
    ):
        with pytest.raises(Untrusted):
            open_message(Poll, read, signature, key, at)


def test_a_poll_cannot_pass_as_results() -> None:
    """Each message says what it is, under the signature."""
    body, signature = write_message(POLL, DEVICE)
    with pytest.raises(Malformed):
        open_message(Results, body, signature, PUBLIC, NOW)


@pytest.mark.parametrize("signature", ["", "zz", "0" * 127, "0" * 130])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    """Junk in the header is the caller's fault, not a crash."""
    with pytest.raises(Malformed):
        open_message(Poll, write_message(POLL, DEVICE)[0], signature, PUBLIC, NOW)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"device_id":3}', b'{"device_id":"a b"}', b"\xff"])
def test_a_body_without_a_device_is_refused(body: bytes) -> None:
    """Before a key is looked up, the name must be one."""
    with pytest.raises(Malformed):
        claimed_device(body)


def test_a_new_device_proves_that_it_holds_its_key() -> None:
    """Nobody can enrol somebody else's public key."""
    token = make_token("0f" * 24, public_hex(new_key()))
    request = EnrolRequest(token, PUBLIC, "box", "Debian 12", "0.1.0", NOW, NONCE)
    body, signature = write_message(request, DEVICE)
    assert open_enrolment(body, signature, NOW) == request
    with pytest.raises(Untrusted):
        open_enrolment(body, write_message(request, new_key())[1], NOW)


def test_the_token_names_the_key_that_may_order() -> None:
    """A server in the middle cannot put its own key in."""
    order_key = public_hex(new_key())
    token = make_token("0f" * 24, order_key)
    assert split_token(token)[0] == "0f" * 24
    check_order_key(token, order_key)
    with pytest.raises(Untrusted):
        check_order_key(token, public_hex(new_key()))
    for junk in ("", "quell-1-2", token + "0", token.upper(), token.replace("quell", "x")):
        with pytest.raises(Malformed):
            split_token(junk)


def test_answers_come_back_the_same_and_may_grow() -> None:
    """An older agent reads a newer server's answer and leaves out what it does not know."""
    answers = (EnrolResponse("d-1", PUBLIC, NOW), PollResponse((), NOW), Acknowledged(("o-1",)))
    for answer in answers:
        body = write_response(answer)
        assert read_response(type(answer), body) == answer
        assert read_response(type(answer), body[:-1] + b',"zz":[1]}') == answer


def test_a_report_has_bounds() -> None:
    """A device cannot send a book."""
    report = Report("r-1", "disk:/", "firing", "Disk nearly full", "1 % free", NOW, {"mount": "/"})
    body, signature = write_message(Reports("d-1", NOW, NONCE, (report,)), DEVICE)
    assert open_message(Reports, body, signature, PUBLIC, NOW).reports == (report,)
    for change in ({"text": "x" * 4001}, {"subject": "a\x00"}, {"key": ""}):
        with pytest.raises(Malformed):
            dataclasses.replace(report, **change)  # type: ignore[arg-type]
    with pytest.raises(Malformed):
        Reports("d-1", NOW, NONCE, (report,) * 21)


def test_a_plan_has_one_hash_and_every_part_counts() -> None:
    """Consent is to the words, the commands and the files together."""
    step = PLAN.steps[0]
    others = [
        dataclasses.replace(PLAN, as_of_ms=NOW + 1),
        dataclasses.replace(PLAN, device_id="d-2"),
        dataclasses.replace(PLAN, fix=3),
        dataclasses.replace(PLAN, steps=(dataclasses.replace(step, says="Delete 2 files"),)),
        dataclasses.replace(PLAN, steps=(dataclasses.replace(step, files=()),)),
        dataclasses.replace(PLAN, steps=(dataclasses.replace(step, commands=()),)),
    ]
    assert len({plan_hash(each) for each in [PLAN, *others]}) == len(others) + 1
