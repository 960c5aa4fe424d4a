"""One hash over the ends of all chains: trees of a few chains each, and a tree over those.

The chains are spread over buckets by their names, so that a chain that moved asks for its own bucket's tree only.
"""

import hashlib
from collections.abc import Iterable
from itertools import groupby

from quell.core.errors import Broken
from quell.core.event import START_HASH, canonical

Head = tuple[str, int, bytes]
BUCKETS = 4096


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


def bucket_of(stream: str) -> int:
    """The bucket of a stream: the first twelve bits of its name's SHA-256."""
    return int.from_bytes(hashlib.sha256(stream.encode()).digest()[:2], "big") // (65536 // BUCKETS)


def root_of(buckets: Iterable[tuple[int, int, bytes]]) -> bytes:
    """The root over buckets (number, heads in it, root of its tree) in rising order."""
    tree = Merkle()
    for number, heads, root in buckets:
        tree.add(f"bucket:{number:04}", heads, root)
    return tree.root()


def merkle_root(heads: Iterable[Head]) -> bytes:
    """The root over heads in any order."""
    ordered = sorted((bucket_of(stream), stream, seq, digest) for stream, seq, digest in heads)
    buckets = []
    for number, members in groupby(ordered, key=lambda each: each[0]):
        tree = Merkle()
        for _, stream, seq, digest in members:
            tree.add(stream, seq, digest)
        buckets.append((number, tree.leaves, tree.root()))
    return root_of(buckets)


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
