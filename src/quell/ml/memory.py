"""What people said about earlier messages: a kernel ridge that takes in each correction at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.core.reading import KINDS, Correction
from quell.ml.companyview import FIRST_HEAT, CompanyView
from quell.ml.facts import Facts
from quell.ml.grams import BUCKETS, Indices, Sparse
from quell.ml.kernel import Likeness, Seen
from quell.ml.knowledge import CHARS_SHARE, VECTOR_SHARE, WORDS_SHARE
from quell.ml.ridge import softmax

PENALTY = 0.15
CASES_MAX = 1500
CASES_DROPPED = 300
RECENT_S = 2 * 3600

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recall:
    """What the memory says of one message; category arrays have shape (categories,), teams (teams,), level (4,)."""

    cases: int
    category: Floats
    first: Floats
    nearest: Floats
    host_share: Floats
    counts: Floats
    recent_share: Floats
    team: Floats
    level: Floats
    level_nearest: Floats
    kind: Floats
    levels_of_category: Floats
    novelty: float
    best: float
    best_case: int


@dataclass(frozen=True)
class Case:
    """One corrected message."""

    facts: Facts
    correction: Correction


class _Growing:
    """A symmetric kernel matrix plus penalty, with its inverse kept up to date one row at a time."""

    def __init__(self, kernel: Floats, penalties: Floats) -> None:
        self.inverse = np.linalg.inv(kernel + np.diag(penalties)) if len(kernel) else np.zeros((0, 0))

    def append(self, against: Floats, own: float, penalty: float) -> None:
        """Border the inverse by one row (block inversion by the Schur complement)."""
        size = len(self.inverse)
        projected = self.inverse @ against
        left = own + penalty - float(against @ projected)
        grown = np.empty((size + 1, size + 1))
        grown[:size, :size] = self.inverse + np.outer(projected, projected) / left
        grown[size, :size] = grown[:size, size] = -projected / left
        grown[size, size] = 1 / left
        self.inverse = grown


class Memory:
    """The corrected cases of one company, oldest first; beyond `cases_max` the oldest `dropped` are forgotten."""

    def __init__(self, view: CompanyView, cases_max: int = CASES_MAX, dropped: int = CASES_DROPPED) -> None:
        """Empty: only the company's own words."""
        self._view, self._cases_max, self._dropped = view, cases_max, dropped
        self.cases: list[Case] = []
        self._shelf = _Shelf()
        self._own = _Growing(np.zeros((0, 0)), np.zeros(0))
        rows = view.prototype_rows
        self._prototype_kernel = np.stack([view.prototypes.likeness(row).mixed for row in rows]).astype(np.float64)
        self._both = self._fresh_both()
        self._targets: list[dict[str, Floats]] = []
        self._solve()

    def __len__(self) -> int:
        """The number of cases."""
        return len(self.cases)

    def add(self, facts: Facts, correction: Correction) -> None:
        """Take in one corrected message."""
        if len(self.cases) >= self._cases_max:
            self._drop(self._dropped)
        against = self._shelf.likeness(facts.seen).mixed.astype(np.float64)
        prototypes = self._view.prototypes.likeness(facts.seen).mixed.astype(np.float64)
        own = WORDS_SHARE + CHARS_SHARE + (VECTOR_SHARE if facts.seen.vector is not None else 0.0)
        self._own.append(against, own, PENALTY)
        self._both.append(np.concatenate((prototypes, against)), own, PENALTY)
        self._shelf.add(facts.seen)
        self.cases.append(Case(facts, correction))
        self._targets.append(self._target(correction))
        self._solve()

    def look(self, facts: Facts, at: datetime) -> Recall:
        """What is known of messages like this one at that time."""
        view = self._view
        like = self._shelf.likeness(facts.seen).mixed.astype(np.float64)
        prototypes = view.prototypes.likeness(facts.seen).mixed.astype(np.float64)
        scores = like @ self._coefficients
        categories, teams = len(view.categories.keys), len(view.teams.keys)
        cut = np.cumsum([categories, teams, len(LEVELS), len(KINDS)])
        category, team, level, kind = np.split(scores, cut[:-1])
        own = WORDS_SHARE + CHARS_SHARE + (VECTOR_SHARE if facts.seen.vector is not None else 0.0)
        novelty = 1 - float(like @ self._own.inverse @ like) / own if len(like) else 1.0
        recency = np.array(
            [(at - case.facts.message.at).total_seconds() <= RECENT_S for case in self.cases], np.float64
        )
        same_host = np.array(
            [bool(case.facts.entities.hosts & facts.entities.hosts) for case in self.cases], np.float64
        )
        best_case = int(np.argmax(like)) if len(like) else -1
        return Recall(
            cases=len(like),
            category=category,
            team=team,
            level=level,
            kind=kind,
            novelty=novelty,
            first=softmax(np.concatenate((prototypes, like)) @ self._both_coefficients, FIRST_HEAT),
            nearest=_nearest(like, self._category),
            counts=self._category.sum(axis=0),
            level_nearest=_nearest(like, self._level),
            host_share=_share(same_host, self._category),
            recent_share=_share(recency, self._category),
            levels_of_category=self._category.T @ self._level,
            best=float(like.max()) if len(like) else 0.0,
            best_case=best_case,
        )

    def likeness(self, facts: Facts) -> Likeness:
        """How like each case is to this message."""
        return self._shelf.likeness(facts.seen)

    def _target(self, correction: Correction) -> dict[str, Floats]:
        view = self._view
        return {
            "category": _one_hot(view.categories.keys, correction.category),
            "team": _one_hot(view.teams.keys, correction.owner),
            "level": _one_hot(LEVELS, correction.priority),
            "kind": _one_hot(KINDS, correction.kind),
        }

    def _solve(self) -> None:
        view, count = self._view, len(self.cases)
        self._category = self._stack("category", len(view.categories.keys))
        self._level = self._stack("level", len(LEVELS))
        targets = np.hstack(
            (self._category, self._stack("team", len(view.teams.keys)), self._level, self._stack("kind", len(KINDS)))
        )
        self._coefficients = self._own.inverse @ targets if count else np.zeros_like(targets)
        self._both_coefficients = self._both.inverse @ np.vstack((view.prototype_targets, self._category))

    def _stack(self, field: str, width: int) -> Floats:
        return np.stack([row[field] for row in self._targets]) if self._targets else np.zeros((0, width))

    def _fresh_both(self) -> _Growing:
        return _Growing(self._prototype_kernel, PENALTY / self._view.prototype_weights)

    def _drop(self, count: int) -> None:
        """Forget the oldest and build both inverses anew, which also wipes out rounding."""
        kept = self.cases[count:]
        self.cases, self._targets, self._shelf = [], [], _Shelf()
        self._own, self._both = _Growing(np.zeros((0, 0)), np.zeros(0)), self._fresh_both()
        for case in kept:
            self.add(case.facts, case.correction)


