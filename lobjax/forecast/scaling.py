"""Scalers of features x [T, F]: z from statistics that never hold the current value, std floored at 1e-8, z clipped at +-10.

`Fold` is frozen after its training fold. `Expanding` and `Rolling` carry their state: a stream in pieces gives the whole day's z to the
bit, so that serving equals training.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

LEAST_STD, MOST_Z = 1e-8, 10.0
MOST_WINDOW = 1_000_000


class Fold(NamedTuple):
    """Mean and std (ddof 0) of a training fold, float64 [F]."""

    mean: np.ndarray
    std: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """z of x [T, F]."""
        return np.clip((_checked(x) - self.mean) / np.maximum(self.std, LEAST_STD), -MOST_Z, MOST_Z)


def fit_fold(x: np.ndarray) -> Fold:
    """The scaler of a training fold x [T, F]; T at least 1."""
    x = _checked(x)
    if not len(x):
        raise ValueError("a training fold of no samples")
    return Fold(x.mean(0), x.std(0))


@dataclass
class Expanding:
    """z_t from x_0..x_(t-1), 0 while t < warm (and for t = 0, which nothing comes before)."""

    warm: int
    count: int = 0
    moments: np.ndarray | None = None  # mean and sum of squares about it, [2, F]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """z of the next rows x [T, F]; the state goes on."""
        x = _checked(x)
        if self.moments is None:
            self.moments = np.zeros((2, x.shape[1]))
        z = _expanding(x, self.moments, self.count, self.warm)
        self.count += len(x)
        return z


@dataclass
class Rolling:
    """z_t from x_(t-window)..x_(t-1), 0 while t < window."""

    window: int
    count: int = 0
    last: np.ndarray | None = None  # ring of the last rows, [window, F]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """z of the next rows x [T, F]; the state goes on."""
        if not 1 <= self.window <= MOST_WINDOW:
            raise ValueError(f"window is {self.window}; take 1 to {MOST_WINDOW:,}")
        x = _checked(x)
        if self.last is None:
            self.last = np.zeros((self.window, x.shape[1]))
        z = _rolling(x, self.last, self.count)
        self.count += len(x)
        return z


def _checked(x: np.ndarray) -> np.ndarray:
    x = np.ascontiguousarray(x, np.float64)
    if x.ndim != 2:
        raise ValueError(f"features of shape {list(x.shape)}; give [T, F]")
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"feature {column} of row {row} is {x[row, column]}, not a finite number")
    return x


@njit(cache=True)
def _z(value, mean, std):
    z = (value - mean) / max(std, LEAST_STD)
    return min(max(z, -MOST_Z), MOST_Z)


@njit(cache=True)
def _expanding(x, moments, count, warm):
    """Welford's recursion: exact for constants, and no squares of large numbers are subtracted."""
    out = np.zeros(x.shape)
    for t in range(x.shape[0]):
        n = count + t
        for f in range(x.shape[1]):
            if n > 0 and n >= warm:
                out[t, f] = _z(x[t, f], moments[0, f], np.sqrt(moments[1, f] / n))
            off = x[t, f] - moments[0, f]
            moments[0, f] += off / (n + 1)
            moments[1, f] += off * (x[t, f] - moments[0, f])
    return out


@njit(cache=True)
def _rolling(x, last, count):
    """Both passes over the window at every row, oldest first: no sum is carried, so that none drifts."""
    window = last.shape[0]
    out = np.zeros(x.shape)
    mean, squares = np.empty(x.shape[1]), np.empty(x.shape[1])
    for t in range(x.shape[0]):
        n = count + t
        oldest = n % window
        if n >= window:
            mean[:] = 0
            for i in range(1, window):
                row = (oldest + i) % window
                for f in range(x.shape[1]):
                    mean[f] += last[row, f] - last[oldest, f]
            for f in range(x.shape[1]):
                mean[f] = last[oldest, f] + mean[f] / window
            squares[:] = 0
            for i in range(window):
                row = (oldest + i) % window
                for f in range(x.shape[1]):
                    squares[f] += (last[row, f] - mean[f]) ** 2
            for f in range(x.shape[1]):
                out[t, f] = _z(x[t, f], mean[f], np.sqrt(squares[f] / window))
        last[oldest] = x[t]
    return out
