"""The best in hindsight: rules that know all periods beforehand. No one could have played them; they are marked so wherever they stand."""

import numpy as np

from lobjax.portfolio.rules.base import equal
from lobjax.portfolio.rules.simplex import least_quadratic

_ROUNDS = 200
_WITHIN = 1e-14


def best_asset(relatives: np.ndarray) -> np.ndarray:
    """All in the asset that gained most over relatives [T, N]: weights [N], bought once."""
    return np.eye(relatives.shape[1])[int(np.argmax(np.log(relatives).sum(0)))]


def best_constant(relatives: np.ndarray) -> np.ndarray:
    """BCRP: the constant weights [N] of the largest sum of log w'x, by Newton's method on the simplex."""
    weights = equal(relatives.shape[1])
    for _ in range(_ROUNDS):
        share = relatives / (relatives @ weights)[:, None]
        gradient, curved = share.sum(0), share.T @ share
        curved = curved + 1e-12 * np.trace(curved) / len(weights) * np.eye(len(weights))
        goal = least_quadratic(curved, curved @ weights + gradient, weights)
        gained = _step(relatives, weights, goal)
        if gained is None or np.abs(gained - weights).max() < _WITHIN:
            break
        weights = gained
    return weights


def _step(relatives: np.ndarray, weights: np.ndarray, goal: np.ndarray) -> np.ndarray | None:
    """As far towards `goal` as the growth rises; None where it does nowhere."""
    now, part = np.log(relatives @ weights).sum(), 1.0
    while part > 1e-10:
        tried = weights + part * (goal - weights)
        if np.log(relatives @ tried).sum() > now:
            return tried / tried.sum()
        part /= 2
    return None


def grid_mean(relatives: np.ndarray, points: int = 21) -> float:
    """Final wealth of Cover's universal portfolio over two assets: the mean of constant weights on a grid of `points` from 0 to 1."""
    first = np.linspace(0, 1, points)
    return float(np.exp(np.log(relatives @ np.stack([first, 1 - first])).sum(0)).mean())
