"""Words (1-2) and word-bounded characters (3-5) of a text as sparse hashed vectors, weighted by rarity."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from quell.ml.text import tokens

BUCKETS = 1 << 18
WORDS_CACHED = 50_000
CHARACTER_SIZES = (3, 4, 5)

Indices = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sparse:
    """One sparse vector: rising bucket numbers and their values; unit length once weighted."""

    buckets: Indices
    values: Floats


@dataclass(frozen=True)
class Grams:
    """The two views of a text: words and characters."""

    words: Sparse
    chars: Sparse


def count_words(text: str) -> Sparse:
    """How often each single word and pair of neighbours occurs."""
    found = tokens(text)
    pairs = [f"{a} {b}" for a, b in zip(found, found[1:], strict=False)]
    return _counted(crc32(gram.encode()) % BUCKETS for gram in (*found, *pairs))


def count_chars(text: str) -> Sparse:
    """How often each run of 3 to 5 characters inside a blank-padded word occurs."""
    return _counted(bucket for word in tokens(text) for bucket in _runs(word))


@lru_cache(maxsize=WORDS_CACHED)
def _runs(word: str) -> tuple[int, ...]:
    padded = f" {word} "
    runs = (padded[i : i + size] for size in CHARACTER_SIZES for i in range(max(1, len(padded) - size + 1)))
    return tuple(crc32(run.encode(), 1) % BUCKETS for run in runs)


def _counted(buckets: Iterable[int]) -> Sparse:
    counts = sorted(Counter(buckets).items())
    return Sparse(np.array([b for b, _ in counts], np.int32), np.array([n for _, n in counts], np.float32))


class Rarity:
    """In how many texts each bucket occurred: `(1 + log n) * idf`, idf of the past only."""

    def __init__(self, texts: int, words: Floats, chars: Floats) -> None:
        """`words` and `chars` are dense counts of length BUCKETS over so many texts."""
        self.texts = texts
        self._words, self._chars = words, chars

    @classmethod
    def empty(cls) -> "Rarity":
        """Nothing read so far."""
        return cls(0, np.zeros(BUCKETS, np.float32), np.zeros(BUCKETS, np.float32))

    def copy(self) -> "Rarity":
        """An independent copy, so that a company's texts do not touch the shipped counts."""
        return Rarity(self.texts, self._words.copy(), self._chars.copy())

    def read(self, text: str) -> None:
        """Count one more text."""
        self.texts += 1
        self._words[count_words(text).buckets] += 1
        self._chars[count_chars(text).buckets] += 1

    def weigh(self, text: str) -> Grams:
        """The text as unit vectors, by what was read up to now."""
        return Grams(self._weigh(count_words(text), self._words), self._weigh(count_chars(text), self._chars))

    def _weigh(self, counts: Sparse, seen: Floats) -> Sparse:
        idf = np.log((1 + self.texts) / (1 + seen[counts.buckets])) + 1
        values = ((1 + np.log(counts.values)) * idf).astype(np.float32) if len(counts.values) else counts.values
        length = float(np.sqrt(values @ values))
        return Sparse(counts.buckets, values / np.float32(length) if length else values)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The counts, sparse, for a file."""
        packed: dict[str, NDArray[np.generic]] = {"texts": np.array(self.texts, np.int32)}
        for name, counts in (("words", self._words), ("chars", self._chars)):
            kept = np.flatnonzero(counts).astype(np.int32)
            packed |= {f"{name}_at": kept, f"{name}_n": counts[kept].astype(np.uint16)}
        return packed

    @classmethod
    def from_arrays(cls, packed: dict[str, NDArray[np.generic]]) -> "Rarity":
        """The reverse of `arrays`."""
        dense = []
        for name in ("words", "chars"):
            counts = np.zeros(BUCKETS, np.float32)
            counts[packed[f"{name}_at"]] = packed[f"{name}_n"]
            dense.append(counts)
        return cls(int(packed["texts"]), dense[0], dense[1])


class Shelf:
    """Many sparse vectors laid end to end, to be compared with one at once."""

    def __init__(self, rows: Sequence[Sparse]) -> None:
        """Keep the rows in order."""
        lengths = np.array([len(row.buckets) for row in rows], np.int64)
        # One zero entry at the end of each row keeps reduceat right for empty rows.
        self._starts = np.concatenate(([0], np.cumsum(lengths + 1)[:-1])) if len(rows) else np.zeros(0, np.int64)
        zero_at, zero = np.zeros(1, np.int32), np.zeros(1, np.float32)
        self._buckets = np.concatenate([p for r in rows for p in (r.buckets, zero_at)]) if rows else zero_at[:0]
        self._values = np.concatenate([p for r in rows for p in (r.values, zero)]) if rows else zero[:0]

    def cosines(self, one: Sparse) -> Floats:
        """The cosine of each row with one vector, shape (rows,)."""
        if not len(self._starts):
            return np.zeros(0, np.float32)
        dense = _scratch()
        dense[one.buckets] = one.values
        products = dense[self._buckets] * self._values
        dense[one.buckets] = 0
        return np.asarray(np.add.reduceat(products, self._starts), np.float32)


def _scratch() -> Floats:
    """A dense vector of zeros; allocated anew because two threads may compare at once."""
    return np.zeros(BUCKETS, np.float32)
