"""What is kept of the runs of a program while they play: the metric by update, who is still in, and why the others are not."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from lobjax.learn.config import TrainConfig
from lobjax.learn.sweep.config import SweepConfig

PARTS = 20  # of a learning curve in the table


class Curves:
    """Learning curves [updates, trials, seeds] of a job. A member of the batch is a pair of a trial's place in the job and a seed's."""

    def __init__(self, sweep: SweepConfig, config: TrainConfig, trials: Sequence[int], seeds: Sequence[int]) -> None:
        self._sweep, self._config, self._trials, self._seeds = sweep, config, trials, seeds
        shape = config.n_updates, len(trials), len(seeds)
        self._metric, self._weight = np.zeros(shape), np.zeros(shape)
        self._broken: dict[
            tuple[int, int], tuple[int, str]
        ] = {}  # members that met a number that is not finite: update, leaf
        self._stopped: dict[int, int] = {}  # trials that were pruned: the rung
        at = sweep.prune.at if sweep.prune else ()
        rungs = [min(max(1, round(part * config.n_updates)), config.n_updates) for part in at]
        self.ends = [*rungs, config.n_updates]  # updates after which a rung is reached; the last is the end
        self._rungs = np.full((len(self.ends), len(trials), len(seeds)), np.nan)

    @property
    def playing(self) -> list[int]:
        """Places of the trials that were not pruned and did not fail, in order."""
        failed = {trial for trial, _ in self._broken}
        return [i for i in range(len(self._trials)) if i not in self._stopped and i not in failed]

    def members(self, width: int, before: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Members of a batch of `width` trials: those that play, filled up with others of the batch before, no longer looked at."""
        playing = self.playing
        here = sorted({trial for trial, _ in before}) if before else range(len(self._trials))
        rest = [trial for trial in here if trial not in playing]
        chosen = sorted([*playing, *rest[: width - len(playing)]])
        return [(trial, seed) for trial in chosen for seed in range(len(self._seeds))]

    def add(self, update: int, members: Sequence[tuple[int, int]], report: Mapping[str, Any]) -> None:
        """Take in what an update reported, leaves [members]."""
        name, scalars = self._sweep.metric, report["scalars"]
        weight = scalars["episode/count"] if name.startswith("episode/") else np.ones(len(members))
        for i, (trial, seed) in enumerate(members):
            self._metric[update, trial, seed] = scalars[name][i]
            self._weight[update, trial, seed] = weight[i]
        for path, finite in jax.tree_util.tree_leaves_with_path(report["finite"]):
            for i in np.flatnonzero(~finite).tolist():
                leaf = jax.tree_util.keystr(path[1:], simple=True, separator=".")
                self._broken.setdefault(members[i], (update + 1, leaf))

    def values(self, rung: int) -> dict[int, float]:
        """The value at a rung of each trial that plays, by its number: the mean over seeds. Written down for the table."""
        end = self.ends[rung]
        found = {}
        for trial in self.playing:
            self._rungs[rung, trial] = [self._value(end, trial, seed) for seed in range(len(self._seeds))]
            found[self._trials[trial]] = float(self._rungs[rung, trial].mean())
        return found

    def stop(self, rung: int, trials: set[int]) -> None:
        """Prune these trials, by their numbers."""
        for trial in self.playing:
            if self._trials[trial] in trials:
                self._stopped[trial] = rung

    def rows(self) -> list[dict[str, Any]]:
        """A row of the table for each trial and seed."""
        return [self._row(trial, seed) for trial in range(len(self._trials)) for seed in range(len(self._seeds))]

    def _row(self, trial: int, seed: int) -> dict[str, Any]:
        stopped = self._stopped.get(trial)
        failures = [found[0] for (other, _), found in self._broken.items() if other == trial]
        status = "pruned" if stopped is not None else "failed" if failures else "complete"
        end = self.ends[-1] if stopped is None else self.ends[stopped]
        reason = None
        if status == "failed":
            end = min(failures)
            at, leaf = self._broken.get((trial, seed), (end, ""))
            reason = f"update {at}: '{leaf}' is not finite" if leaf else "another seed of the trial failed"
        return {
            "trial": self._trials[trial],
            "seed": self._seeds[seed],
            "status": status,
            "reason": reason,
            "value": None if status == "failed" else _number(self._value(end, trial, seed)),
            "updates": end,
            "steps": end * self._config.batch_size,
            "rungs": [_number(x) for x in self._rungs[:-1, trial, seed]],
            "curve": self._curve(end, trial, seed),
        }

    def _curve(self, end: int, trial: int, seed: int) -> list[float | None]:
        """The metric in equal parts of the whole run; None in those that were not played to their end."""
        marks = np.linspace(0, self._config.n_updates, min(PARTS, self._config.n_updates) + 1).round().astype(int)
        return [
            _number(self._mean(a, b, trial, seed)) if b <= end else None
            for a, b in itertools.pairwise(marks)
        ]  # fmt: skip

    def _value(self, end: int, trial: int, seed: int) -> float:
        window = max(1, round(self._sweep.over * self._config.n_updates))
        return self._mean(max(0, end - window), end, trial, seed)

    def _mean(self, first: int, end: int, trial: int, seed: int) -> float:
        weight = self._weight[first:end, trial, seed]
        counted = weight > 0  # without an episode that ended there is no metric of it
        if not counted.any():
            return float("nan")
        return float(np.average(self._metric[first:end, trial, seed][counted], weights=weight[counted]))


def _number(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
