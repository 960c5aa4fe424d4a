"""The whole course of training: each stage fitted without some companies in turn, then on all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quell.ml import stage as stages
from quell.ml.adapter import Adapter
from quell.ml.engine import MODES, Engine, Shipped
from quell.ml.knowledge import Embeds, Knowledge
from quell.ml.stage import Columns, Stage
from quell.ml.training.fitting import RECIPES, fit_stage, joined
from quell.ml.training.scenario import Scenario
from quell.ml.training.states import Step, all_right, collect, prepare
from quell.ml.walk import STAGES, Walker

Tell = Callable[[str], None]


@dataclass
class Fitted:
    """Stages by mode; `without[company]` never saw that company, `whole` saw all.

    `cases`: by mode and company, how sure models that never saw it were of each message, and was all right.
    """

    without: dict[str, dict[str, dict[str, Stage]]] = field(default_factory=dict)
    whole: dict[str, dict[str, Stage]] = field(default_factory=lambda: {mode: {} for mode in MODES})
    cases: dict[str, dict[str, list[tuple[float, bool]]]] = field(default_factory=dict)


def train(
    scenarios: Sequence[Scenario],
    engines: Mapping[str, Engine],
    kept: Path,
    tell: Tell,
    modes: Sequence[str] = MODES,
    again: Sequence[str] = (),
) -> Fitted:
    """Fit everything. Folds are kept as files in `kept`; a stage is fitted anew only when it or an earlier one is
    named in `again`, or when its file is missing.
    """
    fitted = Fitted(without={s.name: {mode: {} for mode in MODES} for s in scenarios})
    for mode in modes:
        stale = False
        started = time.perf_counter()
        for engine in engines.values():
            engine.use({m: {} for m in MODES})
        states = {s.name: prepare(s, engines[s.name], mode) for s in scenarios}
        tell(f"{mode}: states {time.perf_counter() - started:.0f} s")
        for name in STAGES:
            started = time.perf_counter()
            shown = {c: [engines[c].walker(mode).columns(name, s.way) for s in steps] for c, steps in states.items()}
            stale = stale or name in again or not (kept / mode / f"{name}.json").is_file()
            found = _fit(name, states, shown, engines, kept / mode / name) if stale else stages.load(kept / mode / name)
            fitted.whole[mode][name] = found["whole"]
            for company, steps in states.items():
                fitted.without[company][mode][name] = found[company]
                _take(name, steps, shown[company], found[company], engines[company].walker(mode), engines[company])
            tell(f"{mode} {name}: {'fitted' if stale else 'kept'}, {time.perf_counter() - started:.0f} s")
        fitted.cases[mode] = {
            c: [(round(s.way.sure, 4), all_right(s, engines[c])) for s in steps] for c, steps in states.items()
        }
    return fitted


def _fit(
    name: str,
    states: Mapping[str, Sequence[Step]],
    shown: Mapping[str, Sequence[Columns]],
    engines: Mapping[str, Engine],
    path: Path,
) -> dict[str, Stage]:
    """One stage without each group of companies, and on all."""
    rows = {company: collect(steps, shown[company], name, engines[company]) for company, steps in states.items()}
    found = {"whole": fit_stage(joined(list(rows.values())), RECIPES[name])}
    for left_out in fold_groups(list(states)):
        fold = fit_stage(joined([r for n, r in rows.items() if n not in left_out]), RECIPES[name])
        found |= dict.fromkeys(left_out, fold)
    stages.save(path, found)
    return found


def _take(
    name: str, steps: Sequence[Step], shown: Sequence[Columns], stage: Stage, walker: Walker, engine: Engine
) -> None:
    """Answer every step with the models that never saw its company, as the next stage's input."""
    for step, columns in zip(steps, shown, strict=True):
        walker.take(name, step.way, stage.chances(columns.rows()))
        if name == "alone_level" and step.way.own is not None:
            engine.believe(step.message.id, step.way.own)


def fold_groups(companies: Sequence[str]) -> list[tuple[str, ...]]:
    """Which companies are left out together: two at a time, so that ten companies need five fits."""
    half = (len(companies) + 1) // 2
    return [tuple(companies[start::half]) for start in range(half)]


def open_engines(
    scenarios: Sequence[Scenario], knowledge: Knowledge, embedder: Embeds, adapters: Mapping[str, Adapter]
) -> dict[str, Engine]:
    """An engine for each company with the adapter that never saw it, and with no stages yet."""
    return {s.name: _engine(s, knowledge, embedder, adapters[s.name]) for s in scenarios}


def _engine(scenario: Scenario, knowledge: Knowledge, embedder: Embeds, adapter: Adapter) -> Engine:
    engine = Engine(Shipped(knowledge, {mode: {} for mode in MODES}, adapter=adapter), embedder)
    engine.fit(scenario.company)
    return engine
