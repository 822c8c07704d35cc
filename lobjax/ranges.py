"""What a number may be: a range stated beside each field of a configuration and each option of a command, and checked in one place.

    n_envs: Annotated[int, Range(1, 1 << 20)] = 512
    hidden: Annotated[tuple[Annotated[int, Range(1, 16_384)], ...], Length(1, 32)] = (128, 128)

`check` is called by a dataclass's `__post_init__`, `lobjax.config.build` checks the same ranges with the key's path in front. A number
beyond its range is refused by what a user would call absurd, which is always inside what int32 and float32 can hold.
"""

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable
from functools import cache, wraps
from numbers import Integral, Real
from typing import Annotated, Any, TypeVar

from lobjax.errors import InputError, nearest
from lobjax.registry import OneOf

_SHOWN = 60  # characters of a value in a message
_LEAST_FLOAT32 = 2.0**-126  # the least normal one: below it, devices may take a number for 0


C = TypeVar("C", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included. `least`: a number that is not 0 must be this large, where smaller ones would round to 0."""

    low: float
    high: float
    least: float = _LEAST_FLOAT32

    def wrong(self, value: float) -> str | None:
        """What is wrong with a number of the right type, in words; None where it lies in the range."""
        if self.low <= value <= self.high and (value == 0 or abs(value) >= self.least or isinstance(value, Integral)):
            return None  # not a number never does
        return f"{shown(value)} is out of range; choose {self}"

    def __str__(self) -> str:
        words = f"{_number(self.low)} to {_number(self.high)}"
        if self.low <= 0 < self.high and self.least > _LEAST_FLOAT32:
            return f"0, or {_number(self.least)} to {_number(self.high)}" if self.low == 0 else words
        return words


@dataclasses.dataclass(frozen=True)
class Length:
    """How many values a tuple may have."""

    low: int
    high: int

    def wrong(self, value: typing.Sized) -> str | None:
        """As `Range.wrong`."""
        if self.low <= len(value) <= self.high:
            return None
        return f"{len(value):,} values; give {self.low:,} to {self.high:,}"


# For numbers that no range is stated of.
INT32, FLOAT32 = Range(-(2**31), 2**31 - 1), Range(-3.4e38, 3.4e38)
Seed = Annotated[int, Range(0, 2**32 - 1)]  # a key's 32 bits


def check(config: Any) -> None:
    """ValueError, in one line, unless every number of a frozen dataclass is of its type and in its range, and every word known.

    Numbers of NumPy become Python's, integers where a float is wanted floats, and lists tuples, as if they had been given so.
    """
    for name, hint in _hints(type(config)).items():
        given = getattr(config, name)
        value = checked(hint, given, f"{type(config).__name__}.{name}")
        if value is not given:
            object.__setattr__(config, name, value)


def checked(hint: Any, value: Any, where: str) -> Any:
    """`value` as the type `hint` wants it, if that is a number, a word, a part or a tuple of them. ValueError names `where`."""
    bare, limit = stated(hint)
    if isinstance(limit, OneOf) and (wrong := limit.wrong(value)):
        raise ValueError(f"{where}: {wrong}")
    if bare is int or bare is float:
        return number(bare, limit, value, where)
    origin, arguments = typing.get_origin(bare), typing.get_args(bare)
    if dataclasses.is_dataclass(bare):
        _check_kind((bare,), value, where)
    if bare is str and not isinstance(value, str):
        raise ValueError(f"{where}: expected text; found {type(value).__name__} {shown(value)}")
    if origin is typing.Literal and not any(type(value) is type(known) and value == known for known in arguments):
        raise ValueError(f"{where}: {shown(value)} is not allowed; {nearest(shown(value), map(str, arguments))}")
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        if value is None and len(inner) < len(arguments):
            return None
        if len(inner) == 1:
            return checked(inner[0], value, where)
        _check_kind(tuple(inner), value, where)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{where}: expected a list of values; found {type(value).__name__} {shown(value)}")
        if limit is not None and (wrong := limit.wrong(value)):
            raise ValueError(f"{where}: {wrong}")
        if len(arguments) == 2 and arguments[1] is ...:
            found = tuple(checked(arguments[0], each, f"{where}[{i}]") for i, each in enumerate(value))
            same = isinstance(value, tuple) and all(new is old for new, old in zip(found, value, strict=True))
            return value if same else found
    return value


def _check_kind(kinds: tuple[Any, ...], value: Any, where: str) -> None:
    if all(map(dataclasses.is_dataclass, kinds)) and not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{where}: expected {wanted}; found {type(value).__name__} {shown(value)}")


def number(kind: type, limit: Any, value: Any, where: str) -> int | float:
    """A number of the type `kind`, in its range `limit` (None: in 32 bits). ValueError names `where`, the value and the range."""
    limit = limit or (INT32 if kind is int else FLOAT32)
    if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f"{where}: expected {wanted}, {limit}; found {type(value).__name__} {shown(value)}")
    if wrong := limit.wrong(value):
        raise ValueError(f"{where}: {wrong}")
    exact: Any = value  # a number of NumPy's, or an integer where a float is wanted
    return exact if type(exact) is kind else kind(exact)


def stated(hint: Any) -> tuple[Any, Any]:
    """A hint without its `Annotated`, and the `Range`, `Length` or `OneOf` in it, or None."""
    if typing.get_origin(hint) is not Annotated:
        return hint, None
    bare, *notes = typing.get_args(hint)
    return bare, next((note for note in notes if isinstance(note, (Range, Length, OneOf))), None)


def ranged(command: C) -> C:
    """A command whose options keep the ranges that their annotations state; InputError names the option, the value and the range."""
    hints, signature = typing.get_type_hints(command, include_extras=True), inspect.signature(command)

    @wraps(command)
    def checks_first(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            try:
                given.arguments[name] = checked(hints.get(name, Any), value, f"--{name.replace('_', '-')}")
            except ValueError as error:
                raise InputError(str(error)) from None
        return command(*given.args, **given.kwargs)

    return typing.cast(C, checks_first)


def option(name: str, value: float, low: float, high: float) -> None:
    """InputError unless a command's option `name`, such as --seed, has a number from `low` to `high`."""
    if wrong := Range(low, high).wrong(value):
        raise InputError(f"{name}: {wrong}")


def whole_number(name: str, text: str, low: int, high: int) -> int:
    """The digits `text`, given as `name`, as a number from `low` to `high`; InputError where they are none."""
    text = text.strip()
    if not text.isascii() or not text.isdecimal():
        raise InputError(f"{name}: '{_cut(text)}' is not a whole number; choose {low:,} to {high:,}")
    if len(text.lstrip("0")) > len(str(high)):
        raise InputError(f"{name}: {_cut(text)} is out of range; choose {low:,} to {high:,}")
    option(name, value := int(text), low, high)
    return value


def shown(value: Any) -> str:
    """A value in a message: short, whatever it is."""
    if isinstance(value, int) and value.bit_length() > 200:  # Python refuses to write the longest ones
        return f"{'-' * (value < 0)}10^{int(value.bit_length() * math.log10(2))}"
    if isinstance(value, (list, tuple, dict, set)):
        return f"of {len(value):,}" if len(value) > 8 else _cut(_flat(value))
    return _cut(repr(value) if isinstance(value, str) else " ".join(str(value).split()))


def _flat(value: Any) -> str:
    """A short container, with the inside of those in it left out."""
    brackets = {list: "[]", tuple: "()"}.get(type(value), "{}")
    items = ", ".join("..." if isinstance(each, (list, tuple, dict, set)) else shown(each) for each in value)
    return f"{brackets[0]}{items}{brackets[1]}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}" if abs(value) < 1e6 else f"{value:g}"


@cache
def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}
