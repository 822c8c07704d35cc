"""What a run left, as a person reads it: the agent, its metrics, how it compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from lobjax.errors import InputError, nearest
from lobjax.learn.config import TrainConfig, config_from
from lobjax.learn.evaluate import agent_of
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sinks import Line
from lobjax.learn.tasks import MARKET, Tasks
from lobjax.policy import LoadedPolicy
from lobjax.reading import exists
from lobjax.results import Comparison, load
from lobjax.results.saving import EVALUATION
from lobjax.results.updates import number
from lobjax.tasks import known_measures


@dataclass(frozen=True)
class Run:
    """A finished run. `policy` acts as its evaluation had it act; `folder` is where the run lies, None of one in memory alone.

    `evaluation` compares the agent with the strategies of its task; None where the configuration wants none.
    """

    config: TrainConfig
    policy: LoadedPolicy
    evaluation: Comparison | None
    folder: Path | None = None
    _lines: Iterable[Line] = field(default=(), repr=False)

    @cached_property
    def metrics(self) -> pl.DataFrame:
        """A row for each update: `update`, `step` (environment steps so far), the metrics; null where one was not told."""
        lines = self._lines if self.folder is None else RunFolder(self.folder).lines()
        return pl.DataFrame(list(lines), infer_schema_length=None, strict=False)

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Environment steps int64[k] and a metric f64[k] after them, without the updates that tell nothing of it.

        Of "episode/..." those are the updates in which no episode ended. InputError for a metric that is unknown.
        """
        frame = self.metrics
        if name not in frame.columns:
            raise InputError(f"metrics: no '{name}'; {nearest(name, frame.columns)}")
        told = frame.filter(pl.col("episode/count") > 0) if name.startswith("episode/") else frame
        pairs = [(step, x) for step, value in told.select("step", name).iter_rows() if (x := number(value)) is not None]
        steps, values = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(steps, np.int64), np.array(values, np.float64)


def load_run(folder: str | Path, *, tasks: Tasks = MARKET) -> Run:
    """The finished run in a folder; InputError where there is none, or it is damaged."""
    found = RunFolder(Path(folder))
    config = config_from(found.about()["config"], tasks.env_config)
    compared = load(folder, known_measures()) if exists(found.path / EVALUATION) else None
    return Run(config, agent_of(found, config), compared, found.path)
