"""Training from Python: `train` and `resume`."""

import dataclasses
from pathlib import Path
from typing import Any

from lobjax.errors import InputError
from lobjax.learn import runner
from lobjax.learn.backend import Backend
from lobjax.learn.config import TrainConfig, load_config
from lobjax.learn.progress import quietly
from lobjax.learn.run import Run
from lobjax.learn.tasks import MARKET, Tasks


def train(
    config: TrainConfig | str | Path,
    out: str | Path | None = None,
    *,
    progress: bool = True,
    phases: bool = False,
    backend: Backend[Any] = runner.FLAX,
    tasks: Tasks = MARKET,
) -> Run:
    """Train an agent and compare it with the strategies of its task.

    `config`: a `TrainConfig`, or what `load_config` takes: a YAML file, or a name such as "smoke". `out`: the folder that the run leaves,
    which must not exist or be empty; None keeps all in memory. `progress` shows bars (on a terminal, and in a notebook with the extra
    `notebook`; elsewhere lines) and the evaluation's table; False shows nothing but warnings. `phases` also times the parts of an update.
    `backend`: `lobjax.learn.torch.Torch()` trains in PyTorch. `tasks`: where environments come from, if not from `lobjax.tasks`.

    Raises InputError for what is wrong before anything is compiled or written, `NotFinite` where a number becomes infinite.
    """
    made = config if isinstance(config, TrainConfig) else load_config(config, tasks=tasks)
    if not dataclasses.is_dataclass(made.env) or isinstance(made.env, type):
        raise InputError(f"config.env: expected a configuration such as lobjax.EnvConfig(), found {made.env!r:.80}")
    with quietly(not progress):
        return runner.start(
            made, tasks, None if out is None else Path(out), phases, backend=backend, made_by="lobjax.learn.train"
        )


def resume(
    folder: str | Path,
    *,
    checkpoint: str | Path | None = None,
    devices: int | None = None,
    progress: bool = True,
    backend: Backend[Any] = runner.FLAX,
    tasks: Tasks = MARKET,
) -> Run:
    """Go on with a run that was stopped, from its last complete checkpoint or the one named; it ends as if it never had been stopped.

    `devices` replaces the run's number of them. The rest, and what is raised, is as for `train`.
    """
    with quietly(not progress):
        named = None if checkpoint is None else Path(checkpoint)
        return runner.resume(Path(folder), tasks, named, devices, backend=backend)
