"""Running a torch agent: `python -m train torch CONFIG --out DIR`, alone or under torchrun; the folder is that of any run.

Beside what `lobjax.learn.runfolder` lists it holds policy.safetensors, the agent under torch's names.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import torch
import torch.distributed as dist

from lobjax import locks
from lobjax.cli import note
from lobjax.config import to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.learn import checkpoint, evaluate, figures, runfolder, runner
from lobjax.learn.config import TrainConfig
from lobjax.learn.progress import phase
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sinks import Sinks
from lobjax.learn.tasks import Tasks
from lobjax.learn.torch import settings as torch_settings
from lobjax.learn.torch.group import Group, group
from lobjax.learn.torch.learner import TorchLearner, TorchState, make_torch_learner
from lobjax.learn.torch.ppo import EPSILON_ADAM
from lobjax.learn.torch.state import Saved, gather, scatter
from lobjax.nets.precision import EPSILON, in_fp8
from lobjax.nets.statistics import Statistics
from lobjax.policy import make_head, save_policy
from lobjax.reading import parsing
from lobjax.results import surroundings
from lobjax.torch_port.agent import NETS
from lobjax.torch_port.convert import to_safetensors
from lobjax.torch_port.factory import Layers, check_multiples, check_real_fp8, choose_layers, why_no_transformer_engine
from lobjax.torch_port.fp8 import Recipe


@dataclass(frozen=True, kw_only=True)
class TorchOptions:
    """What only a torch run has. `computed_fp8`: allow FP8 to be computed in float32 where the hardware has none."""

    device: str = "auto"
    computed_fp8: bool = False
    recipe: Recipe = "current"
    compile: bool = False


def run(config: TrainConfig, tasks: Tasks, out: Path, options: TorchOptions, resume: bool = False) -> None:
    """Train into `out`, from the beginning or on from the last complete checkpoint there. InputError before anything is written."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs memory on the same GPU
    env = tasks.make(config.env)
    head = make_head(env.action_space, config.head)
    with ExitStack() as stack, group(options.device) as ours, _on_our_gpu(ours):
        layers = _layers(config, options, ours)
        learner = make_torch_learner(config, env, head, ours, layers, options.compile)
        if not resume and config.evaluation.flow:
            evaluate.held_out(config, tasks)  # a missing file is better found now than after training
        folder = _folder(config, env, out, options, ours, resume, stack)
        if ours.leads:
            note(f"{layers.said}; {ours.size} process{'es' if ours.size > 1 else ''} on {ours.device.type}")
        state = learner.init()
        if resume:
            _restore(folder, config, env, state, ours)
        _train(folder, config, env, learner, state, ours)
        if ours.leads:
            _leave(folder, config, env, state)
            evaluate.evaluate(folder, config, env, tasks)


