"""Canonical JSON: one value has exactly one spelling in bytes, so that a signature or a hash means one thing only."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from quell.wire.errors import Malformed

Json: TypeAlias = "None | bool | int | str | Sequence[Json] | Mapping[str, Json]"

INTEGER_MAX = 2**53 - 1  # Beyond this, readers in other languages round.
DEPTH_MAX = 32
BYTES_MAX = 1024 * 1024


def canonical_bytes(value: Json) -> bytes:
    """The only spelling of a value: UTF-8, sorted keys, no spaces, whole numbers only; raises Malformed."""
    _check(value, "$", 0)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("$", "text holds half a character") from error


def parse_canonical(body: bytes, bytes_max: int = BYTES_MAX) -> Json:
    """Read bytes that must be the canonical spelling of their value; anything else raises Malformed."""
    value = parse_json(body, bytes_max)
    if canonical_bytes(value) != body:
        raise Malformed("$", "is not in its canonical spelling")
    return value


def parse_json(body: bytes, bytes_max: int = BYTES_MAX) -> Json:
    """Read JSON in any spelling within our bounds: size, depth, no fractions, no key twice; raises Malformed."""
    if len(body) > bytes_max:
        raise Malformed("$", f"is longer than {bytes_max} bytes")
    try:
        value: Json = json.loads(
            body.decode("utf-8"), object_pairs_hook=_once, parse_float=_no_fraction, parse_constant=_no_fraction
        )
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("$", "is not JSON in UTF-8") from error
    _check(value, "$", 0)
    return value


def sha256_hex(body: bytes) -> str:
    """The SHA-256 of bytes in 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def _check(value: Json, place: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Malformed(place, f"is nested deeper than {DEPTH_MAX}")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise Malformed(place, "is too large a number")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Malformed(place, "has a key that is not text")
            _check(inner, f"{place}.{key}", depth + 1)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for index, inner in enumerate(value):
            _check(inner, f"{place}[{index}]", depth + 1)
    else:
        raise Malformed(place, f"is of a kind that has no canonical spelling: {type(value).__name__}")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise Malformed("$", f"is of a kind that has no canonical spelling: {type(value).__name__}")


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("$", "has the same key twice")
    return found


def _no_fraction(text: str) -> Json:
    raise Malformed("$", f"holds {text[:20]!r}; only whole numbers are allowed")
