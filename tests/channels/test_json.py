"""A JSON body is read within its limits, and says clearly why not."""

import json

import pytest

from quell.channels._json import JSON_BYTES_MAX, JSON_DEPTH_MAX, moment, read_json
from quell.core.errors import Refused


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b'{"a": NaN}', 400, "not_json"),
        (b"\xff\xfe\x00", 400, "not_json"),
        (b"1" * 5000, 400, "not_json"),
        (b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1), 400, "too_deep"),
        (b"[" * 500_000, 400, "too_deep"),
        (b'{"a":' * 100_000, 400, "too_deep"),
        (b'"' + b"a" * JSON_BYTES_MAX + b'"', 413, "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(body: bytes, status: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_json(body)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_what_is_just_within_the_limits_is_read() -> None:
    deep = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    assert read_json(deep) == json.loads(deep)
    assert read_json(b'"' + b"a" * (JSON_BYTES_MAX - 2) + b'"')


def test_times_of_real_senders_are_read() -> None:
    assert moment("2026-11-23T07:08:20.119Z") is not None
    assert moment("2026-11-23T07:08:20.1234567Z") is not None
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("yesterday") is None
