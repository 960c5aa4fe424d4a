"""The memory: each correction counts at once, and the growing inverse is the true one."""

from collections.abc import Callable

import numpy as np
import pytest

from quell.core.company import Company
from quell.core.reading import Correction, Message
from quell.ml.engine import Engine, Shipped
from quell.ml.knowledge import load
from quell.ml.memory import PENALTY, Memory
from quell.ml.ridge import solve

Say = Callable[..., Message]


@pytest.fixture
def engine(company: Company) -> Engine:
    """By words alone, with no stages: enough for facts and memory."""
    made = Engine(Shipped(load(), {"day0": {}, "corrected": {}}), None)
    made.fit(company)
    return made


def test_one_correction_moves_the_next_answer(engine: Engine, message: Say) -> None:
    told = message(1, "the big grey box hums and nothing comes out")
    asked = message(2, "grey box hums again", minutes=5)
    before = engine.memory.look(engine.facts(asked), asked.at)
    engine.learn(told, Correction(told.at, "incident", "print", "desk", "P3"))
    after = engine.memory.look(engine.facts(asked), asked.at)
    place = engine.view.categories.keys.index("print")
    assert before.cases == 0 and not before.category.any()
    assert after.category[place] > 0.2 and after.category.argmax() == place
    assert after.level.argmax() == 2
    assert after.novelty < before.novelty == 1


def test_the_growing_inverse_is_the_true_one(engine: Engine, message: Say) -> None:
    for number in range(40):
        engine.learn(
            message(number, f"report {number} about printer {number % 7} and wifi {number % 3}"),
            Correction(message(number, "").at, category=("air", "print")[number % 2]),
        )
    cases = engine.memory.cases
    kernel = np.stack([engine.memory.likeness(case.facts).mixed for case in cases]).astype(np.float64)
    targets = np.array(
        [[float(case.correction.category == key) for key in engine.view.categories.keys] for case in cases]
    )
    expected = kernel[3] @ solve(kernel, targets, PENALTY)
    found = engine.memory.look(cases[3].facts, cases[3].facts.message.at).category
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_oldest_cases_are_dropped_beyond_the_limit(engine: Engine, message: Say) -> None:
    memory = Memory(engine.view, cases_max=30, dropped=10)
    for number in range(35):
        said = message(number, f"words {number}", minutes=number)
        memory.add(engine.facts(said), Correction(said.at, category="air"))
    assert len(memory) == 25
    assert memory.cases[0].facts.message.id == "m10"
    asked = message(34, "words 34")
    assert memory.look(engine.facts(asked), asked.at).best == pytest.approx(0.6, abs=1e-4)
