"""Columns for the first question: incident, request, question, addition to an earlier message, or noise."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from quell.core.reading import KINDS, OpenTicket
from quell.ml import patterns
from quell.ml.facts import SIGNAL_NAMES, Facts
from quell.ml.knowledge import IMPACTS, SORTS, URGENCIES, Knowledge
from quell.ml.memory import Recall
from quell.ml.stage import Columns

CLASSES = ("incident", "request", "question", "followup", "noise")
VECTOR_SCALE, INTENT_SCALE = 6.0, 2.0
NEVER_H = 200.0
SAYS = tuple(f"says_{name}" for name in patterns.NAMES)
WIDE_VECTOR = tuple(f"wide_v{i}" for i in range(384))
WIDE_INTENTS = tuple(f"wide_i{i}" for i in range(200))


def kind_of_intent(knowledge: Knowledge) -> NDArray[np.float32]:
    """For each intent one-hot over incident, request, question, noise or resolved; shape (intents, 4)."""
    names = ("incident", "request", "question")
    rows = [[i["kind"] == name for name in names] + [i["kind"] not in names] for i in knowledge.intents]
    return np.array(rows, np.float32)


def columns(
    facts: Facts, recall: Recall, tickets: Sequence[OpenTicket], intent_kinds: NDArray[np.float32], at: datetime
) -> Columns:
    """One row; what stands behind 'wide' is for the linear part only."""
    put = Columns(1)
    put.put_all(SIGNAL_NAMES, facts.signals)
    put.put_all(SAYS, facts.hits)
    put.put_all([f"intent_kind_{i}" for i in range(4)], facts.meaning.intents @ intent_kinds)
    put.put_all([f"sort_{name}" for name in SORTS], facts.meaning.sort)
    put.put_all([f"impact_{name}" for name in IMPACTS], facts.meaning.impact)
    put.put_all([f"urgency_{name}" for name in URGENCIES], facts.meaning.urgency)
    put.put("intent_top", float(facts.meaning.intents.max()))
    put.put("cases", np.log1p(recall.cases) / 6)
    put.put("novelty", recall.novelty)
    put.put_all([f"memory_{name}" for name in KINDS], recall.kind)
    sender = facts.message.sender
    last = [(t.number, m) for t in tickets for m in t.members if sender and m.sender == sender]
    age = min([(at - m.at).total_seconds() / 3600 for _, m in last], default=NEVER_H)
    put.put("sender_age", np.log1p(max(0.0, age)))
    put.put("sender_same_channel", any(m.channel == facts.message.channel for _, m in last))
    put.put("sender_tickets", min(5, len({number for number, _ in last})) / 5)
    vector = facts.seen.vector if facts.seen.vector is not None else np.zeros(384, np.float32)
    put.put_all(WIDE_VECTOR, VECTOR_SCALE * vector)
    put.put_all(WIDE_INTENTS[: len(facts.meaning.intents)], INTENT_SCALE * facts.meaning.intents)
    return put
