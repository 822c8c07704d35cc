"""The spatial median: the point with the least sum of Euclidean distances to some points."""

import numpy as np

_ROUNDS, _WITHIN = 200, 1e-9  # as in the authors' program of robust median reversion, whose tables depend on them


def spatial_median(points: np.ndarray) -> np.ndarray:
    """Of `points` [n, N], n small, by the iteration of Vardi and Zhang (2000), which may stand on a point; float64 [N]."""
    middle = np.median(points, axis=0)
    for _ in range(_ROUNDS):
        apart = np.sqrt(((points - middle) ** 2).sum(1))
        there = apart < 1e-15 * max(1.0, np.abs(middle).max())
        inverse = np.where(there, 0, 1 / np.where(there, 1, apart))
        total = inverse.sum()
        if total == 0:
            return middle
        towards = inverse @ points / total
        if there.any():
            pull = np.sqrt(((inverse @ points - total * middle) ** 2).sum())
            part = min(1.0, there.sum() / pull) if pull > 0 else 1.0
            towards = (1 - part) * towards + part * middle
        moved = np.abs(towards - middle).sum()
        middle = towards
        if moved <= _WITHIN * np.abs(middle).sum():
            break
    return middle
