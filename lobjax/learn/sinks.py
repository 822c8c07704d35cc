"""Where metrics go: a line of JSON for each update, TensorBoard, and the trackers that the configuration names."""

import json
from contextlib import ExitStack, nullcontext, suppress
from types import TracebackType
from typing import Any

import numpy as np

from lobjax.learn import trackers
from lobjax.learn.backend import Report
from lobjax.learn.pace import RunConfig
from lobjax.learn.runfolder import RunFolder

Line = dict[str, Any]
COUNTS = ("update", "step")


def line_of(update: int, step: int, report: Report, clock: dict[str, float]) -> Line:
    """The metrics of one update, after `step` environment steps: floats, and lists of them. `clock`: the machine's part, `time/...`."""
    scalars = {name: float(x) for name, x in report.scalars.items()}
    vectors = {name: np.asarray(x, np.float64).round(6).tolist() for name, x in report.vectors.items()}
    return {"update": update, "step": step, **scalars, **vectors, **clock}


class Sinks:
    """Writes the metrics of every update as they come; a context manager."""

    def __init__(self, folder: RunFolder, step: int, config: RunConfig | None = None) -> None:
        """Go on after `step` environment steps (0: from the start). `config` names trackers; None: none."""
        from lobjax.learn.tensorboard import Events  # only now, see there

        self._lines = folder.metrics.open("a", buffering=1, encoding="utf-8")
        self._folder = folder
        self._events = Events(folder.tensorboard, step)
        names = config.sinks if config else ()
        self._trackers = trackers.open_trackers(names, folder.path, folder.about()["config"]) if names else []

    def write(self, line: Line) -> None:
        """Write one update."""
        scalars = {name: x for name, x in line.items() if name not in COUNTS and not isinstance(x, list)}
        try:
            self._put(line, scalars, line["step"])
        except OSError as error:
            error.filename = str(self._folder.path)
            raise

    def _put(self, line: dict[str, Any], scalars: dict[str, float], step: int) -> None:
        self._lines.write(json.dumps(line) + "\n")
        self._events.write(step, scalars)
        for tracker in self._trackers:
            tracker.write(step, scalars)

    def __enter__(self) -> "Sinks":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # After an error, what is still in the buffers cannot be written either; that must not hide the first error.
        with suppress(OSError) if error else nullcontext(), ExitStack() as closing:
            for tracker in self._trackers:
                closing.callback(tracker.close, error is None)
            closing.callback(self._events.close)
            closing.callback(self._lines.close)
