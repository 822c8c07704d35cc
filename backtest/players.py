"""Who plays in a backtest: a saved agent, if there is one, then the strategies; and the memory that they take."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

from backtest.config import BacktestConfig
from lobjax import plugins
from lobjax.env import Environment
from lobjax.env.memory import state_bytes
from lobjax.errors import InputError
from lobjax.evaluation import Episodes
from lobjax.memory import Estimate, Part
from lobjax.players import Player
from lobjax.policy import LoadedPolicy, load_policy
from lobjax.reading import exists
from lobjax.results.memory import comparing
from lobjax.schema import read_shape
from lobjax.tasks import TASKS, make, strategies

AGENT_NAME = "agent"
_STATES = 3  # of the market at each moment of the episode in detail: as they come, joined, and in NumPy


def agent_for(env: Environment, policy: Path | None) -> LoadedPolicy | None:
    """The saved agent, None without one. InputError where it does not fit the environment."""
    if policy is None:
        return None
    agent = load_policy(policy)
    agent.check(env)
    return agent


def players(config: BacktestConfig, env: Environment, agent: LoadedPolicy | None) -> dict[str, Player]:
    """The agent first. InputError for an unknown strategy, or nobody at all. Strategies may play to measure the market."""
    found: dict[str, Player] = {} if agent is None else {AGENT_NAME: agent}
    profile = make(config.profile_env) if config.profile_env else None
    found |= strategies(env, env.default_params, config.strategies, profile, config.models)
    if not found:
        raise InputError("nobody to play: give --policy, or name strategies")
    return found


def memory(config: BacktestConfig, env: Environment, agent: LoadedPolicy | None, episodes: Episodes) -> Estimate:
    """About how much memory they take, before any of them is made."""
    spec = TASKS[env.name]
    own = spec.strategies
    names = own.names if config.strategies is None else config.strategies
    count = own.count(env.default_params, names) + (agent is not None)
    measures = any(name in own.profiled + own.models for name in names)
    fewer = "choose fewer hours in env.flow" if episodes.starts else "lower episodes"
    found = comparing(env, episodes, count, agent, fewer=fewer, measures=measures)
    if not spec.traced:
        return found
    moments = env.decisions * config.samples_per_decision
    detail = Part(
        _STATES * moments * state_bytes(env, env.default_params), "lower samples_per_decision or env.task.decisions"
    )
    return Estimate(found.parts | {"the episode in detail": detail})


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
