"""Steps: a closed catalogue, bounded, and the same after a way over the wire."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as some

from quell.wire.canonical import canonical_bytes, parse_canonical
from quell.wire.errors import Malformed
from quell.wire.steps import (
    CATALOGUE,
    CHANGES,
    PROBES,
    STEPS_MAX,
    CacheSize,
    ClearCache,
    DeleteOldFiles,
    DiskFree,
    FlushNames,
    HttpAnswers,
    NameResolves,
    PortOpen,
    ProcessRuns,
    PutBackService,
    RestartService,
    ServiceRuns,
    StartService,
    Step,
    StopService,
    is_change,
    step_from_json,
    step_to_json,
    steps_from_json,
)

ONE_OF_EACH: tuple[Step, ...] = (
    FlushNames(),
    ClearCache("firefox", 10_000_000),
    DeleteOldFiles("/var", 86_400, 2**30, "*.log", "/var/log"),
    StartService("nginx"),
    StopService("nginx"),
    RestartService("getty@tty1"),
    PutBackService("nginx"),
    DiskFree("/var", percent=10),
    ServiceRuns("nginx"),
    PortOpen(80),
    HttpAnswers("http://127.0.0.1:8080/healthz"),
    NameResolves("printer.example", "192.0.2.7"),
    ProcessRuns("nginx", running=False),
    CacheSize("firefox", 1_000),
)


def test_every_kind_of_the_catalogue_is_tried_here() -> None:
    """A new step cannot join the catalogue without coming through these tests."""
    assert {each.kind for each in ONE_OF_EACH} == set(CATALOGUE) == set(CHANGES) | set(PROBES)


@pytest.mark.parametrize("step", ONE_OF_EACH, ids=lambda each: each.kind)
def test_a_step_comes_back_the_same_over_the_wire(step: Step) -> None:
    """Writing and reading are each other's inverse, through exact bytes."""
    assert step_from_json(parse_canonical(canonical_bytes(step_to_json(step)))) == step


@pytest.mark.parametrize("step", ONE_OF_EACH, ids=lambda each: each.kind)
def test_a_step_is_either_a_change_or_a_probe(step: Step) -> None:
    """The device decides by this what needs consent."""
    assert is_change(step) == (step.kind in CHANGES) != (step.kind in PROBES)


@pytest.mark.parametrize("step", ONE_OF_EACH, ids=lambda each: each.kind)
def test_an_unknown_field_is_refused(step: Step) -> None:
    """A step with something that this device does not understand is not run without it."""
    written = step_to_json(step)
    assert isinstance(written, dict)
    with pytest.raises(Malformed):
        step_from_json({**written, "shell": "id"})


@pytest.mark.parametrize("step", [each for each in ONE_OF_EACH if dataclasses.fields(each)], ids=lambda each: each.kind)
def test_a_value_of_the_wrong_kind_is_refused(step: Step) -> None:
    """Nothing is coerced: no numbers out of text, no text out of lists."""
    written = step_to_json(step)
    assert isinstance(written, dict)
    for field in dataclasses.fields(step):
        with pytest.raises(Malformed):
            step_from_json({**written, field.name: ["x"]})


@pytest.mark.parametrize("kind", ["run_command", "shell", "", None, 3, "Flush_Names"])
def test_what_is_not_in_the_catalogue_does_not_exist(kind: object) -> None:
    """There is no free command, on purpose."""
    with pytest.raises(Malformed):
        step_from_json({"kind": kind, "argv": ["/bin/sh"]})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "junk",
    [
        {"kind": "restart_service", "service": "nginx; rm -rf /"},
        {"kind": "restart_service", "service": "--now"},
        {"kind": "restart_service", "service": "../nginx"},
        {"kind": "restart_service", "service": "nginx\n"},
        {"kind": "restart_service", "service": "x" * 65},
        {"kind": "restart_service", "service": ""},
        {"kind": "delete_old_files", "mount": "var", "older_than_s": 1, "bytes_max": 1},
        {"kind": "delete_old_files", "mount": "/var/../etc", "older_than_s": 1, "bytes_max": 1},
        {"kind": "delete_old_files", "mount": "/var", "older_than_s": -1, "bytes_max": 1},
        {"kind": "delete_old_files", "mount": "/var", "older_than_s": 1, "bytes_max": 0},
        {"kind": "delete_old_files", "mount": "/var", "older_than_s": 1, "bytes_max": 2**60},
        {"kind": "delete_old_files", "mount": "/var", "older_than_s": 1, "bytes_max": 1, "pattern": "../*"},
        {"kind": "delete_old_files", "mount": "/var", "older_than_s": 1, "bytes_max": 1, "below": "/var/./x"},
        {"kind": "delete_old_files", "mount": "/var", "older_than_s": True, "bytes_max": 1},
        {"kind": "disk_free", "mount": "/var"},
        {"kind": "disk_free", "mount": "/var", "percent": 101},
        {"kind": "disk_free", "mount": "/var", "percent": 5, "holds": "maybe"},
        {"kind": "port_open", "port": 0},
        {"kind": "port_open", "port": 70000},
        {"kind": "http_answers", "url": "http://example.com/"},
        {"kind": "http_answers", "url": "http://127.0.0.1@example.com/"},
        {"kind": "http_answers", "url": "http://127.0.0.1.example.com/"},
        {"kind": "http_answers", "url": "file:///etc/shadow"},
        {"kind": "http_answers", "url": "http://127.0.0.1:99999/"},
        {"kind": "http_answers", "url": "http://127.0.0.1/a b"},
        {"kind": "http_answers", "url": "http://127.0.0.1/", "status_min": 400, "status_max": 200},
        {"kind": "name_resolves", "name": "-oops.example"},
        {"kind": "name_resolves", "name": "a b"},
        {"kind": "name_resolves", "name": "a.example", "address": "300.1.1.1"},
        {"kind": "process_runs", "name": "a/b"},
    ],
    ids=str,
)
def test_what_is_out_of_bounds_is_refused(junk: dict[str, str | int | bool]) -> None:
    """Each bound stands in the step itself, so that server and device refuse alike."""
    with pytest.raises(Malformed):
        step_from_json(junk)


def test_an_order_full_of_steps_is_refused() -> None:
    """A list of steps is bounded."""
    with pytest.raises(Malformed):
        steps_from_json([{"kind": "flush_names"}] * (STEPS_MAX + 1))


@given(some.text(max_size=80))
def test_no_text_gets_a_separator_into_a_service_name(text: str) -> None:
    """Whatever is taken as a name is safe as one argument of a command."""
    try:
        step = RestartService(text)
    except Malformed:
        return
    assert step.service.isascii() and not step.service.startswith("-")
    assert not set(step.service) & set(" \t\n/\\;|&$`'\"<>(){}*?!#~%=:,")


@given(some.text(max_size=120))
def test_no_text_gets_dots_into_a_path(text: str) -> None:
    """Whatever is taken as a mount has one spelling and stays where it says."""
    try:
        step = DiskFree("/" + text, percent=1)
    except Malformed:
        return
    assert ".." not in step.mount.split("/") and "//" not in step.mount
