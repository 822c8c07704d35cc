"""Scalars as TensorBoard reads them. Imported when a run begins: tensorboardX imports torch where that is installed, for seconds."""

import time
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]


class Events:
    """A file of events in `folder`, which is made; what an earlier file has after environment step `step` is purged (0: nothing)."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Written from this thread: the usual writer's own thread dies silently on a full disk, and the next call waits for it for good.
        self._writer = EventsWriter(str(folder / "events"))
        if step:
            self._writer.write_event(Event(step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def write(self, step: int, scalars: dict[str, float]) -> None:
        """Write the scalars of one update and flush."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._writer.write_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
