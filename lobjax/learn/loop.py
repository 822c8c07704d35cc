"""The loop of a run: update after update on the device; metrics, progress and checkpoints beside it.

What the host does between updates is clocked apart from the updates: `time/logging_seconds` and `time/checkpoint_seconds` of a line are
those since the line before it (the checkpoint's: collecting and copying the state, and waiting for the write before; the write itself
goes on beside the next updates).
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import jax

from lobjax.cli import note
from lobjax.learn import devices, processes
from lobjax.learn.collapse import Watch
from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import Learner, TrainState
from lobjax.learn.progress import phase
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sinks import Sinks
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
    folder: RunFolder, config: TrainConfig, env: Any, learner: Learner, state: TrainState, parts: Shares | None
) -> TrainState:
    """Play and learn until the run's last update; returns the whole state. `parts`: shares of an update, to be shown beside it."""
    first, last = int(state.shared.update), config.n_updates
    state = devices.split(state, config.devices)
    if first == last:
        return devices.whole(state, config.devices)
    with phase("compile"):
        quick = config.compile == "quick"
        update = devices.compile_update(learner.make_update, state, env.default_params, config.devices, quick)
    total, behind, clock, watch = last * config.batch_size, first * config.batch_size, Clock(), Watch()
    with ExitStack() as stack:
        writer, sinks = _outlets(folder, config, env, behind, stack) if processes.first() else (None, None)
        advance = stack.enter_context(phase("train", total, done=behind))

        def play() -> Any:
            nonlocal state
            state, report = update(state, env.default_params)
            return jax.device_get(report)

        def tell() -> None:
            line = sinks.write(done, done * config.batch_size, report, clock.line(config.batch_size)) if sinks else {}
            if writer is not None:
                writer.know(line)
                if warning := watch.look(line):
                    note(warning)
                advance(config.batch_size, _note(line, clock.shares(), parts))

        def save() -> None:
            whole = devices.whole(state, config.devices)
            if writer is not None:
                writer.save(whole)

        for done in range(first + 1, last + 1):
            report = clock.timed("update", play)
            _check_finite(report["finite"], done, config)
            clock.timed("logging", tell)
            if done % config.checkpoint_every == 0 or done == last:
                clock.timed("checkpoint", save)
    if processes.first():
        note(f"time: {_shares(clock.shares())}")
    return devices.whole(state, config.devices)


def _outlets(folder: RunFolder, config: TrainConfig, env: Any, behind: int, stack: ExitStack) -> tuple[Writer, Sinks]:
    writer = stack.enter_context(Writer(folder.checkpoints, config, folder.about()["config"], env.name))
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


def _check_finite(finite: Any, update: int, config: TrainConfig) -> None:
    for path, ok in jax.tree_util.tree_leaves_with_path(finite):
        if not ok:
            leaf = jax.tree_util.keystr(path[1:], simple=True, separator=".")
            raise NotFinite(
                f"update {update} (step {update * config.batch_size}): '{leaf}' is not finite; "
                "the last checkpoint is from before, look there or lower the learning rate"
            )
