"""Hostile numbers in configurations: refused in one line, or they make an environment and a run whose numbers are numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lobjax.config import build, to_dict
from lobjax.errors import InputError
from lobjax.flow import PoissonConfig
from lobjax.learn.config import config_from
from lobjax.learn.tasks import MARKET
from lobjax.policy import make_head
from lobjax.snapshot import Snapshots, write_npz
from lobjax.tasks import EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, RecordedConfig, SnapshotConfig, make
from tests.hostile import FIELDS, HOSTILE, hints, numbers_of


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


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Path:
    """A made-up day of 300 snapshots a second apart."""
    path = tmp_path_factory.mktemp("day") / "day.npz"
    bids = np.stack([np.arange(1000, 997, -1), np.full(3, 50)], axis=1)
    asks = np.stack([np.arange(1001, 1004), np.full(3, 50)], axis=1)
    bids, asks = (np.broadcast_to(side, (300, 3, 2)).astype(np.int32) for side in (bids, asks))
    write_npz(path, Snapshots(bids, asks, 36_000 * 10**9 + 10**9 * np.arange(300, dtype=np.int64)))
    return path


def test_ends_of_ranges_make_environments_of_snapshots(snapshots):
    plain = {
        "task": {"kind": "snapshot", "decisions": 20, "reward": "hindsight"},
        "flow": {"kind": "recorded", "path": str(snapshots)},
        "market": {"levels": 3},
    }
    made = 0
    for part, cls in (("task", SnapshotConfig), ("flow", RecordedConfig)):
        for name, hint in hints(cls).items():
            for _, limit in numbers_of(hint):
                for end in (limit.low, limit.high):
                    try:
                        env = make(build(EnvConfig, {**plain, part: {**plain[part], name: end}}))
                    except InputError as error:
                        assert "out of range" not in str(error) and "\n" not in str(error)
                        continue
                    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(env.default_params))
                    made += 1
    assert made >= 15


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
