"""Columns for the one chance that all four answers are right, from the chances and agreements of the stages before."""

import numpy as np
from numpy.typing import NDArray

from quell.ml import patterns
from quell.ml.facts import Facts
from quell.ml.kind import CLASSES
from quell.ml.memory import Recall
from quell.ml.place import Context
from quell.ml.stage import Columns

PATTERNS_USED = (
    "others_fine",
    "since_days",
    "at_home",
    "staging",
    "other_thing",
    "own_cause",
    "asks_outage",
    "late",
    "wish",
)
RAW_SHARE, LEARNT_SHARE = 0.6, 0.4
FLOOR = 1e-4
WAYS = ("key", "noise", "join", "new")

Floats = NDArray[np.float64]


def columns(
    facts: Facts,
    recall: Recall,
    kind: Floats,
    category: Floats,
    team: Floats,
    level: Floats,
    place: float,
    way: str,
    context: Context,
    alone: Floats,
    raw: float,
    burst: float,
) -> Columns:
    """One row; `place` is the chance of the chosen place, `way` one of WAYS, `raw` the product of the parts."""
    put = Columns(1)
    put.put("raw", _logit(raw))
    for name, chances in (("kind", kind), ("category", category), ("team", team), ("level", level)):
        ranked = np.sort(chances)[::-1]
        put.put(f"{name}_top", ranked[0])
        put.put(f"{name}_margin", ranked[0] - ranked[1] if len(ranked) > 1 else 1.0)
    put.put("place", place)
    put.put_all([f"way_{name}" for name in WAYS], np.array([way == name for name in WAYS], np.float32))
    best = int(category.argmax())
    put.put("context_agrees", context.joined * context.category[best] if len(context.category) else 0.0)
    put.put("context_team", context.joined * context.team[int(team.argmax())] if len(context.team) else 0.0)
    put.put("context_level", context.joined * context.last_level[int(level.argmax())])
    put.put("alone_agrees", alone[best])
    put.put("memory_agrees", recall.category[best])
    put.put("memory_count", np.log1p(recall.counts[best]))
    put.put("memory_team", recall.team[int(team.argmax())])
    put.put("memory_level", recall.level[int(level.argmax())])
    put.put("novelty", recall.novelty)
    put.put("nearest", recall.best)
    put.put("cases", np.log1p(recall.cases) / 6)
    for name in ("joined", "size", "reporters", "machines", "top"):
        put.put(f"ticket_{name}", getattr(context, name))
    put.put_all([f"kind_{name}" for name in CLASSES], kind)
    put.put("machine", facts.machine)
    put.put("agent", facts.message.channel == "device_agent")
    put.put("burst", burst)
    put.put("said_level", int(level.argmax()) / 3)
    put.put_all(
        [f"says_{name}" for name in PATTERNS_USED], facts.hits[[patterns.NAMES.index(n) for n in PATTERNS_USED]]
    )
    return put


def blended(raw: float, learnt: float) -> float:
    """The two opinions mixed in log-odds."""
    return float(1 / (1 + np.exp(-(RAW_SHARE * _logit(raw) + LEARNT_SHARE * _logit(learnt)))))


def _logit(chance: float) -> float:
    held = min(max(chance, FLOOR), 1 - FLOOR)
    return float(np.log(held / (1 - held)))
