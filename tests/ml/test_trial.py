"""Whole streams in memory: nothing is looked at before the answer, and the measures are the project's own."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from quell.core.gate import Checked
from quell.ml.engine import Engine, load_shipped
from quell.ml.training.scenario import Scenario, read_scenario
from quell.ml.trial.run import Outcome, predictions, run
from quell.ml.trial.score import bcubed, measure

MESSAGES = 60
SHIPPED = load_shipped()


@pytest.fixture(scope="session")
def stream(shared_data: Path) -> Scenario:
    """The first messages of one company."""
    whole = read_scenario(shared_data / "scenarios" / "fernhill-group")
    return replace(whole, messages=whole.messages[:MESSAGES])


def through(stream: Scenario, corrections: bool = True) -> Outcome:
    """One run by words alone."""
    engine = Engine(SHIPPED, None)
    engine.fit(stream.company)
    return run(stream, engine, SHIPPED.cases, corrections)


def test_answers_do_not_depend_on_truths_that_come_later(stream: Scenario) -> None:
    cut = MESSAGES // 2
    later = {m.id for m in stream.messages[cut:]}
    other = {
        k: replace(t, category=None, owner=None, priority="P4", kind="noise") if k in later else t
        for k, t in stream.truths.items()
    }
    first = through(stream).said[: cut + 1]
    second = through(replace(stream, truths=other)).said[: cut + 1]
    assert [s.reading for s in first] == [s.reading for s in second]


def test_without_corrections_no_truth_is_looked_at(stream: Scenario) -> None:
    blind = through(replace(stream, truths={}), corrections=False)
    assert [s.reading for s in blind.said] == [s.reading for s in through(stream, corrections=False).said]


def test_the_measures_are_those_of_the_projects_scorer(stream: Scenario, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data.parent / "tools" / "score_replay.py"
    if not path.is_file():
        pytest.skip("needs score_replay.py beside the sample data")
    spec = importlib.util.spec_from_file_location("score_replay", path)
    assert spec is not None and spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["score_replay"] = scorer
    spec.loader.exec_module(scorer)
    outcome = through(stream)
    lines = (shared_data / "scenarios" / stream.name / "messages.jsonl").read_text().splitlines()[:MESSAGES]
    (tmp_path / "messages.jsonl").write_text("\n".join(lines))
    (tmp_path / "out.jsonl").write_text("\n".join(json.dumps(row) for row in predictions(outcome)))
    truth = scorer.read_truth(tmp_path / "messages.jsonl")
    expected = scorer.score(truth, scorer.read_answers(tmp_path / "out.jsonl", truth))
    found = measure(stream, outcome)
    for name in ("all", "second half", "people, new work"):
        mine, theirs = found["slices"][name], expected["slices"][name]  # type: ignore[index]
        assert mine["all_four"] == pytest.approx(theirs["all_four_right"])
        assert mine["sorted"] == pytest.approx(theirs["sorted_without_human"]["share"])
        for field in ("category", "owner", "priority", "kind"):
            assert mine[field] == pytest.approx(theirs[field]["accuracy"])
        assert mine["levels_off"] == pytest.approx(theirs["priority"]["level_error"])
        assert mine["category_ece"] == pytest.approx(theirs["category"]["ece"])
    assert found["wrong_joins"] == pytest.approx(expected["grouping"]["false_join_rate"])
    assert found["bcubed_arrival"] == pytest.approx(expected["grouping"]["arrival"]["bcubed_f1"])
    assert found["bcubed_end"] == pytest.approx(expected["grouping"]["end"]["bcubed_f1"])


def test_b_cubed_of_a_split_and_of_a_lump() -> None:
    assert bcubed("aabb", "xxyy") == 1
    assert bcubed("aaaa", "xxyy") == pytest.approx(2 / 3)
    assert bcubed("aabb", "xxxx") == pytest.approx(2 / 3)


def test_the_shipped_gate_cases_are_foreign_and_many() -> None:
    assert len(SHIPPED.cases) > 2000
    assert all(isinstance(case, Checked) and case.foreign for case in SHIPPED.cases)
