"""`python -m quell.ml.training --data DIR`: day-0 knowledge and all stages from the shared data, in one command."""

import argparse
import json
from pathlib import Path

import numpy as np

from quell.ml import adapter, knowledge, stage
from quell.ml.embedder import Embedder, find_weights
from quell.ml.engine import MODES, Engine, Shipped
from quell.ml.training.adapting import company_pairs, fit_adapters, intent_pairs
from quell.ml.training.course import fold_groups, open_engines, train
from quell.ml.training.pairs import generic_company
from quell.ml.training.scenario import read_scenarios
from quell.ml.training.vectors import RememberingEmbedder


def _kept_adapters(path: Path, anew: bool) -> dict[str, adapter.Adapter]:
    """The adapters of an earlier run, unless they are to be fitted anew."""
    if anew or not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as packed:
        names = sorted({key.split("/")[0] for key in packed.files})
        return {n: adapter.Adapter.from_arrays({a: packed[f"{n}/{a}"] for a in adapter.NAMES}) for n in names}


def main() -> None:
    """Fit and write the artefact; progress goes to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds the folders intents and scenarios")
    parser.add_argument("--out", type=Path, default=knowledge.ARTEFACT)
    parser.add_argument("--cache", type=Path, default=Path(".quell/training"))
    parser.add_argument("--again", nargs="*", default=[], help="stages to fit anew, with all after them")
    parser.add_argument("--knowledge", action="store_true", help="build the day-0 knowledge anew")
    parser.add_argument("--modes", nargs="*", default=list(MODES))
    options = parser.parse_args()
    weights = find_weights()
    if weights is None:
        parser.error("the weights package is not installed")
    embedder = RememberingEmbedder(Embedder(weights, options.cache), options.cache / "vectors.npz")
    if options.knowledge or not (options.out / "knowledge.npz").is_file():
        knowledge.build(options.data / "intents", options.out, embedder)
    scenarios = read_scenarios(options.data / "scenarios")
    ready = knowledge.load(options.out)
    companies = {s.name: company_pairs(s, embedder) for s in scenarios}
    examples = intent_pairs(options.data / "intents", ready.intents, embedder)
    turned = _kept_adapters(options.cache / "folds" / "adapters.npz", options.knowledge or "adapter" in options.again)
    if not turned:
        turned = fit_adapters(companies, examples, fold_groups(list(companies)))
    embedder.save()
    adapter.save(options.out / "adapter.npz", turned["whole"])
    kept = {f"{c}/{n}": a for c, each in turned.items() for n, a in each.arrays().items()}
    (options.cache / "folds").mkdir(parents=True, exist_ok=True)
    np.savez(options.cache / "folds" / "adapters.npz", **kept)  # type: ignore[arg-type]
    print("adapters fitted")
    engines = open_engines(scenarios, ready, embedder, turned)
    generic = Engine(Shipped(ready, {mode: {} for mode in MODES}, adapter=turned["whole"]), embedder)
    generic.fit(generic_company(ready))
    pairs = options.data / "intents" / "pairs.jsonl", generic
    fitted = train(scenarios, engines, options.cache / "folds", print, options.modes, options.again, pairs)
    embedder.save()
    if "corrected" in fitted.cases:
        (options.cache / "gate-cases.json").write_text(json.dumps(fitted.cases["corrected"]) + "\n", encoding="utf-8")
        pooled = [case for part in fitted.cases["corrected"].values() for case in part]
        card = {"source": "replays of companies left out of training, corrected mode", "cases": pooled}
        (options.out / "gate-cases.json").write_text(json.dumps(card) + "\n", encoding="utf-8")
    for mode in options.modes:
        stage.save(options.out / f"stages-{mode}", fitted.whole[mode])


if __name__ == "__main__":
    main()
