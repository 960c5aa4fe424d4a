"""One company's stream through the engine: open tickets kept in memory, the truth given only after each answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from quell.core.gate import CLOSED_THRESHOLD, Checked, decide
from quell.core.reading import Message, Reading
from quell.ml.engine import Engine
from quell.ml.training.desk import Desk
from quell.ml.training.scenario import Scenario, Truth
from quell.ml.training.states import correction_of

GATE_EVERY = 10
SECOND_LOOK_MIN = 0.8


@dataclass(frozen=True)
class Said:
    """What the engine said of one message and what became of it; `seconds` is the time of `propose`."""

    message: Message
    reading: Reading
    ticket: int | None
    joined: bool
    automatic: bool
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """The whole run: one `Said` a message, and where each message is at the end."""

    said: tuple[Said, ...]
    final: dict[str, int | None]


def run(
    scenario: Scenario,
    engine: Engine,
    foreign: Sequence[Checked] = (),
    corrections: bool = True,
    target: float = 0.95,
    hide_threads: bool = False,
) -> Outcome:
    """Feed the stream to a freshly fitted engine; `foreign` are the gate's cases of other companies.

    `hide_threads` leaves `reply_to` out of what the engine is shown, to judge the kind without it.
    """
    desk, known = Desk(), dict[str, int]()
    said: list[Said] = []
    own: list[Checked] = []
    threshold = CLOSED_THRESHOLD
    for index, message in enumerate(scenario.messages):
        shown = replace(message, reply_to=None) if hide_threads else message
        if corrections and index % GATE_EVERY == 0 and own:
            verdict = decide([*foreign, *own], target)
            threshold = verdict.threshold
        tickets = desk.open_tickets(message.at)
        started = time.perf_counter()
        reading = engine.propose(shown, tickets, message.at)
        seconds = time.perf_counter() - started
        number = None
        if reading.kind.value != "noise" or reading.place is not None:
            number = desk.put(message, reading.place)
            desk.set_fields(
                number, reading.category.value, reading.owner.value, reading.priority.value, by_person=False
            )
        for other, into, chance in reading.second_look:
            if not corrections and chance >= SECOND_LOOK_MIN:
                desk.merge(other, into)
        said.append(Said(message, reading, number, reading.place is not None, reading.sure >= threshold, seconds))
        if corrections:
            truth = scenario.truths[message.id]
            own.append(Checked(reading.sure, is_right(reading, truth, message, desk, known)))
            correct(desk, known, message, truth, engine)
    return Outcome(tuple(said), {m.id: desk.place_of(m.id) for m in scenario.messages})


def correct(desk: Desk, known: dict[str, int], message: Message, truth: Truth, engine: Engine) -> None:
    """The technician's word: right ticket, right fields; the engine learns it."""
    number: int | None = None
    if truth.kind == "noise":
        desk.take_out(message.id)
    else:
        number = _true_ticket(desk, known, message, truth)
        desk.set_fields(number, truth.category, truth.owner, truth.priority, by_person=True)
    engine.learn(message, correction_of(message, truth, number))


def _true_ticket(desk: Desk, known: dict[str, int], message: Message, truth: Truth) -> int:
    now, wanted = desk.place_of(message.id), known.get(truth.problem)
    if wanted is None and (now is None or desk.size(now) > 1):
        wanted = desk.put(message, None)
    elif wanted is not None and wanted != now:
        desk.put(message, wanted)
    number = wanted if wanted is not None else now
    if number is None:
        raise RuntimeError("a corrected message has no ticket")
    known[truth.problem] = number
    return number


def is_right(reading: Reading, truth: Truth, message: Message, desk: Desk, known: dict[str, int]) -> bool:
    """Whether all that was asked is right, before the correction is made."""
    if truth.kind == "noise":
        return reading.kind.value == "noise"
    if reading.kind.value == "noise" or reading.place != known.get(truth.problem):
        return False
    asked = [(truth.category, reading.category), (truth.owner, reading.owner)]
    if truth.kind != "resolved":
        asked.append((truth.priority, reading.priority))
    return all(wanted is None or wanted == proposal.value for wanted, proposal in asked)


def predictions(outcome: Outcome) -> list[dict[str, object]]:
    """One row a message in the format of the replay scorer."""
    rows: list[dict[str, object]] = []
    for each in outcome.said:
        reading = each.reading
        final = outcome.final[each.message.id]
        row: dict[str, object] = {"id": each.message.id, "kind": reading.kind.value}
        for field, proposal in (
            ("category", reading.category),
            ("priority", reading.priority),
            ("owner", reading.owner),
        ):
            row[field], row[f"{field}_confidence"] = proposal.value, proposal.confidence
        row |= {
            "ticket": f"T{each.ticket}" if each.ticket is not None else None,
            "ticket_final": f"T{final}" if final is not None else None,
            "join_confidence": reading.place_confidence if each.joined else None,
            "auto": dict.fromkeys(("category", "priority", "owner", "ticket"), each.automatic),
            "seconds": each.seconds,
        }
        rows.append(row)
    return rows
