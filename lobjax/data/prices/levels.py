"""Runs of prices on another level than the rest: a hundred or a thousand times (pence for pounds), or by a split's ratio (adjusted or not).

A level is told by the jumps at both its ends, or at one where the file ends or begins with it. Prices are right in the unit of the last bar
that was traded: what comes next goes on from there.
"""

from dataclasses import dataclass

import numpy as np

UNITS = (100.0, 1000.0)
UNIT_SLACK = 0.15  # |log| by which a jump may differ from the unit's: prices move meanwhile, and 80 times is no unit
_SPLIT_SLACK = 0.3  # the same as a share of the split's |log|
_LEAST_SPLIT = 0.4  # |log|: a smaller one is like a day's change
_NEAR_SPLIT = 30  # bars between such a run and its split


@dataclass(frozen=True)
class Run:
    """Bars `first` to `last` whose prices, times `factor`, would be on the level of the others; `partial`: some fields alone."""

    first: int
    last: int
    factor: float
    split: float | None  # the ratio whose adjustment is missing or double; None: a unit
    partial: bool

    @property
    def option(self) -> str:
        """Of `--repair`."""
        return "splits" if self.split else "units"


@dataclass
class Levels:
    """Prices [T, 4] (open, high, low, close) repaired, what each was multiplied by [T, 4], and the runs."""

    prices: np.ndarray
    scale: np.ndarray
    runs: list[Run]


def find_levels(prices: np.ndarray, volume: np.ndarray, expected: np.ndarray, splits: np.ndarray) -> Levels:
    """Look for levels in bars [T, 4], which may have NaN in all but the close.

    `expected` [T]: by how much the log price is to jump at a bar's open (of a raw split: -log of it). `splits` [T]: 1 where there is none.
    """
    scale = np.ones_like(prices)
    runs: list[Run] = []
    for unit in UNITS:
        runs += _runs(prices * scale, volume, expected, unit, UNIT_SLACK, None, scale)
    for split in sorted({float(max(s, 1 / s)) for s in splits if abs(np.log(s)) >= _LEAST_SPLIT}):
        at = np.flatnonzero(np.isclose(np.maximum(splits, 1 / splits), split))
        slack = _SPLIT_SLACK * np.log(split)
        runs += _runs(prices * scale, volume, expected, split, slack, at, scale)
    fixed = prices * scale
    moved = (scale != 1).any(axis=1)
    body = fixed[:, [0, 3]]
    part = moved & (scale != scale[:, :1]).any(axis=1)
    # A low that is 100 times too small may have been made from a close that is: what matters of it is that it is below both.
    fixed[part, 1] = np.fmax(fixed[part, 1], np.nanmax(body[part], axis=1)) if part.any() else fixed[part, 1]
    fixed[part, 2] = np.fmin(fixed[part, 2], np.nanmin(body[part], axis=1)) if part.any() else fixed[part, 2]
    return Levels(fixed, scale, sorted(runs, key=lambda run: run.first))


def _runs(
    prices: np.ndarray,
    volume: np.ndarray,
    expected: np.ndarray,
    factor: float,
    slack: float,
    near: np.ndarray | None,
    scale: np.ndarray,
) -> list[Run]:
    """The runs that are off by a power of `factor`; `scale` is multiplied by what repairs them. `near`: bars of the splits, else None."""
    log = np.log(prices)
    opening = np.where(np.isfinite(log[:, 0]), log[:, 0], log[:, 3])
    chain = np.stack([opening, log[:, 3]], axis=1).ravel()  # open, close, open, close, ...
    jumps = np.diff(chain, prepend=chain[0])
    jumps[0::2] -= expected
    jumps[0] = 0.0
    steps = np.where(np.abs(np.abs(jumps) - np.log(factor)) < slack, np.sign(jumps), 0.0)
    if not steps.any():
        return []
    level = np.cumsum(steps)
    traded = np.flatnonzero(volume > 0)
    level -= level[2 * (traded[-1] if len(traded) else len(prices) - 1) + 1]
    if near is not None:
        _forget_far(level, near, len(prices))
    if np.abs(level).max() > 1:  # a walk of several such jumps is no unit and no adjustment
        return []
    body = level.reshape(-1, 2)
    change = factor**-body
    own = np.stack([change[:, 0], *_extremes(log, change), change[:, 1]], axis=1)
    scale *= own
    off = (own != 1).any(axis=1)
    found = []
    for first, last in stretches(off):
        value = own[first][own[first] != 1][0]
        split = factor if near is not None else None
        found.append(Run(first, last, float(value), split, bool((own[first : last + 1] == 1).any())))
    return found


def _extremes(log: np.ndarray, change: np.ndarray) -> list[np.ndarray]:
    """What high and low are to be multiplied by: of 1 and the factors of open and close, what brings them nearest to the repaired body."""
    middle = np.nanmean(np.stack([log[:, 0], log[:, 3]], axis=1) + np.log(change), axis=1)
    options = np.stack([np.ones(len(log)), *change.T])
    found = []
    for column in (1, 2):
        distance = np.abs(np.nan_to_num(log[:, column]) + np.log(options) - middle)
        found.append(options[np.argmin(distance, axis=0), np.arange(len(log))])
    return found


def _forget_far(level: np.ndarray, near: np.ndarray, rows: int) -> None:
    """Levels that no split is near to are left alone: that price may have halved."""
    off = (level.reshape(-1, 2) != 0).any(axis=1)
    for first, last in stretches(off):
        ends = [end for end in (first, last) if 0 < end < rows - 1] or [last]
        if min(abs(int(split) - end) for split in near for end in ends) > _NEAR_SPLIT:
            level[2 * first : 2 * last + 2] = 0.0


def stretches(marked: np.ndarray) -> list[tuple[int, int]]:
    """Runs of neighbours where it holds, as (first, last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]
