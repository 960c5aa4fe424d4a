"""The root stands for exactly these heads, whatever their number; taken one by one it is the same tree."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quell.core.errors import Broken
from quell.core.event import START_HASH, canonical
from quell.core.merkle import BUCKETS, Head, Merkle, bucket_of, merkle_root

heads = st.dictionaries(
    st.text(max_size=8), st.tuples(st.integers(1, 99), st.binary(min_size=32, max_size=32)), max_size=40
).map(lambda found: [(stream, seq, digest) for stream, (seq, digest) in found.items()])


def leaf(stream: str, seq: int, digest: bytes) -> bytes:
    """The hash of one head."""
    return hashlib.sha256(b"\0" + canonical([stream, seq]).encode() + digest).digest()


def row_by_row(leaves: list[bytes]) -> bytes:
    """The same tree as a textbook draws it: one row after the other."""
    while len(leaves) > 1:
        leaves += leaves[-1:] if len(leaves) % 2 else []
        leaves = [
            hashlib.sha256(b"\1" + left + right).digest() for left, right in zip(leaves[::2], leaves[1::2], strict=True)
        ]
    return leaves[0] if leaves else START_HASH


@given(heads)
def test_leaf_by_leaf_gives_the_textbooks_tree(found: list[Head]) -> None:
    tree = Merkle()
    for head in sorted(found):
        tree.add(*head)
    assert tree.root() == row_by_row([leaf(*head) for head in sorted(found)])
    assert tree.leaves == len(found)


@given(heads)
def test_the_root_is_a_tree_over_the_trees_of_the_buckets(found: list[Head]) -> None:
    buckets: dict[int, list[Head]] = {}
    for head in sorted(found):
        number = int(hashlib.sha256(head[0].encode()).hexdigest()[:3], 16)
        assert number == bucket_of(head[0]) < BUCKETS
        buckets.setdefault(number, []).append(head)
    roots = {number: row_by_row([leaf(*head) for head in members]) for number, members in buckets.items()}
    above = [leaf(f"bucket:{number:04}", len(buckets[number]), roots[number]) for number in sorted(buckets)]
    assert merkle_root(found) == merkle_root(reversed(found)) == row_by_row(above)


@given(heads.filter(bool), st.data())
def test_any_other_heads_have_another_root(found: list[Head], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(found) - 1))
    stream, seq, digest = found[index]
    rest = found[:index] + found[index + 1 :]
    others = [
        rest,
        [*rest, (stream, seq + 1, digest)],
        [*rest, (stream, seq, bytes([digest[0] ^ 1]) + digest[1:])],
        [*rest, (stream + "x" * 9, seq, digest)],
        [*found, ("y" * 9, 1, digest)],
    ]
    assert merkle_root(found) not in [merkle_root(each) for each in others]


def test_heads_out_of_order_or_twice_are_our_own_bug() -> None:
    tree = Merkle()
    tree.add("report:2", 1, START_HASH)
    for name in ("report:2", "report:10"):
        with pytest.raises(Broken):
            tree.add(name, 1, START_HASH)
    assert tree.leaves == 1
