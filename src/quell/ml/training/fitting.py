"""Growing one stage from rows with scikit-learn and SciPy, and laying the result out as plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from quell.ml.stage import CLIP, Linear, Stage
from quell.ml.training.states import Rows
from quell.ml.trees import Trees

RATE, TREE_PENALTY, BINS = 0.06, 5.0, 64
RIVALS_KEPT, OTHERS_SHARE = 7, 4
HEATS = (0.4, 2.5)


@dataclass(frozen=True)
class Recipe:
    """How one stage is grown: `strength` is C of the logistic or the L2 of the choice; rounds 0 means no trees."""

    choice: bool
    classes: int
    strength: float
    rounds: int
    leaves: int = 8
    leaf_rows_min: int = 20


RECIPES: dict[str, Recipe] = {
    "kind": Recipe(False, 5, 0.02, 80),
    "alone": Recipe(True, 1, 2.0, 150),
    "alone_level": Recipe(False, 4, 0.004, 100),
    "join": Recipe(False, 1, 0.02, 150, 12, 15),
    "place": Recipe(False, 3, 0.05, 60),
    "category": Recipe(True, 1, 2.0, 150),
    "owner": Recipe(True, 1, 2.0, 60),
    "priority": Recipe(False, 4, 0.004, 120),
    "action": Recipe(True, 1, 2.0, 60),
    "sure": Recipe(False, 1, 0.05, 80),
}


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of several companies one after another; groups stay apart."""
    offset, groups = 0, []
    for part in parts:
        groups.append(part.group + offset)
        offset += int(part.group.max()) + 1 if len(part.group) else 0
    return Rows(
        parts[0].names,
        np.concatenate([p.rows for p in parts]),
        np.concatenate([p.target for p in parts]),
        np.concatenate([p.weight for p in parts]),
        np.concatenate(groups),
    )


def fit_heat(parts: Sequence[tuple[Stage, Rows]]) -> float:
    """The heat at which stages say the likeliest chances of rows that they had not seen, by golden-section search."""
    said = [_truths(stage, rows) for stage, rows in parts]

    def loss(heat: float) -> float:
        return sum(
            float((weight * _surprise(scores, target, starts, heat)).sum()) for scores, target, starts, weight in said
        )

    return float(minimize_scalar(loss, bounds=HEATS, method="bounded", options={"xatol": 0.01}).x)


Said = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


def _truths(stage: Stage, rows: Rows) -> Said:
    """Log chances, right answers, where groups start (choices only), and weights, one a message."""
    if not stage.choice:
        chances = np.clip(stage.chances(rows.rows), 1e-9, 1.0)
        scores = np.log(chances) if chances.ndim > 1 else np.log(np.stack((1 - chances + 1e-9, chances), axis=1))
        return scores, rows.target, np.zeros(0, np.int64), rows.weight
    starts = np.flatnonzero(np.diff(rows.group, prepend=-1))
    ends = np.append(starts[1:], len(rows.group))
    groups = [rows.rows[start:end] for start, end in zip(starts, ends, strict=True)]
    scores = np.log(np.concatenate([np.clip(stage.chances(group), 1e-9, 1.0) for group in groups]))
    return scores, rows.target, starts, np.ones(len(starts), np.float32)


def _surprise(
    scores: NDArray[np.float64], target: NDArray[np.int64], starts: NDArray[np.int64], heat: float
) -> NDArray[np.float64]:
    hot = scores * heat
    if len(starts):
        return np.asarray(np.log(np.add.reduceat(np.exp(hot), starts)) - hot[target > 0], np.float64)
    return np.asarray(np.log(np.exp(hot).sum(axis=1)) - hot[np.arange(len(hot)), target], np.float64)


def fit_stage(rows: Rows, recipe: Recipe) -> Stage:
    """Fit the linear part on all columns and the trees on those that are not marked as wide."""
    rows_in = rows.rows
    spread = rows_in.std(axis=0)
    columns = np.flatnonzero(spread > 1e-6).astype(np.int32)
    mean, scale = rows_in[:, columns].mean(axis=0), spread[columns]
    standard = np.clip((rows_in[:, columns] - mean) / scale, -CLIP, CLIP).astype(np.float64)
    if recipe.choice:
        weights, bias = _fit_choice(standard, rows, recipe.strength)
    else:
        weights, bias = _fit_logistic(standard, rows, recipe)
    linear = Linear(
        columns, mean.astype(np.float32), scale.astype(np.float32), weights.astype(np.float32), bias.astype(np.float32)
    )
    narrow = np.array([c for c in columns if not rows.names[c].startswith("wide_")], np.int32)
    kept, weight = _rivals(linear, rows) if recipe.choice else (np.arange(len(rows.target)), rows.weight)
    trees = _grow(rows_in[np.ix_(kept, narrow)], rows.target[kept], weight[kept], recipe) if recipe.rounds else None
    return Stage(rows.names, recipe.choice, linear, trees, narrow)


