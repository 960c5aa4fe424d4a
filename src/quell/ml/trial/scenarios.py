"""`quell eval scenarios`: whole companies replayed in memory with the shipped models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quell.core.gate import Checked
from quell.ml.engine import Engine, Shipped, load_shipped
from quell.ml.knowledge import Embeds
from quell.ml.training.scenario import Scenario, read_scenarios
from quell.ml.trial.run import run
from quell.ml.trial.score import measure
from quell.ml.trial.table import markdown, mean


def evaluate(
    data_dir: Path, embedder: Embeds | None = None, corrections: bool = True, shipped: Shipped | None = None
) -> dict[str, Any]:
    """Score the shipped models on every scenario folder below `data_dir` (or on the folder itself).

    On companies that the shipped models were trained on this flatters them; leave-one-out figures are on the
    scoreboard. The result holds `companies`, `mean`, and the `table` as Markdown.
    """
    ready = shipped if shipped is not None else load_shipped()
    measured = {}
    for scenario in read_scenarios(data_dir):
        engine = Engine(ready, embedder)
        engine.fit(scenario.company)
        measured[scenario.name] = measure(scenario, run(scenario, engine, ready.cases, corrections))
    return summary(measured)


def evaluate_one(
    scenario: Scenario, engine: Engine, foreign: Sequence[Checked], corrections: bool = True
) -> dict[str, Any]:
    """One company with an engine that is fitted already and the gate cases of others."""
    return measure(scenario, run(scenario, engine, foreign, corrections))


def summary(measured: dict[str, dict[str, object]]) -> dict[str, Any]:
    """Companies, their mean and the table."""
    return {"companies": measured, "mean": mean(list(measured.values())), "table": markdown(measured)}
