"""Every number of every configuration and of every command has a range, and keeps it; what is refused is refused in one line."""

import inspect
import math
import types
import typing
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.__main__ import report as backtest_report
from backtest.__main__ import run as backtest_run
from lobjax.__main__ import GROUPS
from lobjax.config import build, override
from lobjax.errors import InputError
from lobjax.learn.algorithm import PPOConfig
from lobjax.learn.config import config_from
from lobjax.learn.tasks import MARKET
from lobjax.ranges import Length, Range, shown, stated, whole_number
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig
from tests.hostile import CONFIGS, FIELDS, HOSTILE, HUGE, NEEDED, command_hints, hints, numbers_of
from train.__main__ import commands as train_commands


def test_all_configurations_are_found():
    assert len(CONFIGS) >= 28 and len(FIELDS) >= 130
    assert {cls.__name__ for cls in CONFIGS} >= {"PruneConfig", "ImpactConfig", "StrategicConfig", "AdamWConfig"}


@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_each_number_states_a_range_and_keeps_it(cls, name):
    for kind, limit in numbers_of(hints(cls)[name]):
        assert isinstance(limit, Length if kind is tuple else Range), f"{cls.__name__}.{name} states no range"
    for value in HOSTILE:
        made = attempt(cls, name, value)
        if made is not None:
            assert_inside(hints(cls)[name], getattr(made, name))


def attempt(cls: type, name: str, value: Any) -> Any:
    """The configuration with this value, made in Python; None where it is refused, in one line."""
    try:
        return cls(**{**NEEDED.get(cls.__name__, {}), name: value})
    except ValueError as error:
        assert "\n" not in str(error) and len(str(error)) < 400
        return None


def assert_inside(hint: Any, value: Any) -> None:
    bare, limit = stated(hint)
    if bare in (int, float):
        assert type(value) is bare and limit.low <= value <= limit.high
        assert bare is int or value == 0 or np.float32(abs(value)) >= 2.0**-126
    elif typing.get_origin(bare) is tuple and isinstance(value, (list, tuple)):
        assert isinstance(value, tuple) and limit.low <= len(value) <= limit.high
        for each in value:
            assert_inside(typing.get_args(bare)[0], each)
    elif typing.get_origin(bare) in (typing.Union, types.UnionType) and value is not None:
        assert_inside(typing.get_args(bare)[0], value)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        (
            "env.market.max_messages=4294967295",
            "config.env.market.max_messages: 4294967295 is out of range; choose 1 to",
        ),
        (
            "env.market.max_messages=1073741824",
            "config.env.market.max_messages: 1073741824 is out of range; choose 1 to",
        ),
        ("env.market.queue_places=1000000", "queue_places: 1000000 is out of range; choose 1 to 4,096"),
        ("env.task.price_scale_ticks=5e-324", "price_scale_ticks: 5e-324 is out of range; choose 0.001 to"),
        ("env.task.decisions=100000", "config.env.task: 100,000 decisions of 6 s last longer than a day"),
        ("env.task.lots=9223372036854775808", "lots: 9223372036854775808 is out of range"),
        (f"env.task.lots={HUGE}", "lots: 10^400 is out of range"),
        (f"env.task.lots={'9' * 9999}", "the value is not valid YAML"),
        ("env.task.lots=true", "lots: expected a whole number, 1 to 1,048,575; found bool True"),
        ("env.task.lots='40'", "lots: expected a whole number, 1 to 1,048,575; found str '40'"),
        ("env.task.step_s=-0.0", "step_s: -0.0 is out of range"),
        ("env.task.step_s=2024-13-40", "month must be in 1..12"),
        ("env.task.offsets_ticks=[]", "offsets_ticks: 0 values; give 1 to 64"),
        (f"env.task.offsets_ticks={list(range(3000))}", "offsets_ticks: 3,000 values; give 1 to 64"),
        ("env.task.offsets_ticks=[1, .nan]", "offsets_ticks[1]: expected a whole number"),
        ("env.flow.cancel_per_lot_s=[1e5]", "cancel_per_lot_s[0]: 100000.0 is out of range"),
        ("env.flow.market_per_s=1e-8", "market_per_s: 1e-08 is out of range; choose 0, or 1.90735e-06 to 32"),
        ("algorithm.learning_rate=1e308", "learning_rate: 1e+308 is out of range; choose 1e-09 to 10"),
        ("algorithm.learning_rate=.inf", "learning_rate: inf is out of range"),
        ("algorithm.discount=5e-324", "discount: 5e-324 is out of range"),
        ("bank_size=4294967295", "config.bank_size: 4294967295 is out of range; choose 1 to 4,096"),
        ("seed=4294967296", "config.seed: 4294967296 is out of range; choose 0 to 4,294,967,295"),
        ("rollout_length=65536", "are more than are counted"),
    ],
)
def test_the_line_names_key_value_and_range(assignment, said):
    plain = {
        "env": {"task": {"kind": "execution"}, "flow": {"kind": "poisson"}},
        "n_envs": 1 << 19,
        "total_steps": 10**12,
    }
    with pytest.raises(InputError) as refused:
        config_from(override(plain, [assignment]), MARKET.env_config)
    assert said in str(refused.value) and "\n" not in str(refused.value) and len(str(refused.value)) < 300


