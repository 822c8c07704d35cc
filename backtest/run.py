"""A backtest from its configuration to its folder."""

from pathlib import Path
from typing import Any

import numpy as np

from backtest import folder
from backtest.config import EPISODES, BacktestConfig
from backtest.players import agent_for, memory, players
from backtest.progress import playing
from backtest.report import write_report
from lobjax import locks
from lobjax.cli import note
from lobjax.config import to_dict
from lobjax.env import Environment
from lobjax.evaluation import Episodes
from lobjax.files import whole_folder
from lobjax.players import Player
from lobjax.results import Comparison, compare, save
from lobjax.results.report.traces import write_trace
from lobjax.results.stamp import data_sources, stamp
from lobjax.tasks import TASKS, make
from lobjax.trace import Trace, trace_episode


def run(config: BacktestConfig, policy: Path | None, out: Path, command: str) -> Comparison:
    """Play, compare, and leave the folder `out`; InputError before anything is compiled or written."""
    folder.check_free(out)
    with locks.held(out):
        return _run(config, policy, out, command)


def _run(config: BacktestConfig, policy: Path | None, out: Path, command: str) -> Comparison:
    folder.check_free(out)
    env = make(config.env)
    agent = agent_for(env, policy)
    spec = TASKS[env.name]
    report = spec.report(spec.words)
    prepared = report.prepare(policy)
    episodes = _episodes(config, env)
    needed = memory(config, env, agent, episodes)
    needed.check("this backtest")
    by_name = players(config, env, agent)
    note(needed.describe())
    note(f"market engine: {env.engine.engine} ({env.engine.reason})")
    with playing(list(by_name), episodes.count) as progress:
        comparison = compare(env, env.default_params, by_name, episodes, progress)
    index = typical(comparison)
    trace = None
    if spec.traced:
        note("one episode in detail")
        trace = _trace(config, env, by_name[comparison.first], episodes, index)
    with whole_folder(out) as temporary:
        folder.write_run(temporary, _about(config, env, policy, command, index))
        save(comparison, temporary)
        if trace is not None:
            write_trace(temporary, trace)
        report.leave(temporary, comparison, prepared)
        write_report(temporary)
    return comparison


def typical(comparison: Comparison) -> int:
    """The episode in which the first player came nearest to its median."""
    values = np.asarray(comparison.figures[comparison.first][comparison.headline.name], np.float64)
    return int(np.argmin(np.abs(values - np.median(values))))


def _episodes(config: BacktestConfig, env: Environment) -> Episodes:
    if env.starts:
        return Episodes(count=env.starts, seed=config.seed, starts=True, batch=config.batch)
    return Episodes(count=config.episodes or EPISODES, seed=config.seed, batch=config.batch)


def _trace(config: BacktestConfig, env: Environment, player: Player, episodes: Episodes, index: int) -> Trace:
    return trace_episode(env, env.default_params, player, episodes, index, config.samples_per_decision)[1]


def _about(config: BacktestConfig, env: Environment, policy: Path | None, command: str, index: int) -> dict[str, Any]:
    flows = [config.env.flow, *([config.profile] if config.profile_env else [])]
    return {
        "task": env.name,
        "command": command,
        "seed": config.seed,
        "policy": str(policy) if policy else None,
        "backtest": to_dict(config),
        "engine": env.engine.engine,
        **stamp(),
        "data": data_sources(*flows),
        "detail": {"episode": index, "same_as_table": env.starts > 0 or config.samples_per_decision == 1},
    }
