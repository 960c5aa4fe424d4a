"""Frozen dataclasses to plain JSON values and back, strictly by their annotations; nothing is coerced."""

import dataclasses
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from quell.wire.canonical import Json
from quell.wire.errors import Malformed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Thing = TypeVar("Thing", bound=DataclassInstance)
else:
    Thing = TypeVar("Thing")

ITEMS_MAX = 10_000  # In one list; bodies are bounded in bytes besides.


def to_json(thing: object) -> Json:
    """A dataclass as a mapping of its fields, a tuple as a list; a class constant `kind` is written along."""
    if thing is None or isinstance(thing, bool | int | str):
        return thing
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        written: dict[str, Json] = {each.name: to_json(getattr(thing, each.name)) for each in dataclasses.fields(thing)}
        kind = getattr(type(thing), "kind", None)
        return {"kind": kind, **written} if isinstance(kind, str) else written
    if isinstance(thing, Mapping):
        return {str(key): to_json(value) for key, value in thing.items()}
    if isinstance(thing, Sequence):
        return [to_json(value) for value in thing]
    raise Malformed("$", f"{type(thing).__name__} cannot be written")


def from_json(cls: type[Thing], value: Json, place: str = "$", strict: bool = True) -> Thing:
    """Build the dataclass from a mapping; raises Malformed naming the field.

    `strict` refuses unknown keys, which is right for whatever is signed and obeyed; without it they are left out.
    """
    if not isinstance(value, Mapping):
        raise Malformed(place, "must be an object")
    fields = {each.name: each for each in dataclasses.fields(cls)}
    kind = getattr(cls, "kind", None)
    if isinstance(kind, str) and value.get("kind") != kind:
        raise Malformed(f"{place}.kind", f"must be {kind!r}")
    unknown = sorted(set(value) - set(fields) - ({"kind"} if isinstance(kind, str) else set()))
    if unknown and strict:
        raise Malformed(f"{place}.{unknown[0]}", "is not known here")
    taken: dict[str, object] = {}
    for name, each in fields.items():
        if name in value:
            taken[name] = _read(_hints(cls)[name], value[name], f"{place}.{name}", strict)
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise Malformed(f"{place}.{name}", "is missing")
    return cls(**taken)


@cache
def _hints(cls: type) -> dict[str, object]:
    return get_type_hints(cls)


def _read(hint: object, value: Json, place: str, strict: bool) -> object:
    if hint is Json or hint is object:
        return value
    origin = get_origin(hint)
    if origin is types.UnionType or origin is Union:
        return _read_union(get_args(hint), value, place, strict)
    if origin is Literal:
        if value not in get_args(hint) or isinstance(value, bool):
            raise Malformed(place, f"must be one of {', '.join(map(str, get_args(hint)))}")
        return value
    if origin is tuple:
        return _read_tuple(get_args(hint), value, place, strict)
    if origin is Mapping:
        return _read_mapping(get_args(hint)[1], value, place, strict)
    if hint in (str, int, bool):
        if type(value) is not hint:
            raise Malformed(place, f"must be {_NAMES[hint]}")
        return value
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value, place, strict)
    raise Malformed(place, f"has a shape that cannot be read: {hint!r}")


_NAMES: Mapping[object, str] = {str: "text", int: "a whole number", bool: "true or false"}


def _read_union(options: tuple[object, ...], value: Json, place: str, strict: bool) -> object:
    if value is None:
        if type(None) in options:
            return None
        raise Malformed(place, "must not be null")
    kinds = {getattr(each, "kind", None): each for each in options if dataclasses.is_dataclass(each)}
    if kinds:
        kind = value.get("kind") if isinstance(value, Mapping) else None
        if not isinstance(kind, str) or kind not in kinds:
            raise Malformed(f"{place}.kind", "is not in the catalogue")
        return _read(kinds[kind], value, place, strict)
    for each in options:
        if each is not type(None) and (type(value) is each or each not in (str, int, bool)):
            return _read(each, value, place, strict)
    raise Malformed(place, "is of a kind that does not stand here")


def _read_tuple(inner: tuple[object, ...], value: Json, place: str, strict: bool) -> tuple[object, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Malformed(place, "must be a list")
    if len(value) > ITEMS_MAX:
        raise Malformed(place, f"has more than {ITEMS_MAX} items")
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_read(inner[0], each, f"{place}[{index}]", strict) for index, each in enumerate(value))
    if len(inner) != len(value):
        raise Malformed(place, f"must have {len(inner)} items")
    return tuple(_read(each, value[index], f"{place}[{index}]", strict) for index, each in enumerate(inner))


def _read_mapping(inner: object, value: Json, place: str, strict: bool) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise Malformed(place, "must be an object")
    if len(value) > ITEMS_MAX:
        raise Malformed(place, f"has more than {ITEMS_MAX} keys")
    return {key: _read(inner, each, f"{place}.{key}", strict) for key, each in value.items()}
