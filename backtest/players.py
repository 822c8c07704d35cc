"""Who plays in a backtest: a saved agent, if there is one, then the strategies."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

from backtest.config import BacktestConfig
from lobjax import plugins
from lobjax.env import Environment
from lobjax.errors import InputError
from lobjax.players import Player
from lobjax.policy import load_policy
from lobjax.reading import exists
from lobjax.schema import read_shape
from lobjax.tasks import make, strategies

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


def trained_config(policy: Path | None, *, needed: bool = True) -> dict[str, Any] | None:
    """Environment and plugins of the run that left an agent; None without an agent, or where its folder does not say.

    InputError where its run.json is damaged, if it is `needed`: without it there is no configuration.
    """
    if policy is None or not exists(policy / "run.json"):
        return None
    try:
        found = read_shape(_Trained, policy / "run.json", advice="give a CONFIG")["config"]
    except InputError:
        if needed:
            raise
        return None
    return {"env": found["env"], plugins.KEY: found.get("plugins", [])}


class _Config(TypedDict):
    env: dict[str, Any]
    plugins: NotRequired[list[str]]


class _Trained(TypedDict):
    """run.json of a training run, as far as a backtest needs it."""

    config: _Config
