"""The space that a sweep searches: for each dotted key of the training configuration, values or a range.

algorithm.learning_rate: {log_uniform: [1e-4, 1e-2]}
algorithm.epochs: {integers: [1, 8]}
net.hidden: [[64, 64], [128, 128]]
"""

import itertools
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from lobjax import ranges
from lobjax.errors import InputError, nearest
from lobjax.learn.sweep.batching import WITHOUT_EFFECT

MOST_POINTS = 10**6  # of a grid, and values of a key
RANGES = ("uniform", "log_uniform", "integers", "log_integers")


class Values(NamedTuple):
    """One of a few values, in no order."""

    values: tuple[Any, ...]

    @property
    def numeric(self) -> bool:
        """Whether a table can hold the values as numbers."""
        return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in self.values)


class Range(NamedTuple):
    """A number between two, both included; drawn by its logarithm if `log`."""

    low: float
    high: float
    log: bool
    whole: bool


Dimension = Values | Range
Space = dict[str, Dimension]
Point = dict[str, Any]  # a value for each key


def parse(space: Any) -> Space:
    """The space that a configuration writes down; InputError that names the key of what is wrong."""
    if not isinstance(space, dict) or not space:
        raise InputError("config.space: expected a mapping of dotted keys to values or ranges, with at least one key")
    return {str(key): _dimension(str(key), written) for key, written in space.items()}


def label(value: Any) -> str:
    """A value in one line of text."""
    return json.dumps(value)


def shown(dimension: Dimension, value: Any) -> float | str:
    """A value as a table holds it: a number, or its text."""
    if isinstance(dimension, Range) or dimension.numeric:
        return float(value)
    return label(value)


def grid(space: Space) -> list[Point]:
    """Every combination, the last key turning fastest. InputError where a range leaves no end of them."""
    for key, dimension in space.items():
        if isinstance(dimension, Range):
            raise InputError(f"config.space.{key}: a grid needs values, as [1, 2, 3]; or set method to random or tpe")
    values = [dimension.values for dimension in space.values() if isinstance(dimension, Values)]
    if (count := math.prod(map(len, values))) > MOST_POINTS:
        raise InputError(f"config.space: a grid of {count:,} points; {MOST_POINTS:,} are the most, leave some out")
    return [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*values)]


def corners(space: Space, most: int = 4096) -> list[Point]:
    """Points to validate before a search: all combinations of values, with every range at its low end and at its high one.

    Beyond `most` combinations, each value once beside the others' first.
    """
    ends = [{key: dimension[end] for key, dimension in space.items() if isinstance(dimension, Range)} for end in (0, 1)]
    ends = [{key: int(x) if space[key].whole else x for key, x in end.items()} for end in ends]  # pyright: ignore[reportAttributeAccessIssue]
    chosen = {key: dimension.values for key, dimension in space.items() if isinstance(dimension, Values)}
    count = 1
    for values in chosen.values():
        count *= len(values)
    if count <= most:
        sets = [dict(zip(chosen, point, strict=True)) for point in itertools.product(*chosen.values())]
    else:
        first = {key: values[0] for key, values in chosen.items()}
        sets = [first | {key: value} for key, values in chosen.items() for value in values]
    return [point | end for point in sets for end in (ends if ends[0] else ends[:1])]


def assignments(point: Mapping[str, Any]) -> list[str]:
    """A point as `key.path=value` assignments (JSON is YAML)."""
    return [f"{key}={label(value)}" for key, value in point.items()]


def _dimension(key: str, written: Any) -> Dimension:
    where = f"config.space.{key}"
    if key.split(".")[0] in WITHOUT_EFFECT:
        hint = "; `seeds` sets how many there are" if key == "seed" else ""
        raise InputError(f"{where}: has no effect on what a sweep compares{hint}; remove it")
    if isinstance(written, list):
        if len(written) > MOST_POINTS:
            raise InputError(f"{where}: {len(written):,} values; {MOST_POINTS:,} are the most")
        if not written or len({label(value) for value in written}) < len(written):
            raise InputError(f"{where}: needs at least one value, and no value twice")
        return Values(tuple(written))
    if isinstance(written, dict) and len(written) == 1:
        kind, bounds = next(iter(written.items()))
        if kind not in RANGES:
            raise InputError(f"{where}: '{kind}' is not known; {nearest(str(kind), RANGES)}")
        return _range(where, kind, bounds)
    raise InputError(f"{where}: expected a list of values or one of {', '.join(RANGES)}, as {{uniform: [0, 1]}}")


def _range(where: str, kind: str, bounds: Any) -> Range:
    whole, log = kind.endswith("integers"), kind.startswith("log")
    try:
        low, high = (float(bound) for bound in bounds)  # YAML 1.1 reads 1e-4 as a string
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: {kind} needs two numbers, found {ranges.shown(bounds)}") from None
    if not -1e300 < low < high < 1e300 or (log and low <= 0):
        raise InputError(
            f"{where}: {kind} {ranges.shown(bounds)} is no range; the first must be less{', both above 0' * log}"
        )
    if whole and (low % 1 or high % 1):
        raise InputError(f"{where}: {kind} {ranges.shown(bounds)}: both ends must be whole numbers")
    return Range(low, high, log, whole)
