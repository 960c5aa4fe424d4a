"""What every action keeps to, ours and anybody else's: pure, bounded, documented, checked, and honest about undo."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from quell.core.errors import Refused
from quell.seams import Action, find
from quell.wire.canonical import canonical_bytes, parse_canonical
from quell.wire.orders import PARAMETER_CHARACTERS_MAX, PARAMETERS_MAX
from quell.wire.steps import STEPS_MAX, Step, is_change, step_to_json, steps_from_json

ROOT = Path(__file__).parents[2]
ACTIONS = find("quell.actions", "ACTION", Action)  # type: ignore[type-abstract]

# One good set of values for each parameter name; an action with a new one adds it here.
GOOD: Mapping[str, str] = {
    "name": "printer.example.com",
    "address": "192.0.2.7",
    "cache": "firefox",
    "service": "nginx",
    "port": "8080",
    "url": "http://127.0.0.1:8080/",
    "mount": "/var",
    "free_percent": "15",
    "older_than_h": "48",
    "mib_max": "100",
    "left_mib_max": "1",
    "pattern": "*.log",
    "below": "/var/log",
}
JUNK = ("; rm -rf /", "$(id)", "../../etc", "a\x00b", "x" * 400, "- 1", "http://example.com/", "\u202eevil", "'")

every_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))


def good(action: Action) -> dict[str, str]:
    """Values in bounds for all of an action's parameters."""
    return {name: GOOD[name] for name in action.parameters}


def over_the_wire(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps as a device reads them."""
    return steps_from_json(parse_canonical(canonical_bytes([step_to_json(each) for each in steps])))


def test_the_four_fixes_of_the_first_day_are_there() -> None:
    """Found by looking into the folder, under the names that companies use."""
    assert {"flush_dns", "clear_cache", "restart_service", "free_disk_space"} <= set(ACTIONS)


@every_action
def test_it_says_what_it_risks_and_takes(action: Action) -> None:
    """A person who agrees must be able to read it."""
    assert action.risk in ("low", "medium", "high")
    assert 0 < len(action.parameters) <= PARAMETERS_MAX
    assert all(words.strip() for words in action.parameters.values())


@every_action
def test_the_plan_changes_something_and_comes_over_the_wire(action: Action) -> None:
    """Only steps of the closed catalogue, few enough for one order."""
    plan = action.plan(good(action))
    assert plan and len(plan) <= STEPS_MAX and all(map(is_change, plan))
    assert over_the_wire(plan) == plan


@every_action
def test_the_check_only_looks(action: Action) -> None:
    """There is always a check, and it changes nothing."""
    check = action.check(good(action))
    assert check and len(check) <= STEPS_MAX and not any(map(is_change, check))
    assert over_the_wire(check) == check


@every_action
def test_the_way_back_is_steps_or_the_word_that_there_is_none(action: Action) -> None:
    """None means irreversible; an empty list means that nothing needs to be taken back."""
    undo = action.undo(good(action))
    assert undo is None or (all(map(is_change, undo)) and over_the_wire(undo) == undo)


@every_action
def test_the_same_parameters_give_the_same_steps(action: Action) -> None:
    """Pure: the signer works the steps out again and must come to the same."""
    params = good(action)
    assert action.plan(params) == action.plan(dict(reversed(params.items())))
    assert action.check(params) == action.check(dict(params)) and params == good(action)


@every_action
def test_junk_in_any_parameter_is_refused_naming_it(action: Action) -> None:
    """No value outside its bounds reaches a step, and the refusal says which it was."""
    for name in action.parameters:
        for junk in JUNK:
            with pytest.raises(Refused) as refused:
                action.plan({**good(action), name: junk})
            assert [fault.place for fault in refused.value.faults] == [name], junk
            assert refused.value.status == 422


@every_action
def test_a_parameter_that_nobody_knows_is_refused(action: Action) -> None:
    """A typing error must not become a default."""
    for call in (action.plan, action.check):
        with pytest.raises(Refused):
            call({**good(action), "command": "id"})


@every_action
def test_what_is_needed_is_needed(action: Action) -> None:
    """Without any parameter nothing can be planned."""
    with pytest.raises(Refused):
        action.plan({})


@every_action
def test_values_fit_into_an_order(action: Action) -> None:
    """What the contract tests call good can be signed."""
    assert all(len(value) <= PARAMETER_CHARACTERS_MAX for value in good(action).values())


@every_action
def test_it_is_documented_with_its_risk_and_parameters(action: Action) -> None:
    """The reference names the action, each parameter and the bounds in the same words."""
    page = (ROOT / "docs/reference/actions.md").read_text()
    assert f"## `{action.name}`" in page
    section = page.split(f"## `{action.name}`")[1].split("\n## ")[0]
    assert f"Risk: {action.risk}" in section
    for name, words in action.parameters.items():
        assert f"| `{name}` | {words} |" in section
    assert ("irreversible" in section) == (action.undo(good(action)) is None)
