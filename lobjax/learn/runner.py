"""From a configuration to a finished run, new or resumed, in whatever framework: with a folder, or in memory alone."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lobjax import locks
from lobjax.config import to_dict
from lobjax.display import printable
from lobjax.errors import InputError, nearest
from lobjax.learn import checkpoint, evaluate, figures, memory, runfolder, trackers
from lobjax.learn.backend import Backend, Learner, ProcessGroup, RunState
from lobjax.learn.config import TrainConfig, config_from
from lobjax.learn.flax import Flax
from lobjax.learn.learner import metric_names
from lobjax.learn.loop import NotFinite, train
from lobjax.learn.progress import phase, quietly, say
from lobjax.learn.run import Run
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.tasks import Tasks
from lobjax.nets.size import describe
from lobjax.policy import LoadedPolicy, PolicyConfig, make_head, save_policy

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["NotFinite", "check", "on_devices", "policy_config", "resume", "start", "take_up", "writing"]
FLAX = Flax()
C = TypeVar("C", bound="DataclassInstance")
_WORTH_SAYING = 1 << 30  # bytes that an evaluation takes


def start(
    config: TrainConfig,
    tasks: Tasks,
    out: Path | None,
    show_phases: bool = False,
    *,
    backend: Backend[Any] = FLAX,
    made_by: str | None = None,
) -> Run:
    """Train from the beginning into a new folder, or in memory (`out` None); InputError before anything is compiled or written.

    `show_phases` times the parts of an update first (`lobjax.learn.phases`), to be shown in the progress. `made_by`: as `runfolder.create`.
    """
    with backend.opened() as group, writing(out, group):
        if out is None:
            _check_without_folder(config)
        env, learner = _prepare(config, tasks, backend, group)
        if out is not None:
            about = backend.about(group)
            group.by_the_first(lambda: runfolder.create(out, config, env, about, made_by))
        learner.begin()
        folder = None if out is None else RunFolder(out)
        return _finish(folder, config, env, learner, tasks, group, show_phases)


def resume(
    path: Path,
    tasks: Tasks,
    named: Path | None = None,
    n_devices: int | None = None,
    show_phases: bool = False,
    *,
    backend: Backend[Any] = FLAX,
    expected: TrainConfig | None = None,
) -> Run:
    """Go on from the last complete checkpoint in the folder, or from one that is named; from the start without any.

    `n_devices` replaces the run's number: a state does not know how many devices it lay on. `expected`: what the run must be of.
    """
    folder = RunFolder(path)
    about = folder.about()
    folder.check_places()
    with backend.opened() as group, writing(path, group):
        if expected is not None and about["config"] != json.loads(json.dumps(to_dict(expected))):
            raise InputError(f"{path}: a run of another configuration; resume with the one that run.json there names")
        backend.check_resumes(about, path / runfolder.RUN, group)
        try:
            config = config_from(about["config"], tasks.env_config)
        except InputError as error:
            raise InputError(f"{path / runfolder.RUN}: {error}") from None
        config = on_devices(config, n_devices)
        env, learner = _prepare(config, tasks, backend, group)
        take_up(folder, about, env.name, learner, group, named)
        return _finish(folder, config, env, learner, tasks, group, show_phases)


def take_up(
    folder: RunFolder, about: Mapping[str, Any], name: str, learner: RunState, group: ProcessGroup, named: Path | None
) -> None:
    """Bring the learner of the task `name` to where the folder stands, and the folder back to there."""
    if about["task"] != name:
        task = printable(about["task"], 80)
        raise InputError(f"{folder.path / runfolder.RUN}: task is '{task}', its configuration's '{name}'; restore it")
    for _ in folder.lines():  # a line that is none is better found now than after training
        pass
    found = [checkpoint.find(named)] if named else checkpoint.complete(folder.checkpoints)
    if found:
        checkpoint.check_run(found[-1], about["config"])
        learner.load(found[-1])
    else:
        learner.begin()
    update = learner.updates
    if not group.agreed(update):
        raise InputError(f"{folder.path}: the processes found different checkpoints there; let all see one folder")

    def cut_back() -> None:
        folder.cut_back(update)
        checkpoint.cut_back(folder.checkpoints, update)

    group.by_the_first(cut_back)


@contextmanager
def writing(folder: Path | None, group: ProcessGroup) -> Iterator[None]:
    """Hold the lock of a folder that all processes work on, in the first one; where it is not free they all end."""
    with ExitStack() as stack:
        if folder is not None:
            group.by_the_first(lambda: stack.enter_context(locks.held(folder)))
        yield


def on_devices(config: C, n_devices: int | None) -> C:
    """The configuration with that many devices, or as it is; InputError where they do not divide it."""
    try:
        return config if n_devices is None else replace(config, devices=n_devices)
    except ValueError as error:
        raise InputError(f"--devices {n_devices}: {error}") from None


def _check_without_folder(config: TrainConfig) -> None:
    """What only a folder can hold must not be left out in silence."""
    for name in ("keep", "keep_best", "sinks"):
        if getattr(config, name):
            raise InputError(f"config.{name}: needs a folder to write into; give `out`, or leave it out")


def check(config: TrainConfig, tasks: Tasks, backend: Backend[Any] = FLAX) -> Any:
    """The environment of a run that `start` would begin; InputError where it would refuse, for want of memory too."""
    with quietly(), backend.opened() as group:
        return _prepare(config, tasks, backend, group)[0]


def _prepare(config: TrainConfig, tasks: Tasks, backend: Backend[Any], group: ProcessGroup) -> tuple[Any, Learner]:
    """The environment and the learner; InputError for all that can be seen before compiling."""
    backend.check(config, group)
    trackers.check(config.sinks)
    env = tasks.make(config.env)
    learner = backend.learner(config, env, group)
    playing = evaluate.estimate(config, env, tasks, memory.acting(config, env))
    if playing is not None:
        playing.check("the evaluation of this run")
    if config.keep_best is not None and config.keep_best.metric not in (known := metric_names(config, env)):
        said = nearest(config.keep_best.metric, known)
        raise InputError(f"config.keep_best.metric: no metric '{config.keep_best.metric}'; {said}")
    if choice := getattr(env, "engine", None):  # an environment of one's own need not have a market
        say(f"market engine: {choice.engine} ({choice.reason})")
    if playing is not None and playing.total > _WORTH_SAYING:
        say(playing.describe("in its evaluation"))
    return env, learner


def _finish(
    folder: RunFolder | None,
    config: TrainConfig,
    env: Any,
    learner: Learner,
    tasks: Tasks,
    group: ProcessGroup,
    show_phases: bool,
) -> Run:
    if group.first():
        size = describe(
            config.net, env.observation_size, make_head(env.action_space, config.head), config.rollout_length
        )
        for line in (size, *learner.said):
            say(line)
    lines = train(learner, config, folder, group, learner.shares() if show_phases else None)
    group.leave()
    params, statistics = learner.agent()
    learner.release()  # environments and moments, whose memory the evaluation plays in
    about, deterministic = policy_config(config, env), config.evaluation.actions == "mode"
    agent = LoadedPolicy(about, params, statistics, deterministic)
    path = None if folder is None else folder.path
    if not group.first():
        return Run(config, agent, None, path)
    if folder is not None:
        with phase("save"):
            save_policy(folder.path, params, statistics, about)
            learner.export(folder.path)
            figures.learning_curves(folder)
        agent = evaluate.agent_of(folder, config)  # what lies there is what is judged
    return Run(config, agent, evaluate.evaluate(agent, folder, config, env, tasks), path, lines)


def policy_config(config: TrainConfig, env: Any) -> PolicyConfig:
    """What a saved agent of this run says of itself."""
    return PolicyConfig(
        task=env.name,
        actions=env.actions,
        observation_size=env.observation_size,
        space=env.action_space,
        net=config.net,
        head=config.head,
        normalise_observations=config.normalise_observations,
    )
