"""A small turn of the sentence vectors, learnt from many companies, towards the text of the right category."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAT = 1 / 0.07
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Adapter:
    """`v' = unit(v + v down up)`, one pair for messages and one for descriptions; shapes (384, rank), (rank, 384)."""

    message_down: Floats
    message_up: Floats
    text_down: Floats
    text_up: Floats

    def message(self, vectors: Floats) -> Floats:
        """Messages' vectors turned; (384,) or (many, 384)."""
        return turned(vectors, self.message_down, self.message_up)

    def text(self, vectors: Floats) -> Floats:
        """Descriptions' vectors turned; (384,) or (many, 384)."""
        return turned(vectors, self.text_down, self.text_up)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a file, in half precision."""
        return {name: getattr(self, name).astype(np.float16) for name in NAMES}

    @classmethod
    def from_arrays(cls, packed: Mapping[str, NDArray[Any]]) -> "Adapter":
        """The reverse of `arrays`."""
        return cls(*(packed[name].astype(np.float32) for name in NAMES))


NAMES = ("message_down", "message_up", "text_down", "text_up")


def turned(vectors: Floats, down: Floats, up: Floats) -> Floats:
    """Unit vectors of `v + v down up`."""
    moved = vectors + (vectors @ down) @ up
    result: Floats = moved / np.linalg.norm(moved, axis=-1, keepdims=True)
    return result


def save(path: Path, adapter: Adapter) -> None:
    """Write an adapter as one .npz file."""
    np.savez_compressed(path, **adapter.arrays())  # type: ignore[arg-type]


def load(path: Path) -> Adapter:
    """The adapter that `save` wrote."""
    with np.load(path, allow_pickle=False) as packed:
        return Adapter.from_arrays({name: packed[name] for name in packed.files})
