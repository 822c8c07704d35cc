"""The loop of a run, whatever framework computes in it: update after update; metrics, progress and checkpoints beside them.

What the host does between updates is clocked apart from the updates: `time/logging_seconds` and `time/checkpoint_seconds` of a line are
those since the line before it (the checkpoint's: collecting and copying the state, and waiting for the write before; the write itself
goes on beside the next updates).
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from lobjax.cli import note
from lobjax.learn.backend import ProcessGroup, RunState
from lobjax.learn.collapse import Watch
from lobjax.learn.pace import RunConfig
from lobjax.learn.progress import phase, say
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sinks import Line, Sinks, line_of
from lobjax.learn.writer import Writer

Shares = dict[str, float]


class NotFinite(Exception):
    """Training met a number that is not finite; the message is one line with the step and the offending leaf."""


class Clock:
    """Seconds of an update and of what the host did since the one before it."""

    def __init__(self) -> None:
        self.total: dict[str, float] = {}
        self._since: dict[str, float] = {}

    def timed(self, name: str, action: Callable[[], Any]) -> Any:
        """Run `action`; its seconds count as `name`."""
        begun = time.perf_counter()
        result = action()
        spent = time.perf_counter() - begun
        for where in (self.total, self._since):
            where[name] = where.get(name, 0.0) + spent
        return result

    def line(self, batch_size: int) -> dict[str, float]:
        """What the metrics of an update say of time."""
        since, self._since = self._since, {}
        update, logging, saving = (since.get(name, 0.0) for name in ("update", "logging", "checkpoint"))
        return {
            "time/update_seconds": update,
            "time/steps_per_second": batch_size / update,
            "time/logging_seconds": logging,
            "time/checkpoint_seconds": saving,
            "time/host_seconds": logging + saving,
        }

    def shares(self) -> Shares:
        """Shares of all the time so far: update, logging, checkpoint."""
        whole = sum(self.total.values())
        return {name: seconds / whole for name, seconds in self.total.items()}


def train(
    learner: RunState, config: RunConfig, folder: RunFolder | None, group: ProcessGroup, parts: Shares | None = None
) -> list[Line]:
    """Play and learn until the run's last update. Returns the metrics of each where there is no folder to keep them.

    `parts`: shares of an update, to be shown beside it. Nothing is compiled where the last update is behind us.
    """
    first, last = learner.updates, config.n_updates
    if first == last:
        return []
    learner.compile()
    total, behind, clock, watch = last * config.batch_size, first * config.batch_size, Clock(), Watch()
    lines: list[Line] = []
    with ExitStack() as stack:
        writer, sinks = _outlets(learner, config, folder, behind, stack) if group.first() else (None, None)
        advance = stack.enter_context(phase("train", total, done=behind))

        def tell() -> None:
            if not group.first():
                return
            line = line_of(done, done * config.batch_size, report, clock.line(config.batch_size))
            if writer is None or sinks is None:
                lines.append(line)
            else:
                sinks.write(line)
                writer.know(line)
            if warning := watch.look(line):
                note(warning)
            advance(config.batch_size, _note(line, clock.shares(), parts))

        def save() -> None:
            arrays = learner.arrays()
            if writer is not None:
                writer.save(arrays)

        for done in range(first + 1, last + 1):
            report = clock.timed("update", learner.update)
            if report.broken:
                raise NotFinite(
                    f"update {done} (step {done * config.batch_size}): '{report.broken[0]}' is not finite; "
                    "the last checkpoint is from before, look there or lower the learning rate"
                )
            clock.timed("logging", tell)
            if folder is not None and (done % config.checkpoint_every == 0 or done == last):
                clock.timed("checkpoint", save)
    if group.first():
        say(f"time: {_shares(clock.shares())}")
    return lines


def _outlets(
    learner: RunState, config: RunConfig, folder: RunFolder | None, behind: int, stack: ExitStack
) -> tuple[Writer | None, Sinks | None]:
    if folder is None:
        return None, None
    about = folder.about()["config"]
    writer = stack.enter_context(Writer(folder.checkpoints, config, about, learner.task, learner.settings))
    for line in folder.lines():
        writer.know(line)
    return writer, stack.enter_context(Sinks(folder, behind, config))


def _note(line: dict[str, Any], shares: Shares, parts: Shares | None) -> str:
    has_return = line["episode/count"] and "episode/return" in line
    said = f"return {line['episode/return']:.3f}" if has_return else f"reward {line['rollout/reward']:.3f}"
    if parts is None:
        return said
    host = sum(share for name, share in shares.items() if name != "update")
    split = {name: share * (1 - host) for name, share in parts.items()}
    return f"{said}, {_shares(split | {'host': host})}"


def _shares(shares: Shares) -> str:
    return ", ".join(f"{name} {100 * share:.1f}%" for name, share in shares.items())
