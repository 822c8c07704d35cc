"""Running the program: from a configuration to a run folder, new or resumed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax

from lobjax.cli import note
from lobjax.display import printable
from lobjax.errors import InputError, nearest
from lobjax.learn import checkpoint, devices, evaluate, figures, memory, phases, processes, runfolder, trackers
from lobjax.learn.config import TrainConfig, config_from
from lobjax.learn.learner import Learner, TrainState, make_learner
from lobjax.learn.loop import NotFinite, train
from lobjax.learn.progress import phase
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.tasks import Tasks
from lobjax.nets import make_net
from lobjax.nets.size import describe
from lobjax.policy import PolicyConfig, make_head, save_policy
from lobjax.results import surroundings
from lobjax.settings import key_of, settled

__all__ = ["NotFinite", "assemble", "policy_config", "resume", "start"]


def start(config: TrainConfig, tasks: Tasks, out: Path, show_phases: bool = False) -> RunFolder:
    """Train from the beginning into a new folder; InputError before anything is compiled or written.

    `show_phases` times the parts of an update first (`lobjax.learn.phases`), to be shown in the progress.
    """
    with processes.writing(out):
        env, learner = _prepare(config, tasks)
        if config.evaluation.flow:
            evaluate.held_out(config, tasks)  # a missing file is better found now than after training
        processes.by_the_first(lambda: runfolder.create(out, config, env))
        return _finish(RunFolder(out), config, env, learner, _first_state(config, env, learner), tasks, show_phases)


def resume(
    path: Path, tasks: Tasks, named: Path | None = None, n_devices: int | None = None, show_phases: bool = False
) -> RunFolder:
    """Go on from the last complete checkpoint in the folder, or from one that is named; from the start without any.

    `n_devices` replaces the run's number: a state does not know how many devices it lay on.
    """
    folder = RunFolder(path)
    about = folder.about()
    folder.check_places()
    with processes.writing(path):
        runfolder.check_surroundings(about, path / runfolder.RUN)
        try:
            config = config_from(about["config"], tasks.env_config)
        except InputError as error:
            raise InputError(f"{path / runfolder.RUN}: {error}") from None
        return _resume(folder, about, _on_devices(config, n_devices), tasks, named, show_phases)


def _resume(
    folder: RunFolder, about: dict[str, Any], config: TrainConfig, tasks: Tasks, named: Path | None, show_phases: bool
) -> RunFolder:
    env, learner = _prepare(config, tasks)
    if about["task"] != env.name:
        task = printable(about["task"], 80)
        raise InputError(
            f"{folder.path / runfolder.RUN}: task is '{task}', its configuration's '{env.name}'; restore it"
        )
    for _ in folder.lines():  # a line that is none is better found now than after training
        pass
    found = [checkpoint.find(named)] if named else checkpoint.complete(folder.checkpoints)
    if found:
        checkpoint.check_run(found[-1], about["config"])
        template = jax.eval_shape(learner.init, key_of(config.seed), env.default_params)
        state = checkpoint.restore(found[-1], template, env.name)
    else:
        state = _first_state(config, env, learner)
    update = int(state.shared.update)
    if not processes.agreed(update):
        raise InputError(f"{folder.path}: the processes found different checkpoints there; let all see one folder")

    def cut_back() -> None:
        folder.cut_back(update)
        checkpoint.cut_back(folder.checkpoints, update)

    processes.by_the_first(cut_back)
    return _finish(folder, config, env, learner, state, tasks, show_phases)


def assemble(config: TrainConfig, env: Any) -> Learner:
    """The learner of a configuration; InputError where head and action space do not belong together."""
    head = make_head(env.action_space, config.head)
    return make_learner(config, env, make_net(config.net, env.observation_size, head), head)


def _on_devices(config: TrainConfig, n_devices: int | None) -> TrainConfig:
    try:
        return config if n_devices is None else replace(config, devices=n_devices)
    except ValueError as error:
        raise InputError(f"--devices {n_devices}: {error}") from None


def _prepare(config: TrainConfig, tasks: Tasks) -> tuple[Any, Learner]:
    """The environment and the learner; InputError for all that can be seen before compiling."""
    processes.check_alike(surroundings.that_must_agree(surroundings.settings(), "this process"))
    devices.check_devices(config.devices)
    trackers.check(config.sinks)
    _check_precision(config)
    env = tasks.make(config.env)
    learner = assemble(config, env)
    memory.estimate(config, env).check("this run")
    _check_best(config, env, learner)
    if choice := getattr(env, "engine", None):  # an environment of one's own need not have a market
        note(f"market engine: {choice.engine} ({choice.reason})")
    return env, learner


def _check_precision(config: TrainConfig) -> None:
    """FP8 on a CPU is computed step by step: slow, and nobody's wish unless they name it."""
    if getattr(config.net, "precision", "") == "fp8" and jax.default_backend() == "cpu":
        raise InputError(
            "config.net.precision: fp8 needs a GPU, and there is none; bfloat16 runs here, fp8_float32 computes FP8's arithmetic anywhere"
        )


def _check_best(config: TrainConfig, env: Any, learner: Learner) -> None:
    if config.keep_best is None:
        return
    state = jax.eval_shape(learner.init, key_of(0), env.default_params)
    known = jax.eval_shape(learner.make_update(None), state, env.default_params)[1]["scalars"]
    if config.keep_best.metric not in known:
        said = nearest(config.keep_best.metric, known)
        raise InputError(f"config.keep_best.metric: no metric '{config.keep_best.metric}'; {said}")


@settled
def _first_state(config: TrainConfig, env: Any, learner: Learner) -> TrainState:
    with phase("start"):
        arguments = (key_of(config.seed), env.default_params)
        init = devices.compile_init(learner.init, *arguments, quick=config.compile == "quick")
        return jax.block_until_ready(init(*arguments))


def _finish(
    folder: RunFolder,
    config: TrainConfig,
    env: Any,
    learner: Learner,
    state: TrainState,
    tasks: Tasks,
    show_phases: bool,
) -> RunFolder:
    note(describe(config.net, env.observation_size, make_head(env.action_space, config.head), config.rollout_length))
    note(memory.estimate(config, env).describe())
    parts = None
    if show_phases:
        with phase("phases"):
            parts = phases.shares(phases.measure(config, env, state))
    whole = train(folder, config, env, learner, state, parts)
    processes.leave()
    if not processes.first():
        return folder
    with phase("save"):
        save_policy(folder.path, whole.shared.params, whole.shared.statistics, policy_config(config, env))
        figures.learning_curves(folder)
    evaluate.evaluate(folder, config, env, tasks)
    return folder


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
