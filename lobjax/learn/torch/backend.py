"""Runs in torch: the learner of `lobjax.learn.torch.learner`, alone or in the processes that torchrun started."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
import torch

from lobjax.errors import InputError
from lobjax.learn import checkpoint, runfolder
from lobjax.learn.backend import Report
from lobjax.learn.checkpoint import Checkpoint
from lobjax.learn.config import TrainConfig
from lobjax.learn.torch import memory, settings
from lobjax.learn.torch.group import Group, group
from lobjax.learn.torch.learner import TorchState, make_torch_learner
from lobjax.learn.torch.ppo import EPSILON_ADAM, SURROGATES
from lobjax.learn.torch.state import gather, scatter
from lobjax.nets.precision import EPSILON, in_fp8
from lobjax.nets.statistics import Statistics
from lobjax.policy import make_head
from lobjax.reading import parsing
from lobjax.results import surroundings
from lobjax.torch_port.agent import NETS
from lobjax.torch_port.convert import to_safetensors
from lobjax.torch_port.factory import Layers, check_multiples, check_real_fp8, choose_layers, why_no_transformer_engine
from lobjax.torch_port.fp8 import Recipe


@dataclass(frozen=True, kw_only=True)
class Torch:
    """The backend of PyTorch; a `lobjax.learn.backend.Backend`.

    `device`: where the network computes; "auto" takes a GPU where there is one. `computed_fp8`: compute FP8 in float32 where the hardware
    has none. `recipe`: how FP8 tensors are scaled, by their own amax or by earlier ones. `compile`: torch.compile the update.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    computed_fp8: bool = False
    recipe: Recipe = "current"
    compile: bool = False

    @contextmanager
    def opened(self) -> Iterator[Group]:
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs memory on the same GPU
        with group(self.device) as ours, _on_our_gpu(ours):
            yield ours

    def check(self, config: TrainConfig, group: Group) -> None:
        net, algorithm = config.net, config.algorithm
        if net.kind not in NETS:
            raise InputError(f"config.net.kind: torch has no '{net.kind}'; take '{next(iter(NETS))}'")
        SURROGATES[algorithm.kind]  # InputError that names the nearest
        if config.devices != 1:
            raise InputError(
                f"config.devices: {config.devices} is for JAX; start torch with torchrun --nproc-per-node {config.devices}"
            )
        # What only JAX has must not be left out in silence.
        optimiser = algorithm.optimiser
        if optimiser.kind != "adam" or optimiser.epsilon != EPSILON_ADAM:
            raise InputError(
                f"config.algorithm.optimiser: torch has Adam with epsilon {EPSILON_ADAM:g} only; leave it out"
            )
        part = group.part(config.n_envs)
        each, minibatches = part.stop - part.start, algorithm.minibatches
        if each % minibatches:
            raise InputError(
                f"config.n_envs: {each} environments a process do not divide into {minibatches} minibatches; make it a multiple"
            )
        if in_fp8(net.precision):
            tokens = each // minibatches * config.rollout_length
            check_multiples(width=net.width, n_envs=each, tokens_in_a_minibatch=tokens)
            if not self.computed_fp8:
                check_real_fp8()
        if said := settings.difference(group.told(settings.settings())):
            raise InputError(said)

    def learner(self, config: TrainConfig, env: Any, group: Group) -> "TorchLearner":
        return TorchLearner(config, env, group, self._layers(config, group), self.compile)

    def about(self, group: Group) -> dict[str, Any]:
        versions = {"torch": torch.__version__}
        return {
            "torch": self._chosen(), "processes": group.size, "settings": settings.settings(), "versions": versions
        }  # fmt: skip

    def check_resumes(self, about: Mapping[str, Any], where: Path, group: Group) -> None:
        if about.get("torch") != self._chosen():
            said = "not in torch" if "torch" not in about else f"in torch with {about['torch']}"
            raise InputError(f"{where}: a run of another configuration, {said}; resume it as it began")
        surroundings.check_same(about.get("settings"), where, settings.settings(), settings.DEFAULTS)
        if group.first():
            runfolder.say_what_changed(about, where)
        if about.get("processes") == group.size:  # of another number the sums differ anyway
            settings.take_threads(about.get("settings"), where)

    def _chosen(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "device"}

    def _layers(self, config: TrainConfig, group: Group) -> Layers:
        """The layers that the configuration wants; InputError where this machine cannot have them."""
        precision = config.net.precision
        if group.device.type == "cpu" and why_no_transformer_engine() is None:  # a GPU is here, but not asked for
            return choose_layers(precision, EPSILON, recipe=self.recipe, source="plain")
        return choose_layers(precision, EPSILON, recipe=self.recipe)


class TorchLearner:
    """One run's state on this process; a `lobjax.learn.backend.Learner`."""

    task: str
    settings: Mapping[str, Any]
    said: Sequence[str]

    def __init__(self, config: TrainConfig, env: Any, group: Group, layers: Layers, compiled: bool) -> None:
        self._config, self._group = config, group
        needed = memory.checked(config, env, group)
        self._fns = make_torch_learner(config, env, make_head(env.action_space, config.head), group, layers, compiled)
        self.task, self.settings = f"{env.name} (torch)", settings.settings()
        processes = f"{group.size} process{'es' if group.size > 1 else ''}"
        self.said = (f"{layers.said}; {processes} on {group.device.type}", needed)
        self._state: TorchState | None = None

    @property
    def _now(self) -> TorchState:
        assert self._state is not None, "begin or load comes first"
        return self._state

    def begin(self) -> None:
        self._state = self._fns.init()

    def load(self, found: Checkpoint) -> None:
        if found.task != self.task:
            raise InputError(
                f"{found.path}: a checkpoint of the task '{found.task}', not '{self.task}'; name another --out"
            )
        self.begin()
        arrays = checkpoint.arrays_of(found)
        with parsing(found.path, "a checkpoint of this run", checkpoint.ANOTHER):
            scatter(arrays, self._now, self._group, self._config.n_envs)

    @property
    def updates(self) -> int:
        return self._now.update

    def shares(self) -> dict[str, float]:
        raise InputError("phases: timed in JAX alone; leave it out")

    def compile(self) -> None:
        """JAX's part and, if so wished, torch's compile when they are first called."""

    def update(self) -> Report:
        return self._fns.update(self._now)

    def arrays(self) -> dict[str, np.ndarray] | None:
        return gather(self._now, self._group)

    def agent(self) -> tuple[Any, Statistics]:
        statistics = {name: jax.numpy.asarray(x) for name, x in vars(self._now.statistics).items()}
        return self._now.agent.to_params(), Statistics(**statistics)

    def release(self) -> None:
        self._state = None

    def export(self, folder: Path) -> None:
        """policy.safetensors, the agent under torch's names."""
        to_safetensors(folder)


@contextmanager
def _on_our_gpu(ours: Group) -> Iterator[None]:
    """JAX's environments beside this process's network, where JAX has GPUs."""
    if ours.device.type == "cuda" and jax.default_backend() == "gpu":
        with jax.default_device(jax.local_devices()[ours.device.index]):
            yield
    else:
        yield
