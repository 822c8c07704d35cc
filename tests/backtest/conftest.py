"""Agents and configurations for backtests, small enough for a test."""

from pathlib import Path

import jax
import pytest
import yaml

from lobjax.config import to_dict
from lobjax.flow import PoissonConfig
from lobjax.nets import MLPConfig, make_net
from lobjax.nets.statistics import unit_statistics
from lobjax.policy import PolicyConfig, make_head, save_policy
from lobjax.tasks import EnvConfig, MarketConfig, make
from tests.env.environments import TASKS


def small(task="execution", levels=5) -> EnvConfig:
    """An environment of the tests as configuration."""
    market = MarketConfig(capacity=64, max_messages=96, levels=levels)
    return EnvConfig(task=TASKS[task], flow=PoissonConfig(warm_up_s=4.0), market=market)


def write_config(folder: Path, env=None, **rest) -> Path:
    """Write a configuration for `python -m backtest run`; returns its path."""
    path = folder / "backtest.yaml"
    path.write_text(
        yaml.safe_dump({"env": _lists(to_dict(env or small())), "episodes": 40, "samples_per_decision": 3, **rest})
    )
    return path


def write_agent(folder: Path, config: EnvConfig) -> Path:
    """Save an untrained agent for an environment; returns its folder."""
    env = make(config)
    head = make_head(env.action_space, None)
    net = make_net(MLPConfig(hidden=(16,)), env.observation_size, head)
    params = {"net": net.init(jax.random.key(0)), "head": head.init()}
    about = PolicyConfig(
        task=env.name,
        actions=env.actions,
        observation_size=env.observation_size,
        space=env.action_space,
        net=MLPConfig(hidden=(16,)),
    )
    save_policy(folder, params, unit_statistics(env.observation_size), about)
    return folder


@pytest.fixture(scope="session")
def agent(tmp_path_factory) -> Path:
    """The folder of an agent for the small execution environment."""
    return write_agent(tmp_path_factory.mktemp("agent"), small())


def _lists(value):
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return list(value) if isinstance(value, (list, tuple)) else value
