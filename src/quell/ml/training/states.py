"""Rows for one stage from one company's stream, in true tickets: with corrections after each answer, or without any."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.core.reading import NEW_WORK, Correction, Message
from quell.ml.engine import Engine
from quell.ml.kind import CLASSES
from quell.ml.stage import Columns
from quell.ml.training.desk import Desk
from quell.ml.training.scenario import Scenario, Truth
from quell.ml.walk import Walk

NEAREST_KEPT, YOUNGEST_KEPT = 6, 6
OTHERS_SHARE = 5
NO_ACTION = ""


@dataclass(frozen=True)
class Rows:
    """Rows of one stage: `group` numbers the message, `target` is a class, or 1 for the chosen option."""

    names: tuple[str, ...]
    rows: NDArray[np.float32]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]
    group: NDArray[np.int64]


@dataclass(frozen=True)
class Step:
    """One message with its walk and where it truly belongs (None: a new ticket)."""

    message: Message
    truth: Truth
    way: Walk
    true_ticket: int | None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The open tickets' numbers, in the order of the walk."""
        return tuple(ticket.number for ticket in self.way.tickets)


def prepare(scenario: Scenario, engine: Engine, mode: str) -> list[Step]:
    """Feed the stream in order of time with true tickets; `corrected` also gives each truth to the engine.

    No stage is walked: what a walk is begun with does not depend on any answer, since the tickets are true.
    """
    desk, known = Desk(), dict[str, int]()
    steps = []
    for message in scenario.messages:
        truth = scenario.truths[message.id]
        way = engine.begin(message, desk.open_tickets(message.at), message.at)
        number = known.get(truth.problem)
        steps.append(Step(message, truth, way, number if number in {t.number for t in way.tickets} else None))
        if truth.kind != "noise":
            number = known[truth.problem] = desk.put(message, number)
            if mode == "corrected":
                desk.set_fields(number, truth.category, truth.owner, truth.priority, by_person=True)
        if mode == "corrected":
            engine.learn(message, correction_of(message, truth, number if truth.kind != "noise" else None))
    return steps


def correction_of(message: Message, truth: Truth, number: int | None) -> Correction:
    """The truth as a technician would say it."""
    return Correction(
        message.at,
        truth.kind,
        truth.category,
        truth.owner,
        None if truth.kind == "resolved" else truth.priority,
        number,
    )


def collect(steps: Sequence[Step], columns: Sequence[Columns], stage: str, engine: Engine) -> Rows:
    """All rows of one stage for one company; `columns` holds what the stage is shown of each step."""
    parts: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], int]] = []
    for index, (step, shown) in enumerate(zip(steps, columns, strict=True)):
        labelled = _label(stage, step, engine)
        if labelled is not None:
            target, weight, kept = labelled
            parts.append((shown.rows()[kept], target[kept], weight[kept], index))
    sizes = [len(part[0]) for part in parts]
    return Rows(
        columns[0].names,
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        np.concatenate([p[2] for p in parts]),
        np.repeat([p[3] for p in parts], sizes),
    )


Labelled = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]


def _label(stage: str, step: Step, engine: Engine) -> Labelled | None:
    truth, way = step.truth, step.way
    if stage == "kind":
        return None if truth.kind == "resolved" else _one(CLASSES.index(truth.kind))
    if stage in ("alone", "category"):
        return _choice(engine.view.categories.keys, truth.category)
    if stage == "owner":
        return _choice(engine.view.teams.keys, truth.owner)
    if stage in ("alone_level", "priority"):
        return None if truth.kind == "resolved" or truth.priority is None else _one(LEVELS.index(truth.priority))
    if stage == "action":
        asked = truth.kind in NEW_WORK and engine.view.actions.keys
        return _choice((*engine.view.actions.keys, NO_ACTION), truth.action or NO_ACTION) if asked else None
    if stage == "sure":
        return _one(int(all_right(step, engine)))
    if way.keyed is not None or not step.numbers:
        return None
    if stage == "join":
        return _pairs(step)
    if truth.kind == "noise":
        return None
    best = step.numbers[int(way.joins.argmax())]
    return _one(0 if step.true_ticket is None else 1 if step.true_ticket == best else 2)


def _one(target: int) -> Labelled:
    return np.array([target]), np.ones(1, np.float32), np.array([0])


def _choice(keys: tuple[str, ...], value: str | None) -> Labelled | None:
    if value not in keys:
        return None
    target = np.array([int(key == value) for key in keys])
    return target, np.ones(len(keys), np.float32), np.arange(len(keys))


def _pairs(step: Step) -> Labelled:
    """All positives, the nearest and the youngest tickets, and every fifth of the others with weight five."""
    view = step.way.join_view
    mixed = view.mixed if view is not None else np.zeros(len(step.numbers))
    target = np.array([int(number == step.true_ticket) for number in step.numbers])
    ages = np.array([(step.message.at - v.last_at).total_seconds() for v in step.way.views])
    near = set(np.argsort(-mixed, kind="stable")[:NEAREST_KEPT]) | set(np.argsort(ages, kind="stable")[:YOUNGEST_KEPT])
    weight = np.ones(len(target), np.float32)
    kept = []
    for index in range(len(target)):
        if target[index] or index in near:
            kept.append(index)
        elif (index + len(target)) % OTHERS_SHARE == 0:
            weight[index] = OTHERS_SHARE
            kept.append(index)
    return target, weight, np.array(kept)


def all_right(step: Step, engine: Engine) -> bool:
    """Whether category, owner, priority and place were all right, as the scorer judges them."""
    truth, way = step.truth, step.way
    placed = step.numbers[way.chosen] if way.chosen is not None else None
    if truth.kind == "noise":
        own = placed is not None and step.message.sender in way.views[way.chosen or 0].senders
        return way.way == "noise" or own
    if way.way == "noise" or placed != step.true_ticket:
        return False
    view = engine.view
    said = (
        view.categories.keys[int(way.category.argmax())],
        view.teams.keys[int(way.team.argmax())],
        LEVELS[int(way.level.argmax())],
    )
    asked = (truth.category, truth.owner, None if truth.kind == "resolved" else truth.priority)
    return all(wanted is None or wanted == answer for wanted, answer in zip(asked, said, strict=True))
