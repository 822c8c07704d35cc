"""Every number of every configuration has a range: hostile ones are refused in one line, and what passes makes an environment."""

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest.__main__ import report as backtest_report
from backtest.__main__ import run as backtest_run
from backtest.config import BacktestConfig
from lobjax.__main__ import build as data_build
from lobjax.__main__ import inspect as data_inspect
from lobjax.config import build, override, to_dict
from lobjax.env import EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, make
from lobjax.errors import InputError
from lobjax.evaluation import Episodes
from lobjax.flow import PoissonConfig
from lobjax.policy import PolicyConfig, make_head
from lobjax.ranges import Length, Range, shown, stated, whole_number
from train.__main__ import commands as train_commands
from train.algorithm import PPOConfig
from train.config import TrainConfig, config_from
from train.sweep.config import SweepConfig
from train.tasks import MARKET

HUGE = 10**400
WHOLE = (-1, 0, 1, 2, 7, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, HUGE, -HUGE, -(2**31) - 1)
BROKEN = (0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, -5e-324, 1e-40, 1e-9, 1e6, 1e38, 1e39, 1e308, -1e308, math.nan, math.inf)
OTHER = (True, False, "7", "1e308", "nan", None, [], {}, [[]], "x" * 10**5, [1] * 10**6, np.float32(0.5), np.int64(3))
HOSTILE = (*WHOLE, *BROKEN, *OTHER)
ROOTS = (EnvConfig, TrainConfig, BacktestConfig, SweepConfig, PolicyConfig, Episodes)
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
    hint, _ = stated(hint)
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


def paths(config: Any, at: tuple = ()) -> list[tuple]:
    """Places of all numbers, and of tuples of them, in plain mappings."""
    if isinstance(config, dict):
        return [path for key, value in config.items() for path in paths(value, (*at, key))]
    if isinstance(config, list):
        return [at, *(path for i, value in enumerate(config[:2]) for path in paths(value, (*at, i)))]
    return [at] if isinstance(config, (int, float)) and not isinstance(config, bool) else []


def replaced(config: Any, path: tuple, value: Any) -> Any:
    if not path:
        return value
    if isinstance(config, list):
        return [replaced(each, path[1:], value) if i == path[0] else each for i, each in enumerate(config)]
    if isinstance(config, dict) and path[0] in config:
        return {**config, path[0]: replaced(config[path[0]], path[1:], value)}
    return config  # replaced before


TASKS = (
    {"kind": "execution"},
    {"kind": "execution", "observation": "paper", "step_s": 15.0},
    {"kind": "market_making"},
)
FLOWS = (
    {"kind": "poisson"},
    {"kind": "poisson", "tactical": {}, "strategic": {}},
    {"kind": "mixed", "flows": [{"tactical": {}}, {"strategic": {}}]},
)
SECTIONS = [to_dict(build(EnvConfig, {"task": task, "flow": flow})) for task in TASKS for flow in FLOWS]
# Beside values that nobody means: the ends of what a number may be, and numbers of every size.
VALUES = st.one_of(
    st.sampled_from([value for value in HOSTILE if value is None or not isinstance(value, (np.generic,))]),
    st.integers(-10, 2000),
    st.integers(0, 1 << 70),
    st.floats(),
    st.floats(0.0, 100.0),
    st.lists(st.one_of(st.integers(-5, 50), st.floats(0, 20)), max_size=70),
)
LIMITS = [
    end
    for cls, name in FIELDS
    for kind, limit in numbers_of(hints(cls)[name])
    if kind is not tuple
    for end in (limit.low, limit.high)
]


@given(data=st.data())
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_an_environment_is_made_from(data):
    """Hostile numbers in one to three places: refused in one line, or an environment whose numbers are numbers."""
    section = data.draw(st.sampled_from(SECTIONS))
    for path in data.draw(st.lists(st.sampled_from(paths(section)), min_size=1, max_size=3)):
        section = replaced(section, path, data.draw(VALUES | st.sampled_from(LIMITS)))
    try:
        env = make(build(EnvConfig, section))
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 500
        return
    for leaf in jax.tree.leaves(env.default_params):
        assert leaf.dtype in (jnp.int32, jnp.uint32, jnp.float32)
        assert np.isfinite(np.asarray(leaf)).all()
    assert int(env.default_params.task.decisions) == env.decisions


def ends() -> Iterator[Any]:
    """Sections of an environment with one field at an end of its range."""
    parts = {"task": (ExecutionConfig, MakingConfig), "flow": (PoissonConfig,), "market": (MarketConfig,)}
    for part, classes in parts.items():
        for cls in classes:
            kind = {} if part == "market" else {"kind": hints(cls)["kind"].__args__[0]}
            for name, hint in hints(cls).items():
                for wanted, limit in numbers_of(hint):
                    for end in (limit.low, limit.high) if wanted is not tuple else ():
                        default = getattr(cls(), name)
                        value = [end] * len(default) if isinstance(default, tuple) else end
                        yield pytest.param({part: {**kind, name: value}}, id=f"{cls.__name__}.{name}={end:g}")


@pytest.mark.parametrize("section", list(ends()))
def test_ends_of_ranges_make_environments(section):
    """Or are refused for what they are beside other numbers."""
    try:
        env = make(build(EnvConfig, section))
    except InputError as error:
        assert "out of range" not in str(error)
        return
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(env.default_params))


RUNS = [
    to_dict(config_from({"env": {}, **given}, MARKET.env_config))
    for given in (
        {"net": {"kind": "mlp"}, "head": {"kind": "logistic_normal"}, "algorithm": {"optimiser": {"kind": "adamw"}}},
        {"net": {"kind": "gru"}, "head": {"kind": "dirichlet", "initial_concentrations": [1, 2, 1, 1, 1, 1, 1]}},
        {"net": {"kind": "transformer"}, "head": {"kind": "softmax_normal", "initial_mean": [0] * 7}},
        {"algorithm": {"kind": "actor_critic", "optimiser": {"kind": "sgd", "momentum": 0.5}}, "n_envs": 7},
        {"algorithm": {"value_clip": 1.0, "target_kl": 0.1}, "keep": 3, "keep_best": {}},
    )
]
RUN_PATHS = [[path for path in paths(run) if path[0] != "env"] for run in RUNS]


@given(data=st.data())
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_run_is_made_from(data):
    """As above, of everything that a training configuration has beside its environment."""
    number = data.draw(st.sampled_from(range(len(RUNS))))
    run = RUNS[number]
    for path in data.draw(st.lists(st.sampled_from(RUN_PATHS[number]), min_size=1, max_size=2)):
        run = replaced(run, path, data.draw(VALUES | st.sampled_from(LIMITS)))
    try:
        config = config_from(run, MARKET.env_config)
        head = make_head(SIMPLEX, config.head)
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 500
        return
    assert np.isfinite(np.asarray(head.bias, np.float32)).all()
    for leaf in jax.tree.leaves(head.init()):
        assert np.isfinite(np.asarray(leaf)).all()
    assert 0 < np.float32(config.algorithm.learning_rate) < np.inf
    assert config.n_updates >= 1


SIMPLEX = make(EnvConfig()).action_space


def commands() -> list[Any]:
    """Every function that a command line calls."""
    from bench.__main__ import COMMANDS

    names = [name.replace("-", "_") for name in COMMANDS]
    benches = [getattr(import_module(f"bench.commands.{name}"), name) for name in names]
    return [*benches, *train_commands().values(), data_build, data_inspect, backtest_run, backtest_report]


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
