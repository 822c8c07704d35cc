"""The last phase of a run: the trained agent against the strategies of its task, over the same episodes."""

from typing import Any

from lobjax.env import Environment
from lobjax.evaluation import Episodes
from lobjax.learn.config import TrainConfig
from lobjax.learn.progress import is_quiet, phase
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.tasks import Tasks
from lobjax.memory import Estimate
from lobjax.policy import LoadedPolicy, load_policy
from lobjax.results import Comparison, compare, save, save_figures, show
from lobjax.results.memory import Acting, comparing
from lobjax.tasks import TASKS, strategies


def held_out(config: TrainConfig, tasks: Tasks) -> Any:
    """The environment that the evaluation plays in: as trained, or with other flow where the configuration names one."""
    return tasks.make(tasks.with_flow(config.env, config.evaluation.flow) if config.evaluation.flow else config.env)


def agent_of(folder: RunFolder, config: TrainConfig) -> LoadedPolicy:
    """The agent that the run left, acting as its evaluation wants it to."""
    return load_policy(folder.path, deterministic=config.evaluation.actions == "mode")


def estimate(config: TrainConfig, env: Any, tasks: Tasks, agent: Acting) -> Estimate | None:
    """About how much memory the evaluation of a run in `env` takes, with an agent of these sizes; None where there is none.

    InputError where other flow is named and cannot be made: a missing file is better found now than after training.
    """
    played_env = held_out(config, tasks) if config.evaluation.flow else env
    if not _compares(config, env):
        return None
    own, episodes = TASKS[played_env.name].strategies, _episodes(config, played_env)
    players = 1 + own.count(played_env.default_params, own.names)
    fewer = "choose fewer hours in evaluation.flow" if episodes.starts else "lower evaluation.episodes"
    return comparing(played_env, episodes, players, agent, fewer=fewer, measures=bool(own.profiled))


def evaluate(
    agent: LoadedPolicy, folder: RunFolder | None, config: TrainConfig, env: Any, tasks: Tasks
) -> Comparison | None:
    """Compare, show the table on standard output unless all is quiet, and leave evaluation.json, its tables and figures in the folder.

    None where the task has no strategies to compare with (the probes of the tests).
    """
    if not _compares(config, env):
        return None
    played_env = held_out(config, tasks)
    players = {"agent": agent, **strategies(played_env, played_env.default_params, profile_env=env)}
    episodes = _episodes(config, played_env)
    with phase("evaluate", episodes.count * len(players), unit="episodes") as advance:
        behind: dict[str, int] = {}

        def progress(player: str, done: int) -> None:
            advance(done - behind.get(player, 0), player)
            behind[player] = done

        comparison = compare(played_env, played_env.default_params, players, episodes, progress)
    if folder is not None:
        save(comparison, folder.path)
        save_figures(comparison, folder.path)
    if not is_quiet():
        show(comparison)
    return comparison


def _compares(config: TrainConfig, env: Any) -> bool:
    return isinstance(env, Environment) and config.evaluation.episodes > 0


def _episodes(config: TrainConfig, played_env: Environment) -> Episodes:
    starts = played_env.starts
    return Episodes(count=starts or config.evaluation.episodes, seed=config.evaluation.seed, starts=bool(starts))
