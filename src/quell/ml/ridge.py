"""Kernel ridge regression in its two forms: weights for a fixed corpus, and a growing memory."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def solve(kernel: Floats, targets: Floats, penalty: float, weights: Floats | None = None) -> Floats:
    """Coefficients of shape (rows, outputs); `weights` say how much each row counts."""
    diagonal = penalty / weights if weights is not None else np.full(len(kernel), penalty)
    return np.asarray(np.linalg.solve(kernel + np.diag(diagonal), targets), np.float64)


def softmax(scores: NDArray[np.floating], heat: float = 1.0) -> Floats:
    """Chances along the last axis from scores times heat."""
    scaled = np.asarray(scores, np.float64) * np.float64(heat)
    scaled -= scaled.max(axis=-1, keepdims=True)
    raised = np.exp(scaled)
    result: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return result
