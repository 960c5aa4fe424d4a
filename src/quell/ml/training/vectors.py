"""An embedder that remembers every text on disk, so that experiments do not embed the same words twice."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quell.ml.knowledge import Embeds


class RememberingEmbedder:
    """Wraps another embedder; call `save` at the end."""

    def __init__(self, inner: Embeds, path: Path) -> None:
        """`path`: an .npz file that may not exist yet."""
        self._inner, self._path = inner, path
        self._known: dict[str, NDArray[np.float32]] = {}
        if path.is_file():
            with np.load(path, allow_pickle=False) as packed:
                self._known = dict(zip(packed["keys"].tolist(), packed["vectors"], strict=True))
        self._size = len(self._known)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), 384)."""
        keys = [sha256(text.encode()).hexdigest()[:24] for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if missing:
            self._known |= dict(zip(missing, self._inner.embed(list(missing.values())), strict=True))
        return np.stack([self._known[key] for key in keys]) if keys else np.zeros((0, 384), np.float32)

    def save(self) -> None:
        """Write what is new."""
        if len(self._known) > self._size:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self._path, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
            self._size = len(self._known)