class _Shelf:
    """Sparse and dense rows in arrays that grow by doubling, so that adding one is cheap."""

    def __init__(self) -> None:
        self._parts = {name: (np.zeros(1024, np.int32), np.zeros(1024, np.float32)) for name in ("words", "chars")}
        self._used = {"words": 0, "chars": 0}
        self._starts: dict[str, list[int]] = {"words": [], "chars": []}
        self._vectors = np.zeros((16, 384), np.float32)
        self._count = 0

    def add(self, seen: Seen) -> None:
        for name, part in (("words", seen.grams.words), ("chars", seen.grams.chars)):
            self._append(name, part)
        if self._count == len(self._vectors):
            self._vectors = np.vstack((self._vectors, np.zeros_like(self._vectors)))
        if seen.vector is not None:
            self._vectors[self._count] = seen.vector
        self._count += 1

    def _append(self, name: str, part: Sparse) -> None:
        buckets, values = self._parts[name]
        start = self._used[name]
        end = start + len(part.buckets) + 1  # one zero entry keeps reduceat right for an empty row
        while end > len(buckets):
            buckets, values = (
                np.concatenate((buckets, np.zeros_like(buckets))),
                np.concatenate((values, np.zeros_like(values))),
            )
        buckets[start : end - 1], values[start : end - 1] = part.buckets, part.values
        self._parts[name] = (buckets, values)
        self._used[name] = end
        self._starts[name].append(start)

    def likeness(self, one: Seen) -> Likeness:
        if not self._count:
            empty = np.zeros(0, np.float32)
            return Likeness(empty, empty, empty)
        vector = one.vector if one.vector is not None else np.zeros(384, np.float32)
        return Likeness(
            self._cosines("words", one.grams.words),
            self._cosines("chars", one.grams.chars),
            self._vectors[: self._count] @ vector,
        )

    def _cosines(self, name: str, one: Sparse) -> NDArray[np.float32]:
        buckets, values = self._parts[name]
        dense = np.zeros(BUCKETS, np.float32)
        dense[one.buckets] = one.values
        used: Indices = buckets[: self._used[name]]
        return np.asarray(np.add.reduceat(dense[used] * values[: self._used[name]], self._starts[name]), np.float32)


def _one_hot(keys: Sequence[str], value: str | None) -> Floats:
    return np.array([key == value for key in keys], np.float64)


def _nearest(like: Floats, members: Floats) -> Floats:
    """The best likeness among each class's cases, 0 where there is none."""
    if not len(like):
        return np.zeros(members.shape[1])
    result: Floats = np.where(members > 0, like[:, None], 0).max(axis=0)
    return result


def _share(chosen: Floats, members: Floats) -> Floats:
    """Of the chosen cases, the share of each class; zeros where none is chosen."""
    total = chosen.sum()
    result: Floats = chosen @ members / total if total else np.zeros(members.shape[1])
    return result
