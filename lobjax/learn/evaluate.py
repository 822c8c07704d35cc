"""The last phase of a run: the trained agent against the strategies of its task, over the same episodes."""

from typing import Any

from lobjax.env import Environment
from lobjax.evaluation import Episodes
from lobjax.learn.config import TrainConfig
from lobjax.learn.progress import is_quiet, phase
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.tasks import Tasks
from lobjax.policy import LoadedPolicy, load_policy
from lobjax.results import Comparison, compare, save, save_figures, show
from lobjax.tasks import strategies


def held_out(config: TrainConfig, tasks: Tasks) -> Any:
    """The environment that the evaluation plays in: as trained, or with other flow where the configuration names one."""
    return tasks.make(tasks.with_flow(config.env, config.evaluation.flow) if config.evaluation.flow else config.env)


def agent_of(folder: RunFolder, config: TrainConfig) -> LoadedPolicy:
    """The agent that the run left, acting as its evaluation wants it to."""
    return load_policy(folder.path, deterministic=config.evaluation.actions == "mode")


def evaluate(
    agent: LoadedPolicy, folder: RunFolder | None, config: TrainConfig, env: Any, tasks: Tasks
) -> Comparison | None:
    """Compare, show the table on standard output unless all is quiet, and leave evaluation.json, its tables and figures in the folder.

    None where the task has no strategies to compare with (the probes of the tests).
    """
    if not isinstance(env, Environment) or config.evaluation.episodes == 0:
        return None
    played_env = held_out(config, tasks)
    players = {"agent": agent, **strategies(played_env, played_env.default_params, profile_env=env)}
    starts = played_env.starts
    episodes = Episodes(count=starts or config.evaluation.episodes, seed=config.evaluation.seed, starts=bool(starts))
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
