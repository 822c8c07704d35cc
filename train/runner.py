"""Running the program: from a configuration to a run folder, new or resumed."""

import time
from pathlib import Path
from typing import Any

import jax

from lobjax.cli import note
from lobjax.nets import make_net
from lobjax.policy import PolicyConfig, make_head, save_policy
from train import checkpoint, devices, evaluate, figures, runfolder
from train.config import TrainConfig, config_from
from train.learner import Learner, TrainState, make_learner
from train.progress import phase
from train.runfolder import RunFolder
from train.sinks import Sinks
from train.tasks import Tasks


class NotFinite(Exception):
    """Training met a number that is not finite; the message is one line with the step and the offending leaf."""


def start(config: TrainConfig, tasks: Tasks, out: Path) -> RunFolder:
    """Train from the beginning into a new folder; InputError before anything is compiled or written."""
    devices.check_devices(config.devices)
    env = tasks.make(config.env)
    if config.evaluation.flow:
        evaluate.held_out(config, tasks)  # a missing file is better found now than after training
    learner = assemble(config, env)
    _state_engine(env)
    folder = runfolder.create(out, config, env)
    _train(folder, config, env, learner, _first_state(config, env, learner))
    evaluate.evaluate(folder, config, env, tasks)
    return folder


def resume(path: Path, tasks: Tasks, named: Path | None = None) -> RunFolder:
    """Go on from the last complete checkpoint in the folder, or from one that is named; from the start without any."""
    folder = RunFolder(path)
    config = config_from(folder.about()["config"], tasks.env_config)
    devices.check_devices(config.devices)
    env = tasks.make(config.env)
    learner = assemble(config, env)
    _state_engine(env)
    found = [checkpoint.find(named)] if named else checkpoint.complete(folder.checkpoints)
    if found:
        template = jax.eval_shape(learner.init, jax.random.key(config.seed), env.default_params)
        state = checkpoint.restore(found[-1], template, env.name)
    else:
        state = _first_state(config, env, learner)
    folder.cut_back(int(state.shared.update))
    checkpoint.cut_back(folder.checkpoints, int(state.shared.update))
    _train(folder, config, env, learner, state)
    evaluate.evaluate(folder, config, env, tasks)
    return folder


def assemble(config: TrainConfig, env: Any) -> Learner:
    """The learner of a configuration; InputError where head and action space do not belong together."""
    head = make_head(env.action_space, config.head)
    return make_learner(config, env, make_net(config.net, env.observation_size, head), head)


def _state_engine(env: Any) -> None:
    if choice := getattr(env, "engine", None):  # an environment of one's own need not have a market
        note(f"market engine: {choice.engine} ({choice.reason})")


def _first_state(config: TrainConfig, env: Any, learner: Learner) -> TrainState:
    with phase("start"):
        return jax.block_until_ready(jax.jit(learner.init)(jax.random.key(config.seed), env.default_params))


def _train(folder: RunFolder, config: TrainConfig, env: Any, learner: Learner, state: TrainState) -> None:
    first, last = int(state.shared.update), config.n_updates
    state = devices.split(state, config.devices)
    if first < last:
        with phase("compile"):
            update = devices.compile_update(learner.make_update, state, env.default_params, config.devices)
        total, behind = config.n_updates * config.batch_size, first * config.batch_size
        with Sinks(folder, behind) as sinks, phase("train", total, done=behind) as advance:
            for done in range(first + 1, last + 1):
                begun = time.perf_counter()
                state, report = update(state, env.default_params)
                report = jax.device_get(report)
                seconds = time.perf_counter() - begun
                _check_finite(report["finite"], done, config)
                line = sinks.write(done, done * config.batch_size, report, _clock(seconds, config))
                if done % config.checkpoint_every == 0 or done == last:
                    _save(folder, config, env, state)
                advance(config.batch_size, _note(line))
    whole = devices.whole(state, config.devices)
    with phase("save"):
        save_policy(folder.path, whole.shared.params, whole.shared.statistics, policy_config(config, env))
        figures.learning_curves(folder)


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


def _save(folder: RunFolder, config: TrainConfig, env: Any, state: TrainState) -> None:
    about = folder.about()["config"]
    checkpoint.save(folder.checkpoints, devices.whole(state, config.devices), task=env.name, config=about)


def _clock(seconds: float, config: TrainConfig) -> dict[str, float]:
    return {"time/update_seconds": seconds, "time/steps_per_second": config.batch_size / seconds}


def _note(line: dict[str, Any]) -> str:
    has_return = line["episode/count"] and "episode/return" in line
    return f"return {line['episode/return']:.3f}" if has_return else f"reward {line['rollout/reward']:.3f}"


def _check_finite(finite: Any, update: int, config: TrainConfig) -> None:
    for path, ok in jax.tree_util.tree_leaves_with_path(finite):
        if not ok:
            leaf = jax.tree_util.keystr(path[1:], simple=True, separator=".")
            raise NotFinite(
                f"update {update} (step {update * config.batch_size}): '{leaf}' is not finite; "
                "the last checkpoint is from before, look there or lower the learning rate"
            )
