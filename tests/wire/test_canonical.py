"""Canonical JSON: one value, one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from quell.wire.canonical import DEPTH_MAX, Json, canonical_bytes, parse_canonical, parse_json
from quell.wire.errors import Malformed

PLAIN = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53) + 1, 2**53 - 1) | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_every_plain_value_has_one_spelling(value: Json) -> None:
    """Written, read and written again gives the same bytes."""
    written = canonical_bytes(value)
    assert parse_canonical(written) == value
    assert canonical_bytes(parse_canonical(written)) == written


def test_the_order_of_keys_does_not_matter() -> None:
    """Two mappings that are equal have the same bytes."""
    assert canonical_bytes({"b": 1, "a": "é"}) == canonical_bytes({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", {1: 2}, {"a": object()}, 2**53, "\ud800", {"a": {1.0}}])
def test_what_has_no_single_spelling_is_refused(value: Json) -> None:
    """Fractions, bytes, halves of characters and numbers that others round cannot be signed."""
    with pytest.raises(Malformed):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a":1.0}', b"NaN", b'"\\u00e9"', b"\xff", b"", b"[", b"1 "],
)
def test_another_spelling_is_not_accepted(body: bytes) -> None:
    """A signature is over bytes; a second spelling of them would be a second meaning."""
    with pytest.raises(Malformed):
        parse_canonical(body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * (DEPTH_MAX + 2) + b"]" * (DEPTH_MAX + 2), b'"' + b"x" * 200])
def test_deep_and_long_bodies_are_refused(body: bytes) -> None:
    """Size and depth are bounded before anything is believed."""
    with pytest.raises(Malformed):
        parse_json(body, bytes_max=150 if body[:1] == b'"' else 200_000)
