"""What may be said of a mean over independent episodes."""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit


class Interval(NamedTuple):
    """A mean of n episodes with its 95% interval (Student's t), and the standard deviation over episodes."""

    mean: float
    low: float
    high: float
    std: float
    n: int

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2


def interval(values: np.ndarray, confidence: float = 0.95) -> Interval:
    """The mean of independent `values` [n] with its interval; the interval is infinite for n = 1. ValueError for n = 0."""
    values = np.asarray(values, np.float64)
    n = len(values)
    if n == 0:
        raise ValueError("no values, so no mean")
    mean = float(values.mean())
    if n == 1:
        return Interval(mean, -np.inf, np.inf, np.inf, 1)
    std = float(values.std(ddof=1))
    half = float(stdtrit(n - 1, 0.5 + confidence / 2) * std / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, std, n)