def test_delays_reach_the_hour_that_they_may_last():
    """They did not from YAML, where all integers had to fit 32 bits."""
    market = build(EnvConfig, {"market": {"feed_delay_ns": 3600 * 10**9}}).market
    assert market.feed_delay_ns == 3600 * 10**9


def test_numbers_of_numpy_become_python_s():
    config = MarketConfig(capacity=np.int64(64), levels=np.uint8(3))  # pyright: ignore[reportArgumentType]
    assert type(config.capacity) is type(config.levels) is int
    task = ExecutionConfig(step_s=np.float32(0.5), offsets_ticks=[1, np.int32(2)])  # pyright: ignore[reportArgumentType]
    assert task.offsets_ticks == (1, 2) and type(task.step_s) is float and type(task.offsets_ticks[1]) is int
    assert type(PPOConfig(discount=1).discount) is float
    assert math.copysign(1, build(PPOConfig, {"kind": "ppo", "discount": -0.0}).discount) == 1


def test_a_value_is_shown_short():
    assert shown(HUGE) == "10^400" and shown(-HUGE) == "-10^400"
    assert len(shown("x" * 10**6)) == 60 and shown([1] * 10**6) == "of 1,000,000"
    assert shown([[1], {2: 3}]) == "[..., ...]"


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "٣", "9" * 5000, "3000000000"])
def test_whole_numbers_of_an_option(text):
    assert whole_number("--n", " 007 ", 0, 9) == 7
    with pytest.raises(InputError, match=r"^--n: .*choose 0 to 100$"):
        whole_number("--n", text, 0, 100)


def commands() -> list[Any]:
    """Every function that a command line calls."""
    from bench.__main__ import COMMANDS

    names = [name.replace("-", "_") for name in COMMANDS]
    benches = [getattr(import_module(f"bench.commands.{name}"), name) for name in names]
    groups = [c for name in GROUPS for c in import_module(f"lobjax.commands.{name}").COMMANDS.values()]
    return [*benches, *train_commands().values(), *groups, backtest_run, backtest_report]


OPTIONS = [
    (command, name)
    for command in commands()
    for name, hint in command_hints(command).items()
    if any(kind is not tuple for kind, _ in numbers_of(hint))
]


@pytest.mark.parametrize(("command", "name"), OPTIONS, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_each_option_states_a_range_and_keeps_it(command, name):
    for kind, limit in numbers_of(command_hints(command)[name]):
        assert isinstance(limit, Length if kind is tuple else Range), f"{command.__name__}: --{name} states no range"
    needed = {
        each.name: "none" if each.annotation is str else Path("none")
        for each in inspect.signature(command).parameters.values()
        if each.default is each.empty and each.name != name
    }
    positional = [
        needed.pop(each.name)
        for each in inspect.signature(command).parameters.values()
        if each.kind is each.POSITIONAL_ONLY and each.name in needed
    ]
    for value in (-HUGE, HUGE, -1, math.nan, 2**63, True, "3"):
        with pytest.raises(InputError, match=f"^--{name.replace('_', '-')}: ") as refused:
            command(*positional, **needed, **{name: value})
        assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


def test_all_options_are_found():
    assert len(OPTIONS) >= 50
