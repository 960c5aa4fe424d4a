"""Trees as arrays give what scikit-learn's own trees give."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from quell.ml.training.fitting import Recipe, _grow
from quell.ml.trees import Trees


@pytest.mark.parametrize("classes", [1, 3])
def test_they_score_like_the_trees_that_were_grown(classes: int) -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=(600, 9)).astype(np.float32)
    target = (values[:, 0] + values[:, 1] ** 2 > 1).astype(np.int64)
    if classes == 3:
        target += values[:, 2] > 0
    grown = HistGradientBoostingClassifier(
        max_iter=20,
        learning_rate=0.06,
        max_leaf_nodes=12,
        l2_regularization=5.0,
        min_samples_leaf=20,
        early_stopping=False,
        random_state=0,
        max_bins=64,
    ).fit(values, target)
    trees = _grow(values, target, np.ones(600, np.float32), Recipe(False, classes, 1.0, 20, 12))
    expected = grown.decision_function(values).reshape(600, -1)
    assert trees.scores(values) == pytest.approx(expected, abs=1e-4)
    assert np.array_equal(Trees.from_arrays(trees.arrays()).scores(values), trees.scores(values))
    assert trees.scores(values[:0]).shape == (0, classes)
