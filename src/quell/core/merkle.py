"""One hash over the ends of all chains: a tree that takes its leaves one by one and holds only its right edge."""

import hashlib
from collections.abc import Iterable

from quell.core.errors import Broken
from quell.core.event import START_HASH, canonical

Head = tuple[str, int, bytes]


class Merkle:
    """Takes heads (stream, seq, hash) in order of the stream's name; memory grows with the logarithm of their number.

    Leaves and nodes are hashed with different first bytes; the last node of an odd row is paired with itself.
    """

    def __init__(self) -> None:
        """Start with no leaf."""
        self.leaves = 0
        self._edge: list[bytes | None] = []
        self._last = ""

    def add(self, stream: str, seq: int, digest: bytes) -> None:
        """Take the next head; Broken when its name is not greater than the one before."""
        if self.leaves and stream <= self._last:
            raise Broken(f"the head of {stream} comes after that of {self._last}")
        self.leaves, self._last = self.leaves + 1, stream
        node = hashlib.sha256(b"\0" + canonical([stream, seq]).encode() + digest).digest()
        for level, left in enumerate(self._edge):
            if left is None:
                self._edge[level] = node
                return
            self._edge[level] = None
            node = _pair(left, node)
        self._edge.append(node)

    def root(self) -> bytes:
        """The hash over all heads taken so far (32 bytes); zeros for none."""
        carry: bytes | None = None
        for level, left in enumerate(self._edge):
            top = level == len(self._edge) - 1
            if carry is None:
                carry = left if left is None or top else _pair(left, left)
            else:
                carry = _pair(carry if left is None else left, carry)
        return carry or START_HASH


def merkle_root(heads: Iterable[Head]) -> bytes:
    """The root over heads in any order."""
    tree = Merkle()
    for stream, seq, digest in sorted(heads):
        tree.add(stream, seq, digest)
    return tree.root()


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