def _fit_logistic(
    standard: NDArray[np.float64], rows: Rows, recipe: Recipe
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    model = LogisticRegression(C=recipe.strength, max_iter=400, tol=1e-3)
    model.fit(standard, rows.target, sample_weight=rows.weight)
    if recipe.classes == 1:
        return model.coef_.T, model.intercept_
    weights = np.zeros((standard.shape[1], recipe.classes))
    bias = np.full(recipe.classes, -20.0)
    for row, cls in enumerate(model.classes_):
        weights[:, cls], bias[cls] = model.coef_[row], model.intercept_[row]
    return weights, bias


def _fit_choice(
    standard: NDArray[np.float64], rows: Rows, penalty: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Conditional logit: within each group the chosen row's share of exp(score) is made large."""
    starts = np.flatnonzero(np.diff(rows.group, prepend=-1))
    counts = np.diff(np.append(starts, len(rows.group)))
    chosen = rows.target.astype(np.float64)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = standard @ weights
        scores -= np.repeat(np.maximum.reduceat(scores, starts), counts)
        raised = np.exp(scores)
        share = raised / np.repeat(np.add.reduceat(raised, starts), counts)
        value = -float(np.log(np.maximum(share[chosen > 0], 1e-12)).sum()) + 0.5 * penalty * float(weights @ weights)
        return value, standard.T @ (share - chosen) + penalty * weights

    found = minimize(loss, np.zeros(standard.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 150})
    return found.x[:, None], np.zeros(1)


def _rivals(linear: Linear, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For a choice: the chosen option, its seven nearest rivals, and every fourth of the others with weight four."""
    scores = linear.scores(rows.rows)[:, 0]
    weight = np.ones(len(scores), np.float32)
    kept: list[int] = []
    starts = np.append(np.flatnonzero(np.diff(rows.group, prepend=-1)), len(scores))
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        order = start + np.argsort(-scores[start:end], kind="stable")
        for rank, row in enumerate(order.tolist()):
            if rank < RIVALS_KEPT or rows.target[row]:
                kept.append(row)
            elif (row + rank) % OTHERS_SHARE == 0:
                weight[row] = OTHERS_SHARE
                kept.append(row)
    return np.array(kept), weight


def _grow(
    rows_in: NDArray[np.float32], target: NDArray[np.int64], weight: NDArray[np.float32], recipe: Recipe
) -> Trees:
    model = HistGradientBoostingClassifier(
        max_iter=recipe.rounds,
        learning_rate=RATE,
        max_leaf_nodes=recipe.leaves,
        l2_regularization=TREE_PENALTY,
        min_samples_leaf=recipe.leaf_rows_min,
        early_stopping=False,
        max_bins=BINS,
        random_state=0,
    )
    model.fit(rows_in, target, sample_weight=weight)
    outputs = recipe.classes
    present = [0] if outputs == 1 else [int(c) for c in model.classes_]
    grown = [tree for stage in model._predictors for tree in stage]
    nodes_max = max(len(tree.nodes) for tree in grown)
    rounds = len(model._predictors)
    shape = (rounds * outputs, nodes_max)
    feature, left, right = (np.zeros(shape, np.int16) for _ in range(3))
    threshold, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    baseline = np.full(outputs, -20.0, np.float32)
    baseline[present] = np.ravel(model._baseline_prediction)
    for number, stage in enumerate(model._predictors):
        for output, tree in zip(present if len(stage) > 1 else [0], stage, strict=True):
            nodes, line = tree.nodes, number * outputs + output
            own = np.arange(len(nodes))
            leaf = nodes["is_leaf"].astype(bool)
            feature[line, : len(nodes)] = np.where(leaf, 0, nodes["feature_idx"])
            threshold[line, : len(nodes)] = np.where(leaf, 0, nodes["num_threshold"])
            left[line, : len(nodes)] = np.where(leaf, own, nodes["left"])
            right[line, : len(nodes)] = np.where(leaf, own, nodes["right"])
            value[line, : len(nodes)] = nodes["value"]
    return Trees(feature, threshold, left, right, value, baseline)
