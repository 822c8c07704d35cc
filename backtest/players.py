"""Who plays in a backtest: a saved agent, if there is one, then the strategies."""

import json
from pathlib import Path
from typing import Any

from backtest.config import BacktestConfig
from lobjax.env import Environment, make
from lobjax.errors import InputError
from lobjax.evaluation import Player
from lobjax.policy import load_policy
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
    if policy is None or not (policy / "run.json").is_file():
        return None
    try:
        return json.loads((policy / "run.json").read_text(encoding="utf-8"))["config"]["env"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{policy / 'run.json'}: does not say what the agent was trained in; give a CONFIG") from None
