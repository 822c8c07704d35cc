"""Where metrics go: a line of JSON for each update, and TensorBoard."""

import json
import time
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import Any

import numpy as np
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboardX.summary import scalar

from train.runfolder import RunFolder


class Sinks:
    """Writes the report of every update as it comes; a context manager."""

    def __init__(self, folder: RunFolder, step: int) -> None:
        """Go on after `step` environment steps (0: from the start)."""
        self._lines = folder.metrics.open("a", buffering=1)
        self._folder = folder
        folder.tensorboard.mkdir(parents=True, exist_ok=True)
        # Written from this thread: the usual writer's own thread dies silently on a full disk, and the next call waits for it for good.
        self._events = EventsWriter(str(folder.tensorboard / "events"))
        if step:
            purge = Event(step=step + 1, session_log=SessionLog(status=SessionLog.START))
            self._events.write_event(purge)

    def write(self, update: int, step: int, report: dict[str, Any], clock: dict[str, float]) -> dict[str, Any]:
        """Write one update; returns the line. `clock` is what depends on the machine, under names `time/...`."""
        scalars = {name: float(x) for name, x in report["scalars"].items()}
        vectors = {name: np.asarray(x, np.float64).round(6).tolist() for name, x in report["vectors"].items()}
        line = {"update": update, "step": step, **scalars, **vectors, **clock}
        try:
            self._put(line, scalars | clock, step)
        except OSError as error:
            error.filename = str(self._folder.path)
            raise
        return line

    def _put(self, line: dict[str, Any], scalars: dict[str, float], step: int) -> None:
        self._lines.write(json.dumps(line) + "\n")
        for name, value in scalars.items():
            self._events.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
        self._events.flush()

    def __enter__(self) -> "Sinks":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # After an error, what is still in the buffers cannot be written either; that must not hide the first error.
        with suppress(OSError) if error else nullcontext():
            try:
                self._lines.close()
            finally:
                self._events.close()
