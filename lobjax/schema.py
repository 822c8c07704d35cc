"""Shapes of JSON from outside: written down as a TypedDict, and checked here, in one way for every reader.

A shape is a TypedDict (keys beyond those it names are left alone), `dict[str, X]`, `list[X]`, a `Literal`, `str`, `bool`, `int` of 64
bits, `float` (any finite number), `None`, `Any`, or a union of those.
"""

import math
import types
import typing
from pathlib import Path
from typing import Any, Literal, TypeVar

from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.reading import MOST_JSON, parse_json, read_text

T = TypeVar("T")
_NAMES = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def read_shape(shape: type[T], path: str | Path, *, most: int = MOST_JSON, what: str = "file", advice: str) -> T:
    """A JSON file of such a shape; InputError as `lobjax.reading.read_text`, and for what is not of that shape, where it stands."""
    return as_shape(shape, parse_json(read_text(path, most=most, what=what, advice=advice), path, advice), path, advice)


def as_shape(shape: type[T], value: Any, where: Any, advice: str) -> T:
    """`value`, which was read from `where`; InputError that names the place in it that is not of the shape."""
    if wrong := _wrong(shape, value, ""):
        raise InputError(f"{where}: {wrong}; {advice}")
    return value


def _wrong(hint: Any, value: Any, at: str) -> str | None:
    """What is wrong with a value, in words; None for nothing. `at`: the keys that lead to it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return None
    if origin in (typing.Union, types.UnionType):
        if value is None and types.NoneType in arguments:
            return None
        found = [_wrong(a, value, at) for a in arguments if a is not types.NoneType]
        return None if None in found else found[0]
    if origin is Literal:
        known = " or ".join(map(repr, arguments))
        same = any(type(value) is type(a) and value == a for a in arguments)
        return None if same else f"{_place(at)} is {_said(value)}, not {known}"
    if typing.is_typeddict(hint):
        return _wrong_object(hint, value, at)
    if origin is dict:
        if not isinstance(value, dict):
            return _not(at, value, dict)
        return _first(_wrong(arguments[1], part, _under(at, key)) for key, part in value.items())
    if origin is list:
        if not isinstance(value, list):
            return _not(at, value, list)
        return _first(_wrong(arguments[0], part, f"{at}[{i}]") for i, part in enumerate(value))
    return None if _is_scalar(hint, value) else _not(at, value, hint)


def _wrong_object(shape: Any, value: Any, at: str) -> str | None:
    if not isinstance(value, dict):
        return _not(at, value, dict)
    if missing := sorted(shape.__required_keys__ - value.keys()):
        return f"{_place(at)} has no key '{missing[0]}'"
    hints = typing.get_type_hints(shape)
    return _first(_wrong(hints[key], part, _under(at, key)) for key, part in value.items() if key in hints)


def _is_scalar(kind: type, value: Any) -> bool:
    if kind is float:
        return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)
    if kind is int:
        return type(value) is int and -(2**63) <= value < 2**63
    return type(value) is kind


def _first(found: typing.Iterable[str | None]) -> str | None:
    return next((wrong for wrong in found if wrong), None)


def _not(at: str, value: Any, kind: type) -> str:
    return f"{_place(at)} is {_said(value)}, not {_NAMES.get(kind, kind.__name__)}"


def _said(value: Any) -> str:
    """A value or, of what is long, its kind."""
    if isinstance(value, (dict, list)):
        return _NAMES[type(value)]
    return printable(repr(value), 60)


def _under(at: str, key: str) -> str:
    return f"{at}.{printable(key, 60)}" if at else printable(key, 60)


def _place(at: str) -> str:
    return f"'{at}'" if at else "it"
