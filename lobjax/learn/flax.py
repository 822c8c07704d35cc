"""Runs in JAX: the program of `lobjax.learn.learner` on the devices of `lobjax.learn.devices`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lobjax.errors import InputError
from lobjax.learn import checkpoint, devices, memory, phases, processes, runfolder
from lobjax.learn.backend import ProcessGroup, Report
from lobjax.learn.checkpoint import Checkpoint
from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import LearnerFns, TrainState, assemble
from lobjax.learn.pace import RunConfig
from lobjax.learn.progress import phase
from lobjax.nets.statistics import Statistics
from lobjax.results import surroundings
from lobjax.settings import key_of, settled


class Flax:
    """The backend of JAX and Flax; a `lobjax.learn.backend.Backend`. Its processes are those that `lobjax.learn.processes.join` joined."""

    @contextmanager
    def opened(self) -> Iterator[ProcessGroup]:
        yield processes

    def check(self, config: TrainConfig, group: ProcessGroup) -> None:
        check_machine(config.devices, config.net)

    def learner(self, config: TrainConfig, env: Any, group: ProcessGroup) -> "FlaxLearner":
        return FlaxLearner(config, env)

    def about(self, group: ProcessGroup) -> dict[str, Any]:
        return {}

    def check_resumes(self, about: Mapping[str, Any], where: Path, group: ProcessGroup) -> None:
        if about.get("task") == "arena":
            raise InputError(
                f"{where}: a run in an arena; go on with `python -m train arena CONFIG --out DIR --resume`"
            )
        if "torch" in about:
            raise InputError(f"{where}: a run in torch; go on with `python -m train torch CONFIG --out DIR --resume`")
        runfolder.check_surroundings(about, where)


def check_machine(n_devices: int, *nets: Any) -> None:
    """InputError where the processes differ, where there are not so many devices, or none that computes as a network wants it."""
    processes.check_alike(surroundings.that_must_agree(surroundings.settings(), "this process"))
    devices.check_devices(n_devices)
    # FP8 on a CPU is computed step by step: slow, and nobody's wish unless they name it.
    if jax.default_backend() == "cpu" and any(getattr(net, "precision", "") == "fp8" for net in nets):
        raise InputError(
            "config.net.precision: fp8 needs a GPU, and there is none; bfloat16 runs here, "
            "fp8_float32 computes FP8's arithmetic anywhere"
        )


class Program:
    """A learner's two functions and the state that they move, laid out on its devices from `compile` on: what is common to all that JAX
    trains. `constants` is what the functions are given beside the state."""

    settings: Mapping[str, Any]

    def __init__(self, config: RunConfig, fns: LearnerFns, constants: Any, task: str) -> None:
        self._config, self._fns, self._constants = config, fns, constants
        self.task, self.settings = task, surroundings.settings()
        self._state: Any = None
        self._update: Any = None

    @property
    def _now(self) -> Any:
        assert self._state is not None, "begin or load comes first"
        return self._state

    @settled
    def begin(self) -> None:
        with phase("start"):
            arguments = (key_of(self._config.seed), self._constants)
            init = devices.compile_init(self._fns.init, *arguments, quick=self._config.compile == "quick")
            self._state = jax.block_until_ready(init(*arguments))

    def load(self, found: Checkpoint) -> None:
        template = jax.eval_shape(self._fns.init, key_of(self._config.seed), self._constants)
        self._state = checkpoint.restore(found, template, self.task)

    @property
    def updates(self) -> int:
        return int(self._now.shared.update)

    def compile(self) -> None:
        config, quick = self._config, self._config.compile == "quick"
        self._state = devices.split(self._now, config.devices)
        with phase("compile"):
            update = self._fns.make_update
            self._update = devices.compile_update(update, self._now, self._constants, config.devices, quick)

    def update(self) -> Report:
        self._state, report = self._update(self._now, self._constants)
        report = jax.device_get(report)
        return Report(report["scalars"], report["vectors"], _broken(report["finite"]))

    def arrays(self) -> dict[str, np.ndarray] | None:
        whole = devices.whole(self._now, self._config.devices) if self._update else self._now
        return checkpoint.to_arrays(whole) if processes.first() else None


class FlaxLearner(Program):
    """One run; a `lobjax.learn.backend.Learner`."""

    task: str
    said: Sequence[str]

    def __init__(self, config: TrainConfig, env: Any) -> None:
        needed = memory.estimate(config, env)
        needed.check("this run")
        super().__init__(config, assemble(config, env), env.default_params, env.name)
        self._whole, self._env, self.said = config, env, (needed.describe(),)

    @property
    def _now(self) -> TrainState:
        return super()._now

    def shares(self) -> dict[str, float]:
        with phase("phases"):
            return phases.shares(phases.measure(self._whole, self._env, self._now))

    def agent(self) -> tuple[Any, Statistics]:
        return self._now.shared.params, self._now.shared.statistics

    def release(self) -> None:
        self._state = self._update = None

    def export(self, folder: Path) -> None:
        """policy.npz is Flax's own."""


def _broken(finite: Any) -> list[str]:
    """Paths of the leaves that are false, without the stage that they are sorted by."""
    leaves = jax.tree_util.tree_leaves_with_path(finite)
    return [jax.tree_util.keystr(path[1:], simple=True, separator=".") for path, ok in leaves if not ok]
