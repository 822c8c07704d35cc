"""Checkpoints written beside training: a thread writes while the device plays on.

Our own thread around `checkpoint.save`, not orbax's asynchronous checkpointer: a checkpoint is whole only with its `meta.json`, which is
written and renamed after orbax has ended.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from lobjax.learn import checkpoint, keeping
from lobjax.learn.pace import RunConfig


class Writer:
    """Writes one checkpoint at a time; a context manager that ends when the last one lies on the disk.

    An error of a write is raised by the next `save`, or at the end.
    """

    def __init__(
        self, folder: Path, config: RunConfig, about: dict[str, Any], task: str, settings: Mapping[str, Any]
    ) -> None:
        """Into `folder`; `about` is the configuration as run.json has it, `settings` what `lobjax.learn.backend.Learner` has."""
        self._folder, self._config, self._about, self._task = folder, config, about, task
        self._settings = dict(settings)
        self._values: dict[int, float | None] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._last: Future | None = None

    def know(self, line: dict[str, Any]) -> None:
        """Take in the metrics of an update, before the checkpoint after it."""
        self._values[line["update"]] = keeping.value_of(line, self._config.keep_best)

    def save(self, state: Any) -> None:
        """Copy a whole state and begin to write it, once the one before it is written."""
        # Copies: on a CPU an array on the host is the device's own memory, which the next update takes over.
        arrays = {name: np.array(x) for name, x in checkpoint.to_arrays(state).items()}
        self.wait()
        self._last = self._thread.submit(self._write, arrays)

    def wait(self) -> None:
        """Until nothing is being written; raises what a write raised."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def _write(self, arrays: dict[str, np.ndarray]) -> None:
        checkpoint.save(self._folder, arrays, task=self._task, config=self._about, settings=self._settings)
        keeping.settle(self._folder, self._values.copy(), self._config.keep_best, self._config.keep)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            with suppress(Exception) if error else nullcontext():  # the first error is the one to tell
                self.wait()
        finally:
            self._thread.shutdown()
