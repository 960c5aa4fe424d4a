"""The whole course of training: each stage fitted without some companies in turn, then on all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from quell.ml import stage as stages
from quell.ml.adapter import Adapter
from quell.ml.engine import MODES, Engine, Shipped
from quell.ml.knowledge import Embeds, Knowledge
from quell.ml.stage import Columns, Stage
from quell.ml.training.fitting import RECIPES, fit_heat, fit_stage, joined
from quell.ml.training.pairs import read_pairs
from quell.ml.training.scenario import Scenario
from quell.ml.training.states import Rows, Step, all_right, collect, prepare
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
    pairs: tuple[Path, Engine] | None = None,
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
        written = _written(pairs, fitted.whole[mode])
        tell(f"{mode}: states {time.perf_counter() - started:.0f} s")
        for name in STAGES:
            started = time.perf_counter()
            shown = {c: [engines[c].walker(mode).columns(name, s.way) for s in steps] for c, steps in states.items()}
            stale = stale or name in again or not (kept / mode / f"{name}.json").is_file()
            more = _more_rows(name, written, pairs)
            found = (
                _fit(name, states, shown, engines, kept / mode / name, more)
                if stale
                else stages.load(kept / mode / name)
            )
            fitted.whole[mode][name] = found["whole"]
            for company, steps in states.items():
                fitted.without[company][mode][name] = found[company]
                _take(name, steps, shown[company], found[company], engines[company].walker(mode), engines[company])
            _take_written(name, written, pairs, found)
            heat = fitted.whole[mode][name].heat
            how = "fitted" if stale else "kept"
            tell(f"{mode} {name}: {how}, heat {heat:.2f}, {time.perf_counter() - started:.0f} s")
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
    more: Rows | None,
) -> dict[str, Stage]:
    """One stage without each group of companies, and on all; `more` rows belong to no company."""
    added = [more] if more is not None else []
    rows = {company: collect(steps, shown[company], name, engines[company]) for company, steps in states.items()}
    found = {"whole": fit_stage(joined([*rows.values(), *added]), RECIPES[name])}
    for left_out in fold_groups(list(states)):
        fold = fit_stage(joined([*(r for n, r in rows.items() if n not in left_out), *added]), RECIPES[name])
        found |= dict.fromkeys(left_out, fold)
    # A company's heat comes from the other companies only, each answered by the fold that had not seen it.
    heats = {company: fit_heat([(found[other], rows[other]) for other in rows if other != company]) for company in rows}
    heats["whole"] = fit_heat([(found[other], rows[other]) for other in rows])
    found = {key: replace(stage, heat=heats[key]) for key, stage in found.items()}
    stages.save(path, found)
    return found


def _written(pairs: tuple[Path, Engine] | None, whole: Mapping[str, Stage]) -> list[Step]:
    """The written pairs; `whole` is filled stage after stage and is what their tickets' members are read with."""
    if pairs is None:
        return []
    pairs[1].use({mode: whole for mode in MODES})
    return read_pairs(*pairs)


def _more_rows(name: str, written: Sequence[Step], pairs: tuple[Path, Engine] | None) -> Rows | None:
    """The written pairs as rows of the join; no other stage has any."""
    if name != "join" or pairs is None:
        return None
    walker = pairs[1].walker(MODES[0])
    return collect(written, [walker.columns(name, step.way) for step in written], name, pairs[1])


def _take_written(
    name: str, written: Sequence[Step], pairs: tuple[Path, Engine] | None, found: Mapping[str, Stage]
) -> None:
    """Walk the written pairs up to the join, with the stage that was fitted on all companies."""
    if pairs is None or STAGES.index(name) >= STAGES.index("join"):
        return
    walker = pairs[1].walker(MODES[0])
    shown = [walker.columns(name, step.way) for step in written]
    _take(name, written, shown, found["whole"], walker, pairs[1])


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
