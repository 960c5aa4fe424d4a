"""Boosted trees as plain arrays, evaluated by NumPy; they are grown elsewhere, at training time."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 1024
LEAVES_MAX = 16

Floats = NDArray[np.float64]
# For each set of leaves that are still possible, the leftmost one.
_LEFTMOST = np.zeros(1 << LEAVES_MAX, np.uint8)
for _bit in reversed(range(LEAVES_MAX)):
    _LEFTMOST[np.arange(1 << LEAVES_MAX) & (1 << _bit) > 0] = _bit


@dataclass(frozen=True)
class _Compiled:
    """Per tree its questions and, for each, the leaves that stay possible when the answer is no (QuickScorer)."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    mask: NDArray[np.uint16]
    value: NDArray[np.float32]


@dataclass(frozen=True)
class Trees:
    """`outputs` trees a round: arrays of shape (trees, nodes); a leaf points at itself."""

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    value: NDArray[np.float32]
    baseline: NDArray[np.float32]

    def scores(self, rows: NDArray[np.floating]) -> Floats:
        """Raw scores (log-odds or log-chances up to a constant), shape (rows, outputs)."""
        parts = [self._scores(rows[i : i + ROWS_AT_ONCE]) for i in range(0, len(rows), ROWS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.baseline)))

    def _scores(self, rows: NDArray[np.floating]) -> Floats:
        """Every question is asked at once; the leaf is the leftmost that no answer has ruled out."""
        made = self._compiled
        questions, count = made.feature.shape[0], len(rows)
        no = rows[:, made.feature.ravel()] > made.threshold.ravel()
        kept = np.where(no, made.mask.ravel(), np.uint16(0xFFFF)).reshape(count, questions, -1)
        possible = kept[:, :, 0].copy()
        for index in range(1, kept.shape[2]):
            possible &= kept[:, :, index]
        values = made.value[np.arange(questions), _LEFTMOST[possible]].astype(np.float64)
        result: Floats = values.reshape(count, -1, len(self.baseline)).sum(axis=1) + self.baseline
        return result

    @cached_property
    def _compiled(self) -> _Compiled:
        trees, nodes = self.feature.shape
        asks = max(1, nodes // 2)
        made = _Compiled(
            np.zeros((trees, asks), np.int32),
            np.full((trees, asks), np.inf, np.float32),
            np.full((trees, asks), 0xFFFF, np.uint16),
            np.zeros((trees, LEAVES_MAX), np.float32),
        )
        for tree in range(trees):
            self._compile(tree, 0, [], made)
        return made

    def _compile(self, tree: int, node: int, asked: list[int], made: _Compiled) -> int:
        """Lay out the subtree; the leaves found so far are counted in `asked[0]`, the questions in `asked[1]`."""
        asked = asked or [0, 0]
        left, right = int(self.left[tree, node]), int(self.right[tree, node])
        if left == node:
            made.value[tree, asked[0]] = self.value[tree, node]
            asked[0] += 1
            return 1 << (asked[0] - 1)
        own = asked[1]
        asked[1] += 1
        on_left = self._compile(tree, left, asked, made)
        on_right = self._compile(tree, right, asked, made)
        made.feature[tree, own] = self.feature[tree, node]
        made.threshold[tree, own] = self.threshold[tree, node]
        made.mask[tree, own] = 0xFFFF & ~on_left
        return on_left | on_right

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """For a file."""
        return {
            "feature": self.feature,
            "threshold": self.threshold,
            "left": self.left,
            "right": self.right,
            "value": self.value,
            "baseline": self.baseline,
        }

    @classmethod
    def from_arrays(cls, packed: Mapping[str, NDArray[Any]]) -> "Trees":
        """The reverse of `arrays`."""
        return cls(*(packed[name] for name in ("feature", "threshold", "left", "right", "value", "baseline")))