def _layers(config: TrainConfig, options: TorchOptions, ours: Group) -> Layers:
    """The layers that the configuration wants here; InputError where this machine or these sizes cannot have them."""
    net = config.net
    if net.kind not in NETS:
        raise InputError(f"config.net.kind: torch has no '{net.kind}'; take '{next(iter(NETS))}'")
    if config.devices != 1:
        raise InputError(
            f"config.devices: {config.devices} is for JAX; start torch with torchrun --nproc-per-node {config.devices}"
        )
    # What only the Flax learner has must not be left out in silence.
    optimiser = getattr(config.algorithm, "optimiser", None)
    if getattr(optimiser, "kind", "adam") != "adam" or getattr(optimiser, "epsilon", EPSILON_ADAM) != EPSILON_ADAM:
        raise InputError(f"config.algorithm.optimiser: torch has Adam with epsilon {EPSILON_ADAM:g} only; leave it out")
    for name in ("normalise_rewards", "keep", "keep_best", "sinks"):
        if getattr(config, name, None):
            raise InputError(f"config.{name}: not for torch runs; leave it out")
    part = ours.part(config.n_envs)
    each, minibatches = part.stop - part.start, config.algorithm.minibatches
    if each % minibatches:
        raise InputError(
            f"config.n_envs: {each} environments a process do not divide into {minibatches} minibatches; make it a multiple"
        )
    if in_fp8(net.precision):
        check_multiples(width=net.width, n_envs=each, tokens_in_a_minibatch=each // minibatches * config.rollout_length)
        if not options.computed_fp8:
            check_real_fp8()
    if ours.device.type == "cpu" and why_no_transformer_engine() is None:  # a GPU is here, but not asked for
        return choose_layers(net.precision, EPSILON, recipe=options.recipe, source="plain")
    return choose_layers(net.precision, EPSILON, recipe=options.recipe)


@contextmanager
def _on_our_gpu(ours: Group) -> Iterator[None]:
    """JAX's environments beside this process's network, where JAX has GPUs."""
    if ours.device.type == "cuda" and jax.default_backend() == "gpu":
        with jax.default_device(jax.local_devices()[ours.device.index]):
            yield
    else:
        yield


def _folder(
    config: TrainConfig, env: Any, out: Path, options: TorchOptions, ours: Group, resume: bool, stack: ExitStack
) -> RunFolder:
    """The run's folder, new or the one to go on in, which must be of this configuration; its lock goes onto `stack`."""
    folder = RunFolder(out)
    own: dict[str, Any] = {"torch": {k: v for k, v in asdict(options).items() if k != "device"}}
    settings = torch_settings.settings()
    said = ""  # every process must learn that another one was refused
    try:
        about = folder.about() if resume else {}
        if ours.leads:
            stack.enter_context(locks.held(out))
        if resume:
            folder.check_places()
            if about["config"] != json.loads(json.dumps(to_dict(config))) or about.get("torch") != own["torch"]:
                raise InputError(
                    f"{out}: a run of another configuration; resume with the one that run.json there names"
                )
            surroundings.check_same(about.get("settings"), out / "run.json", settings, torch_settings.DEFAULTS)
            if ours.leads:
                runfolder.say_what_changed(about, out / "run.json")
            if about.get("processes") == ours.size:  # of another number the sums differ anyway
                torch_settings.take_threads(about.get("settings"), out / "run.json")
        elif ours.leads:
            folder = runfolder.create(out, config, env)
            about = folder.about()
            own |= {"processes": ours.size, "settings": settings}
            own |= {"versions": about["versions"] | {"torch": torch.__version__}}
            with whole_file(out / "run.json") as temporary:
                temporary.write_text(json.dumps(about | own, indent=1) + "\n", encoding="utf-8")
    except InputError as error:
        said = str(error)
    if ours.size > 1:
        heard: list[Any] = [None] * ours.size
        dist.all_gather_object(heard, (said, settings))
        said = said or next((theirs for theirs, _ in heard if theirs), "") or _alike([theirs for _, theirs in heard])
    if said:
        raise InputError(said)
    return folder


def _alike(settings: list[dict[str, Any]]) -> str:
    """What to say where processes differ in a setting; nothing where they do not."""
    for name in torch_settings.DEFAULTS:
        if len(found := {str(theirs[name]) for theirs in settings}) > 1:
            return f"{name}: is {' and '.join(sorted(found))} in processes of one run; start all with the same"
    return ""


def _task(env: Any) -> str:
    return f"{env.name} (torch)"


def _restore(folder: RunFolder, config: TrainConfig, env: Any, state: TorchState, ours: Group) -> None:
    """Take over the last complete checkpoint, if there is one, and cut the folder back to it."""
    found = checkpoint.complete(folder.checkpoints)
    if found:
        checkpoint.check_run(found[-1], folder.about()["config"])
        saved = _read(found[-1], env)
        with parsing(found[-1].path, "a checkpoint of this run", checkpoint.ANOTHER):
            scatter(saved, state, ours, config.n_envs)
    if ours.leads:
        folder.cut_back(state.update)
        checkpoint.cut_back(folder.checkpoints, state.update)


def _read(found: checkpoint.Checkpoint, env: Any) -> Saved:
    if found.task != _task(env):
        raise InputError(
            f"{found.path}: a checkpoint of the task '{found.task}', not '{_task(env)}'; name another --out"
        )
    saved = Saved(shared={"weights": {}, "scales": {}, "moments": {}, "statistics": {}}, local={})
    for name, array in checkpoint.arrays_of(found).items():
        place, _, rest = name.partition(".")
        if place == "local":
            saved.local[rest] = array
            continue
        kind, _, key = rest.partition(".")
        if kind == "moments":
            parameter, _, which = key.rpartition(".")
            saved.shared[kind].setdefault(parameter, {})[which] = array
        elif key:
            saved.shared[kind][key] = array
        else:
            saved.shared[kind] = array
    return saved


def _train(
    folder: RunFolder, config: TrainConfig, env: Any, learner: TorchLearner, state: TorchState, ours: Group
) -> None:
    first, last = state.update, config.n_updates
    if not ours.leads:
        for done in range(first + 1, last + 1):
            _check(learner.update(state)[1], done, config)
            if _saves(done, config):
                gather(state, ours)
        return
    total, behind = last * config.batch_size, first * config.batch_size
    if first >= last:
        return
    with Sinks(folder, behind) as sinks, phase("train", total, done=behind) as advance:
        for done in range(first + 1, last + 1):
            begun = time.perf_counter()
            report, broken = learner.update(state)
            seconds = time.perf_counter() - begun
            _check(broken, done, config)
            clock = {"time/update_seconds": seconds, "time/steps_per_second": config.batch_size / seconds}
            line = sinks.write(done, done * config.batch_size, report, clock)
            if _saves(done, config):
                about, settings = folder.about()["config"], torch_settings.settings()
                checkpoint.save(
                    folder.checkpoints, gather(state, ours), task=_task(env), config=about, settings=settings
                )
            advance(config.batch_size, f"reward {line['rollout/reward']:.3f}")


def _saves(done: int, config: TrainConfig) -> bool:
    return done % config.checkpoint_every == 0 or done == config.n_updates


def _leave(folder: RunFolder, config: TrainConfig, env: Any, state: TorchState) -> None:
    """The trained agent in both formats, and the learning curves."""
    statistics = Statistics(**{k: jax.numpy.asarray(x) for k, x in vars(state.statistics).items()})
    save_policy(folder.path, state.agent.to_params(), statistics, runner.policy_config(config, env))
    to_safetensors(folder.path)
    figures.learning_curves(folder)


def _check(broken: list[str], update: int, config: TrainConfig) -> None:
    if broken:
        raise runner.NotFinite(
            f"update {update} (step {update * config.batch_size}): '{broken[0]}' is not finite; "
            "the last checkpoint is from before, look there or lower the learning rate"
        )
