"""Whole companies that the models have not seen: `python evals/scenarios.py --data DIR --cache DIR [--no-corrections]`.

Needs the folds that `python -m quell.ml.training --data DIR --cache DIR` left in the cache: each company is read with
models, adapter and gate cases of which it was no part.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from quell.core.gate import Checked
from quell.ml import knowledge, stage
from quell.ml.adapter import NAMES, Adapter
from quell.ml.embedder import Embedder, find_weights
from quell.ml.engine import MODES, Engine, Shipped
from quell.ml.training.scenario import read_scenarios
from quell.ml.training.vectors import RememberingEmbedder
from quell.ml.trial.run import predictions, run
from quell.ml.trial.score import measure
from quell.ml.trial.table import markdown, mean
from quell.ml.walk import STAGES


def main() -> None:
    """Print the table; write predictions for the replay scorer into the cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds the folder scenarios")
    parser.add_argument("--cache", type=Path, default=Path(".quell/training"))
    parser.add_argument("--no-corrections", action="store_true")
    parser.add_argument("--hide-threads", action="store_true", help="leave reply_to out, to judge the kind without it")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    weights = find_weights()
    if weights is None:
        parser.error("the weights package is not installed")
    embedder = RememberingEmbedder(Embedder(weights, options.cache), options.cache / "vectors.npz")
    day0 = knowledge.load()
    folds = {mode: {name: stage.load(options.cache / "folds" / mode / name) for name in STAGES} for mode in MODES}
    cases = json.loads((options.cache / "gate-cases.json").read_text(encoding="utf-8"))
    measured = {}
    for scenario in read_scenarios(options.data / "scenarios"):
        name = scenario.name
        stages = {mode: {step: folds[mode][step][name] for step in STAGES} for mode in MODES}
        foreign = tuple(Checked(c, r, True) for other, rows in cases.items() if other != name for c, r in rows)
        engine = Engine(Shipped(day0, stages, foreign, _adapter(options.cache, name)), embedder)
        engine.fit(scenario.company)
        outcome = run(scenario, engine, foreign, not options.no_corrections, hide_threads=options.hide_threads)
        lines = "\n".join(json.dumps(row) for row in predictions(outcome))
        mode = "day0" if options.no_corrections else "corrected"
        (options.cache / f"predictions-{mode}-{name}.jsonl").write_text(lines + "\n", encoding="utf-8")
        measured[name] = measure(scenario, outcome)
    print(markdown(measured))
    if options.json:
        whole = {"companies": measured, "mean": mean(list(measured.values()))}
        options.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _adapter(cache: Path, company: str) -> Adapter:
    with np.load(cache / "folds" / "adapters.npz", allow_pickle=False) as packed:
        return Adapter.from_arrays({name: packed[f"{company}/{name}"] for name in NAMES})


if __name__ == "__main__":
    main()
