"""A text classifier that learns each correction in a fraction of a millisecond: hashed words, AdaGrad, softmax."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quell.ml.grams import BUCKETS, count_chars, count_words
from quell.ml.ridge import softmax

RATE = 0.5
START = 1.0
CHARS_SHARE = 0.5

Floats = NDArray[np.float64]


class OnlineText:
    """Chances over labels; a label that was never seen is added when it is first learnt."""

    def __init__(self, labels: Sequence[str] = (), chars: bool = False) -> None:
        """`chars` adds runs of 3 to 5 characters: for short texts and many labels."""
        self.labels: list[str] = list(labels)
        self._chars = chars
        width = max(8, len(self.labels))
        shape = (BUCKETS * (2 if chars else 1), width)
        self._weights = np.zeros(shape, np.float32)
        self._squares = np.full(shape, START, np.float32)
        self._bias = np.zeros(width, np.float32)

    def chances(self, text: str) -> Floats:
        """One chance a label, in the order of `labels`."""
        return self._chances(*self._features(text))

    def learn(self, text: str, label: str) -> None:
        """One step of gradient descent towards the label."""
        if label not in self.labels:
            self._add(label)
        buckets, values = self._features(text)
        error = self._chances(buckets, values)
        error[self.labels.index(label)] -= 1
        width = len(self.labels)
        slope = np.outer(values, error).astype(np.float32)
        self._squares[buckets, :width] += slope**2
        self._weights[buckets, :width] -= RATE * slope / np.sqrt(self._squares[buckets, :width])
        self._bias[:width] -= (RATE / 50) * error.astype(np.float32)

    def _chances(self, buckets: NDArray[np.int64], values: NDArray[np.float32]) -> Floats:
        width = len(self.labels)
        return softmax(values @ self._weights[buckets, :width] + self._bias[:width])

    def _features(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        words = count_words(text)
        parts = [(words.buckets.astype(np.int64), 1 + np.log(words.values), 1.0)]
        if self._chars:
            chars = count_chars(text)
            parts.append((chars.buckets.astype(np.int64) + BUCKETS, 1 + np.log(chars.values), CHARS_SHARE))
        scaled = [np.sqrt(share) * v / max(1e-6, float(np.linalg.norm(v))) for _, v, share in parts]
        return np.concatenate([b for b, _, _ in parts]), (3 * np.concatenate(scaled)).astype(np.float32)

    def _add(self, label: str) -> None:
        self.labels.append(label)
        if len(self.labels) > self._weights.shape[1]:
            grown = (len(self._weights), self._weights.shape[1])
            self._weights = np.hstack((self._weights, np.zeros(grown, np.float32)))
            self._squares = np.hstack((self._squares, np.full(grown, START, np.float32)))
            self._bias = np.concatenate((self._bias, np.zeros(len(self._bias), np.float32)))
