"""Where metrics go: a line of JSON for each update, and TensorBoard."""

import json
from types import TracebackType
from typing import Any

import numpy as np
from tensorboardX import SummaryWriter

from train.runfolder import RunFolder


class Sinks:
    """Writes the report of every update as it comes; a context manager."""

    def __init__(self, folder: RunFolder, step: int) -> None:
        """Go on after `step` environment steps (0: from the start)."""
        self._lines = folder.metrics.open("a", buffering=1)
        self._events = SummaryWriter(str(folder.tensorboard), purge_step=step + 1 if step else None)

    def write(self, update: int, step: int, report: dict[str, Any], clock: dict[str, float]) -> dict[str, Any]:
        """Write one update; returns the line. `clock` is what depends on the machine, under names `time/...`."""
        scalars = {name: float(x) for name, x in report["scalars"].items()}
        vectors = {name: np.asarray(x, np.float64).round(6).tolist() for name, x in report["vectors"].items()}
        line = {"update": update, "step": step, **scalars, **vectors, **clock}
        self._lines.write(json.dumps(line) + "\n")
        for name, value in (scalars | clock).items():
            self._events.add_scalar(name, value, step)
        return line

    def __enter__(self) -> "Sinks":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()
        self._events.close()
