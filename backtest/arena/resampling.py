"""Statistics of episodes with intervals: every one is a function of sums over episodes, and the bootstrap draws episodes.

All statistics of an evaluation use the same draws, so that differences on common random numbers are paired.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
Statistic = Callable[[np.ndarray], np.ndarray]  # sums [..., K] -> values [...]; NaN where there is none


class Estimate(NamedTuple):
    """A value with the percentile interval of its bootstrap; NaN where it is not known."""

    value: float
    low: float
    high: float

    def plain(self) -> dict[str, float | None]:
        """For JSON: what is not finite is None."""
        return {name: (float(x) if np.isfinite(x) else None) for name, x in self._asdict().items()}

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return bool(self.low > 0 or self.high < 0)


class Resampled:
    """Draws of E episodes with replacement."""

    def __init__(self, episodes: int, draws: int, seed: int) -> None:
        drawn = np.random.default_rng(seed).integers(0, episodes, (draws, episodes))
        self.counts = np.stack([np.bincount(row, minlength=episodes) for row in drawn]).astype(np.float64)  # [draws, E]

    def estimate(self, statistic: Statistic, sums: np.ndarray) -> Estimate:
        """Of per-episode sums [E, K]."""
        return self._interval(statistic(sums.sum(0)), statistic(self.counts @ sums))

    def difference(self, statistic: Statistic, one: np.ndarray, other: np.ndarray) -> Estimate:
        """Of two worlds on the same episodes, one less other."""
        value = statistic(one.sum(0)) - statistic(other.sum(0))
        return self._interval(value, statistic(self.counts @ one) - statistic(self.counts @ other))

    def means(self, values: np.ndarray) -> np.ndarray:
        """Means over episodes of values [E, ...] in every draw: [draws, ...]."""
        episodes = self.counts.shape[1]
        return (self.counts @ values.reshape(episodes, -1)).reshape(-1, *values.shape[1:]) / episodes

    def _interval(self, value: np.ndarray, drawn: np.ndarray) -> Estimate:
        known = drawn[np.isfinite(drawn)]
        if self.counts.shape[1] < 2 or not len(known):
            return Estimate(float(value), np.nan, np.nan)
        return Estimate(float(value), *percentiles(known).tolist())


def percentiles(drawn: np.ndarray) -> np.ndarray:
    """The ends [2, ...] of the interval, of draws [draws, ...]."""
    return np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)


def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """NaN where there is nothing to divide by."""
    return np.divide(over, under, out=np.full(np.shape(over), np.nan), where=np.asarray(under) != 0)


def mean(sums: np.ndarray) -> np.ndarray:
    """Of sums (of values, of their number)."""
    return ratio(sums[..., 0], sums[..., 1])


def sharpe(sums: np.ndarray) -> np.ndarray:
    """Mean over deviation, of sums (of values, of their squares, of their number)."""
    first, second = ratio(sums[..., 0], sums[..., 2]), ratio(sums[..., 1], sums[..., 2])
    spread = np.sqrt(np.maximum(second - first**2, 0))
    return ratio(first, np.where(spread > 1e-9, spread, 0.0))
