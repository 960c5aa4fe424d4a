"""Columns for the priority: impact, urgency, the company's own texts, and the ticket as it has grown."""

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.ml.companyview import ANCHORS, CompanyView
from quell.ml.facts import NO_CRITICALITY, SIGNAL_NAMES, Facts
from quell.ml.kind import CLASSES, SAYS, WIDE_INTENTS, WIDE_VECTOR
from quell.ml.knowledge import IMPACTS, URGENCIES
from quell.ml.memory import Recall
from quell.ml.place import Context
from quell.ml.stage import Columns

VECTOR_SCALE, INTENT_SCALE = 3.0, 2.0
PSEUDO_COUNTS = 2.0

Floats = NDArray[np.float64]


def columns(
    view: CompanyView,
    facts: Facts,
    recall: Recall,
    kind: Floats,
    category: Floats,
    context: Context | None,
    burst: float,
) -> Columns:
    """One row; without a context (a message by itself) those columns are left out."""
    put = Columns(1)
    put.put_all(SIGNAL_NAMES, facts.signals)
    put.put_all(SAYS, facts.hits)
    put.put_all([f"impact_{name}" for name in IMPACTS], facts.meaning.impact)
    put.put_all([f"urgency_{name}" for name in URGENCIES], facts.meaning.urgency)
    reach, press = float(facts.meaning.impact @ np.arange(4)), float(facts.meaning.urgency @ np.arange(3))
    put.put("reach_press", reach * press)
    _texts(put, view, facts)
    put.put_all([f"kind_{name}" for name in CLASSES], kind)
    expected, worst = _criticalities(view, category)
    put.put("expected_criticality", expected)
    put.put("worst_criticality", worst)
    put.put_all([f"nature_{name}" for name, _ in ANCHORS], category @ view.anchor_match)
    put.put("sites_all", len(facts.entities.sites) > 1)
    put.put("burst", burst)
    _remembered(put, recall, category)
    if context is not None:
        _context(put, context)
    vector = facts.seen.vector if facts.seen.vector is not None else np.zeros(384, np.float32)
    put.put_all(WIDE_VECTOR, VECTOR_SCALE * vector)
    put.put_all(WIDE_INTENTS[: len(facts.meaning.intents)], INTENT_SCALE * facts.meaning.intents)
    return put


def _texts(put: Columns, view: CompanyView, facts: Facts) -> None:
    """The best piece of each level's text, minus the mean of the four."""
    pieces = view.levels.clauses.likeness(facts.seen)
    for name, values in (("vector", pieces.vectors), ("mixed", pieces.mixed)):
        best = view.levels.best_clause(values)
        put.put_all([f"text_{name}_{level}" for level in LEVELS], best - best.mean())


def _criticalities(view: CompanyView, category: Floats) -> tuple[float, float]:
    """Expected and worst criticality of the services that the likely categories stand for, divided by 4."""
    if not len(view.services):
        return NO_CRITICALITY / 4, NO_CRITICALITY / 4
    weights = view.service_to_category.T + 1e-6
    of_category = (weights * view.criticality).sum(axis=1) / weights.sum(axis=1)
    likely = view.service_to_category @ category
    return float(category @ of_category) / 4, float(view.criticality[int(likely.argmax())]) / 4


def _remembered(put: Columns, recall: Recall, category: Floats) -> None:
    counts = recall.levels_of_category
    total = counts.sum(axis=0)
    base = (total + 0.25 * PSEUDO_COUNTS) / (total.sum() + PSEUDO_COUNTS)
    mix = category @ ((counts + PSEUDO_COUNTS * base) / (counts.sum(axis=1, keepdims=True) + PSEUDO_COUNTS))
    put.put_all([f"usual_{level}" for level in LEVELS], mix if recall.cases else np.zeros(len(LEVELS)))
    put.put_all([f"memory_{level}" for level in LEVELS], recall.level)
    put.put_all([f"nearest_{level}" for level in LEVELS], recall.level_nearest)
    put.put("novelty", recall.novelty)
    put.put("cases", np.log1p(recall.cases) / 6)


def _context(put: Columns, context: Context) -> None:
    put.put("joined", context.joined)
    put.put_all([f"ticket_{level}" for level in LEVELS], context.joined * context.level)
    put.put_all([f"last_{level}" for level in LEVELS], context.joined * context.last_level)
    for name in ("size", "reporters", "sites", "machines", "severity", "over", "top"):
        put.put(f"ticket_{name}", context.joined * getattr(context, name))
    put.put("ticket_criticality", context.joined * context.criticality + (1 - context.joined) * NO_CRITICALITY / 4)
