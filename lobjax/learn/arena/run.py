"""From a configuration to a finished run in an arena, new or resumed. The folder is as `lobjax.learn.runfolder` says, but for:

agents/GROUP/    the trained agents (`lobjax.learn.arena.agents`), instead of one policy.npz
evaluation.json  every learned group against its baseline (`lobjax.learn.arena.comparing`)
figures/GROUP.png
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lobjax.arena import make_arena
from lobjax.config import to_dict
from lobjax.errors import InputError, nearest
from lobjax.learn import checkpoint, figures, loop, runfolder, trackers
from lobjax.learn.arena import comparing
from lobjax.learn.arena.agents import policy_config, save_agent
from lobjax.learn.arena.casting import Cast, make_cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.evaluate import play_fields
from lobjax.learn.arena.program import TASK, ArenaProgram
from lobjax.learn.arena.reading import arena_config_from
from lobjax.learn.backend import ProcessGroup
from lobjax.learn.flax import Flax, check_machine
from lobjax.learn.progress import is_quiet, phase, say
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.runner import on_devices, take_up, writing
from lobjax.learn.sinks import Line
from lobjax.policy import LoadedPolicy

_CURVES = {
    "episode/profit_ticks": "profit of an episode, ticks",
    "episode/return": "return of an episode",
    "value/explained_variance": "explained variance of the value",
    "policy/entropy": "entropy",
    "policy/kl": "divergence in an update",
    "action/idle": "share of decisions that do nothing",
}


class ArenaRun(NamedTuple):
    """A finished run: agents by group, acting as the evaluation had them act. `lines`: metrics of each update, where no folder has them."""

    config: ArenaTrainConfig
    agents: dict[str, LoadedPolicy]
    evaluation: comparing.ArenaEvaluation | None
    folder: Path | None
    lines: list[Line]


class _Named(NamedTuple):
    """What run.json asks of an environment."""

    name: str
    engine: Any


def start(config: ArenaTrainConfig, out: Path | None = None, *, made_by: str | None = None) -> ArenaRun:
    """Train from the beginning into a new folder, or in memory (`out` None); InputError before anything is compiled or written."""
    backend = Flax()
    with backend.opened() as group, writing(out, group):
        if out is None and (name := next((n for n in ("keep", "keep_best", "sinks") if getattr(config, n)), None)):
            raise InputError(f"config.{name}: needs a folder to write into; give `out`, or leave it out")
        cast, program = _prepare(config)
        if out is not None:
            about, named = {"agents": _agents(cast)}, _Named(TASK, cast.arena.engine)
            group.by_the_first(lambda: runfolder.create(out, config, named, about, made_by))
        program.begin()
        return _finish(None if out is None else RunFolder(out), config, cast, program, group)


def resume(
    path: Path, *, checkpoint: Path | None = None, devices: int | None = None, expected: ArenaTrainConfig | None = None
) -> ArenaRun:
    """Go on with a run that was stopped, from its last complete checkpoint or the one named; it ends as if it never had been stopped.

    `devices` replaces the run's number. `expected`: what the run must be of.
    """
    folder, backend = RunFolder(path), Flax()
    about = folder.about()
    where = path / runfolder.RUN
    if about["task"] != TASK:
        raise InputError(f"{where}: no run in an arena; go on with `python -m train resume {path}`")
    folder.check_places()
    with backend.opened() as group, writing(path, group):
        if expected is not None and about["config"] != json.loads(json.dumps(to_dict(expected))):
            raise InputError(f"{path}: a run of another configuration; resume with the one that run.json there names")
        runfolder.check_surroundings(about, where)
        try:
            config = arena_config_from(about["config"])
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        config = on_devices(config, devices)
        cast, program = _prepare(config)
        if (before := about.get("agents")) != (now := _agents(cast)):
            name = next(name for name in now if not isinstance(before, dict) or before.get(name) != now[name])
            raise InputError(
                f"{where}: the saved agent of '{name}' is another one now; put back the one that the run began with"
            )
        take_up(folder, about, TASK, program, group, checkpoint)
        return _finish(folder, config, cast, program, group)


def _prepare(config: ArenaTrainConfig) -> tuple[Cast, ArenaProgram]:
    """InputError for all that can be seen before compiling."""
    check_machine(config.devices, *(learner.net for learner in config.learn))
    trackers.check(config.sinks)
    cast = make_cast(config, make_arena(config.arena))
    program = ArenaProgram(config, cast)
    if config.keep_best is not None and config.keep_best.metric not in (known := program.metric_names()):
        said = nearest(config.keep_best.metric, known)
        raise InputError(f"config.keep_best.metric: no metric '{config.keep_best.metric}'; {said}")
    return cast, program


def _agents(cast: Cast) -> dict[str, str]:
    """Digests of the saved agents that a run depends on, by group."""
    saved: Mapping[str, LoadedPolicy] = {name: agent for name, (_, agent) in cast.saved.items()} | cast.begins
    return {name: checkpoint.digest({"params": a.params, "statistics": a.statistics}) for name, a in saved.items()}


def _finish(
    folder: RunFolder | None, config: ArenaTrainConfig, cast: Cast, program: ArenaProgram, group: ProcessGroup
) -> ArenaRun:
    if group.first():
        for line in program.said:
            say(line)
    lines = loop.train(program, config, folder, group)
    group.leave()
    agents, mode = program.agents(), config.evaluation.actions == "mode"
    loaded = {}
    for name, one in agents.items():
        about = policy_config(cast.learners[name], cast.arena, cast.group(name), config.normalise_observations)
        loaded[name] = LoadedPolicy(about, one.params, one.statistics, mode)
    path = None if folder is None else folder.path
    if not group.first():
        return ArenaRun(config, loaded, None, path, lines)
    if folder is not None:
        with phase("save"):
            for name, one in agents.items():
                save_agent(folder.path, config, cast.arena, cast.group(name), one.params, one.statistics)
                curves = {f"{name}/{metric}": f"{name}: {title}" for metric, title in _CURVES.items()}
                figures.learning_curves(folder, curves, name)
    evaluation = None
    if config.evaluation.episodes:
        evaluation = comparing.compare(config, cast, play_fields(config, cast, agents))
        if folder is not None:
            comparing.save(evaluation, folder.path)
        if not is_quiet():
            comparing.show(evaluation)
    return ArenaRun(config, loaded, evaluation, path, lines)
