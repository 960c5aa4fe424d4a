"""The one similarity that all stages share: words, characters and sentence vectors of two texts, mixed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quell.ml.grams import Grams, Shelf
from quell.ml.knowledge import CHARS_SHARE, VECTOR_SHARE, WORDS_SHARE

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """A text as the models see it; `vector` is None where no embedder is installed."""

    text: str
    grams: Grams
    vector: Floats | None


@dataclass(frozen=True)
class Likeness:
    """Cosines of one text with many, each of shape (many,)."""

    words: Floats
    chars: Floats
    vectors: Floats

    @property
    def mixed(self) -> Floats:
        """The kernel: .2 words + .4 characters + .8 vectors."""
        result: Floats = WORDS_SHARE * self.words + CHARS_SHARE * self.chars + VECTOR_SHARE * self.vectors
        return result

    def part(self, start: int, end: int) -> "Likeness":
        """The same for a run of the many."""
        return Likeness(self.words[start:end], self.chars[start:end], self.vectors[start:end])


class Collection:
    """Texts laid side by side, to be compared with one at once."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        """Keep the texts in order."""
        self._words = Shelf([each.grams.words for each in seen])
        self._chars = Shelf([each.grams.chars for each in seen])
        self._count = len(seen)
        has = bool(seen) and all(each.vector is not None for each in seen)
        self.vectors: Floats | None = (
            np.stack([each.vector for each in seen if each.vector is not None]) if has else None
        )

    def likeness(self, one: Seen) -> Likeness:
        """How like each of the texts is to this one."""
        if self.vectors is not None and one.vector is not None:
            vectors = np.asarray(self.vectors @ one.vector, np.float32)
        else:
            vectors = np.zeros(self._count, np.float32)
        return Likeness(self._words.cosines(one.grams.words), self._chars.cosines(one.grams.chars), vectors)


def kernel_matrix(seen: Sequence[Seen]) -> NDArray[np.float64]:
    """The kernel of every text with every text."""
    whole = Collection(seen)
    return np.stack([whole.likeness(each).mixed for each in seen]).astype(np.float64)
