"""Numbers that nobody means, and all places of configurations that hold a number."""

import dataclasses
import math
import types
import typing
from pathlib import Path
from typing import Any

import numpy as np

from backtest.config import BacktestConfig
from lobjax.evaluation import Episodes
from lobjax.flow import PoissonConfig
from lobjax.learn.config import TrainConfig
from lobjax.learn.sweep.config import SweepConfig
from lobjax.policy import PolicyConfig
from lobjax.ranges import stated
from lobjax.registry import OneOf
from lobjax.risk import BreakerConfig, Limits
from lobjax.tasks import EnvConfig

HUGE = 10**400
WHOLE = (-1, 0, 1, 2, 7, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, HUGE, -HUGE, -(2**31) - 1)
BROKEN = (0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, -5e-324, 1e-40, 1e-9, 1e6, 1e38, 1e39, 1e308, -1e308, math.nan, math.inf)
OTHER = (True, False, "7", "1e308", "nan", None, [], {}, [[]], "x" * 10**5, [1] * 10**6, np.float32(0.5), np.int64(3))
HOSTILE = (*WHOLE, *BROKEN, *OTHER)
ROOTS = (EnvConfig, TrainConfig, BacktestConfig, SweepConfig, PolicyConfig, Episodes, BreakerConfig, Limits)
NEEDED: dict[str, dict[str, Any]] = {
    "RecordedConfig": {"path": Path("day")},
    "MixedConfig": {"flows": (PoissonConfig(),)},
    "TrainConfig": {"env": None},
    "SweepConfig": {"space": None, "trials": 8},
    "PolicyConfig": {"task": "a", "actions": "b", "observation_size": 3, "space": None, "net": None},
    "Episodes": {"count": 3, "seed": 0},
}  # what has no default


def dataclasses_in(hint: Any) -> set[type]:
    """All dataclasses that a hint names, and those that their fields name."""
    hint, limit = stated(hint)
    if isinstance(limit, OneOf):
        return set().union(*map(dataclasses_in, limit.kinds.values()))
    if dataclasses.is_dataclass(hint):
        return {typing.cast(type, hint)}.union(*map(dataclasses_in, hints(hint).values()))
    return set().union(*map(dataclasses_in, typing.get_args(hint))) if typing.get_args(hint) else set()


def hints(cls: Any) -> dict[str, Any]:
    found = typing.get_type_hints(cls, include_extras=True)
    return {field.name: found[field.name] for field in dataclasses.fields(cls) if field.init}


def command_hints(command: Any) -> dict[str, Any]:
    return typing.get_type_hints(command, include_extras=True)


CONFIGS = sorted(set().union(*map(dataclasses_in, ROOTS)), key=lambda cls: cls.__name__)


def numbers_of(hint: Any) -> list[tuple[Any, Any]]:
    """(what it holds, what is stated of it) of each number and each tuple of numbers in a hint."""
    bare, limit = stated(hint)
    if bare in (int, float):
        return [(bare, limit)]
    arguments = [argument for argument in typing.get_args(bare) if argument not in (..., type(None))]
    if typing.get_origin(bare) is tuple:
        return [(tuple, limit), *numbers_of(arguments[0])]
    if typing.get_origin(bare) in (typing.Union, types.UnionType):
        return [pair for argument in arguments for pair in numbers_of(argument)]
    return []


FIELDS = [(cls, name) for cls in CONFIGS for name, hint in hints(cls).items() if numbers_of(hint)]
