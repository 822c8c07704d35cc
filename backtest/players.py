"""Who plays in a backtest: a saved agent, if there is one, then the strategies."""

from pathlib import Path
from typing import Any, TypedDict

from backtest.config import BacktestConfig
from lobjax.env import Environment, make
from lobjax.errors import InputError
from lobjax.evaluation import Player
from lobjax.policy import load_policy
from lobjax.reading import exists
from lobjax.schema import read_shape
from lobjax.strategies import strategies

AGENT_NAME = "agent"


def players(config: BacktestConfig, env: Environment, policy: Path | None) -> dict[str, Player]:
    """The agent first. InputError for an agent that does not fit the environment, an unknown strategy, or nobody at all."""
    found: dict[str, Player] = {}
    if policy is not None:
        agent = load_policy(policy)
        agent.check(env)
        found[AGENT_NAME] = agent
    profile = make(config.profile_env) if config.profile_env else None
    found |= strategies(env, env.default_params, config.strategies, profile, config.models)
    if not found:
        raise InputError("nobody to play: give --policy, or name strategies")
    return found


def trained_env(policy: Path | None) -> Any:
    """The environment section of the run that left an agent, or None where its folder does not say."""
    if policy is None or not exists(policy / "run.json"):
        return None
    return read_shape(_Trained, policy / "run.json", advice="give a CONFIG")["config"]["env"]


class _Config(TypedDict):
    env: dict[str, Any]


class _Trained(TypedDict):
    """run.json of a training run, as far as a backtest needs it."""

    config: _Config
