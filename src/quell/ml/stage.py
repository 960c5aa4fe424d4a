"""One fitted step: a linear model and boosted trees over named columns, mixed by the mean of their log chances."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quell.core.errors import Broken
from quell.ml.ridge import softmax
from quell.ml.trees import Trees

CLIP = 8.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """Standardised columns times weights: `weights` (columns, outputs), `bias` (outputs,)."""

    columns: NDArray[np.int32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scores(self, rows: NDArray[np.floating]) -> Floats:
        """Shape (rows, outputs); values are held within eight spreads, so that one odd column cannot decide alone."""
        standard = np.clip((rows[:, self.columns] - self.mean) / self.spread, -CLIP, CLIP)
        return np.asarray(standard @ self.weights + self.bias, np.float64)

    def contributions(self, row: NDArray[np.floating], output: int) -> list[tuple[int, float]]:
        """What each column adds to one output for one row: (column, points of log-odds)."""
        standard = np.clip((row[self.columns] - self.mean) / self.spread, -CLIP, CLIP)
        return list(zip(self.columns.tolist(), (standard * self.weights[:, output]).tolist(), strict=True))


@dataclass(frozen=True)
class Stage:
    """`choice`: each row is one option and chances sum to one over the rows; else each row has classes.

    `heat` above 1 makes the chances bolder, below 1 meeker; it is fitted on companies that the stage had not seen.
    """

    names: tuple[str, ...]
    choice: bool
    linear: Linear
    trees: Trees | None
    tree_columns: NDArray[np.int32]
    heat: float = 1.0

    def chances(self, rows: NDArray[np.floating]) -> Floats:
        """(rows, classes), or (rows,) for a choice among the rows; a single output is the chance of yes, (rows,)."""
        if not len(rows):
            return np.zeros(
                0 if self.choice or self.linear.weights.shape[1] == 1 else (0, self.linear.weights.shape[1])
            )
        linear = self.linear.scores(rows)
        grown = self.trees.scores(rows[:, self.tree_columns]) if self.trees is not None else linear
        if self.choice:
            odds = -np.logaddexp(0, -grown[:, 0]) if self.trees is not None else grown[:, 0]
            return softmax(0.5 * _log_softmax(linear[:, 0]) + 0.5 * _log_softmax(odds), self.heat)
        if linear.shape[1] == 1:
            result: Floats = 1 / (1 + np.exp(-0.5 * self.heat * (linear[:, 0] + grown[:, 0])))
            return result
        return softmax(0.5 * _log_softmax(linear) + 0.5 * _log_softmax(grown), self.heat)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """For a file."""
        packed: dict[str, NDArray[np.generic]] = {
            "columns": self.linear.columns,
            "mean": self.linear.mean,
            "spread": self.linear.spread,
            "weights": self.linear.weights,
            "bias": self.linear.bias,
            "tree_columns": self.tree_columns,
        }
        if self.trees is not None:
            packed |= {f"trees_{name}": value for name, value in self.trees.arrays().items()}
        return packed


def _log_softmax(scores: Floats) -> Floats:
    shifted = scores - scores.max(axis=-1 if scores.ndim > 1 else 0, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1 if scores.ndim > 1 else 0, keepdims=True))
    return result


def save(path: Path, stages: Mapping[str, Stage]) -> None:
    """Write stages as `path`.npz and `path`.json."""
    arrays = {f"{key}/{name}": value for key, stage in stages.items() for name, value in stage.arrays().items()}
    card = {
        key: {"names": list(stage.names), "choice": stage.choice, "heat": stage.heat} for key, stage in stages.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]
    path.with_suffix(".json").write_text(json.dumps(card, indent=0) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Stage]:
    """The stages that `save` wrote."""
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    stages: dict[str, Stage] = {}
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as packed:
        for key, entry in card.items():
            own = {n.removeprefix(f"{key}/"): packed[n] for n in packed.files if n.startswith(f"{key}/")}
            grown = {n.removeprefix("trees_"): v for n, v in own.items() if n.startswith("trees_")}
            linear = Linear(own["columns"], own["mean"], own["spread"], own["weights"], own["bias"])
            stages[key] = Stage(
                tuple(entry["names"]),
                bool(entry["choice"]),
                linear,
                Trees.from_arrays(grown) if grown else None,
                own["tree_columns"],
                float(entry["heat"]),
            )
    return stages


class Columns:
    """Named feature columns in the order in which they were put; all of one length."""

    def __init__(self, length: int) -> None:
        """`length`: the number of rows."""
        self._length = length
        self._names: list[str] = []
        self._blocks: list[NDArray[np.floating] | NDArray[np.bool_] | float] = []
        self._widths: list[int] = []

    def put(self, name: str, value: NDArray[np.floating] | NDArray[np.bool_] | float) -> None:
        """One column; a single number is repeated."""
        self._names.append(name)
        self._blocks.append(value)
        self._widths.append(0)

    def put_all(self, names: Sequence[str], values: NDArray[np.floating]) -> None:
        """Several columns: `values` is (columns,) to be repeated, or (rows, columns)."""
        self._names.extend(names)
        self._blocks.append(values)
        self._widths.append(len(names))

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(self._names)

    def rows(self) -> NDArray[np.float32]:
        """Shape (rows, columns)."""
        whole = np.empty((self._length, len(self._names)), np.float32)
        at = 0
        for block, width in zip(self._blocks, self._widths, strict=True):
            if width:
                whole[:, at : at + width] = block
            else:
                whole[:, at] = block
            at += width or 1
        return whole


def must_match(stage: Stage, names: tuple[str, ...], which: str) -> None:
    """A stage that was fitted on other columns must not be used: the start fails instead."""
    if stage.names != names:
        odd = sorted(set(stage.names) ^ set(names))[:5]
        raise Broken(f"the stage {which} was fitted on other columns: {odd}")
