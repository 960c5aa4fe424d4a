"""Reads a JSON body within its limits and looks into it without ever trusting its shape."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from quell.core.errors import Refused

JSON_BYTES_MAX = 1024 * 1024
JSON_DEPTH_MAX = 32

Object = Mapping[str, object]


def read_json(body: bytes, bytes_max: int = JSON_BYTES_MAX) -> object:
    """The parsed body; Refused 413 when it is too large, 400 when it is not JSON or nested too deeply."""
    if len(body) > bytes_max:
        raise Refused(f"The body is larger than {bytes_max} bytes.", 413, "too_large")
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as wrong:
        raise Refused(f"The body is not JSON: {wrong}", 400, "not_json") from None
    if _deeper_than(value, JSON_DEPTH_MAX):
        raise _too_deep()
    return value


def read_object(body: bytes, bytes_max: int = JSON_BYTES_MAX) -> Object:
    """Like `read_json`, and the outermost value must be an object."""
    value = read_json(body, bytes_max)
    if not isinstance(value, dict):
        raise Refused("The body is JSON, but not an object.", 400, "not_an_object")
    return value


def inner(value: object, key: str) -> Object:
    """The object under this key, or an empty one."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def listed(value: object, key: str) -> list[object]:
    """The list under this key, or an empty one."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def text_at(value: object, *keys: str) -> str:
    """The first of these keys that holds text or a number, as text; else the empty text."""
    for key in keys:
        found = value.get(key) if isinstance(value, Mapping) else None
        words = as_text(found)
        if words:
            return words
    return ""


def as_text(value: object) -> str:
    """A text, number or truth value as text; anything else is the empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def flat(pairs: Object) -> dict[str, str]:
    """The pairs of an object whose values can be said as text."""
    return {str(key): as_text(value) for key, value in pairs.items() if as_text(value)}


def moment(words: str) -> datetime | None:
    """An RFC 3339 time; None for nonsense and for the year 1, which means "not yet"."""
    try:
        at = datetime.fromisoformat(words.strip())
    except ValueError:
        return None
    if at.year < 1970:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number")


def _too_deep() -> Refused:
    return Refused(f"The JSON is nested deeper than {JSON_DEPTH_MAX} levels.", 400, "too_deep")


def _deeper_than(value: object, levels: int) -> bool:
    layer: list[object] = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        layer = [each for node in layer for each in _children(node)]
        if not layer:
            return False
    return True


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return [each for each in node.values() if isinstance(each, dict | list)]
    if isinstance(node, list):
        return [each for each in node if isinstance(each, dict | list)]
    return []
