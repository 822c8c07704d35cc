"""What is fitted on a validation stretch, after the training fold and before the test: a temperature, and sizes of prediction sets."""

import math

import numpy as np
from scipy.optimize import brentq

LEAST_T, MOST_T = 1e-2, 1e2
_LEAST_P = 1e-300


def softened(p: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log p / T): the same order of classes, surer for T < 1."""
    logits = np.log(np.maximum(p, _LEAST_P)) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def fit_temperature(p: np.ndarray, y: np.ndarray) -> float:
    """The temperature with the least NLL (Guo et al. 2017), from .01 to 100. NLL is convex in 1 / T: the root of its slope."""
    logs = np.log(np.maximum(p, _LEAST_P))
    true = logs[np.arange(len(y)), y]

    def slope(inverse: float) -> float:
        return float(((softened(p, 1 / inverse) * logs).sum(1) - true).mean())

    low, high = 1 / MOST_T, 1 / LEAST_T
    if slope(high) <= 0:  # surer is always better: every true class is the likeliest
        return LEAST_T
    if slope(low) >= 0:
        return MOST_T
    return 1 / float(brentq(slope, low, high, xtol=1e-14, rtol=1e-14))  # type: ignore[arg-type]


def conformal_quantile(scores: np.ndarray, alpha: float) -> float:
    """Split conformal: the ceil((n + 1)(1 - alpha))-th smallest score 1 - p_y; infinite where n is too small for one."""
    rank = math.ceil((len(scores) + 1) * (1 - alpha) - 1e-9)  # as decimals mean it
    if rank > len(scores):
        return math.inf
    return float(np.sort(scores)[rank - 1]) if rank >= 1 else -math.inf


def set_scores(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """1 - p_y, [N]."""
    return 1 - p[np.arange(len(y)), y]


def prediction_sets(p: np.ndarray, quantile: float | np.ndarray) -> np.ndarray:
    """Which classes are in the set of each row, bool [N, C]; `quantile` one, or one a row."""
    return 1 - p <= np.reshape(quantile, (-1, 1))


def coverage(sets: np.ndarray, y: np.ndarray) -> float:
    """Share of the sets that hold the true class."""
    return float(sets[np.arange(len(y)), y].mean())


def adaptive_sets(
    calibration: np.ndarray, p: np.ndarray, y: np.ndarray, alpha: float, *, rate: float = 0.01, delay: int = 1
) -> np.ndarray:
    """Sets whose miss rate tends to alpha however the data drift (Gibbs and Candes 2021), bool [N, C].

    alpha_(t+1) = alpha_t + rate (alpha - miss), the quantile of alpha_t among the scores of `calibration` and of the rows whose class is
    known. A class is known `delay` rows later (the horizon of the label), so no set uses one of the last `delay` rows.
    """
    if delay < 1:
        raise ValueError(f"delay is {delay}; a row's class is known 1 row later at the earliest")
    found = set_scores(p, y)
    known = np.sort(calibration)
    sets = np.zeros(p.shape, bool)
    level = alpha
    for t in range(len(p)):
        if t >= delay:
            level += rate * (alpha - (not sets[t - delay, y[t - delay]]))
            known = np.insert(known, np.searchsorted(known, found[t - delay]), found[t - delay])
        rank = math.ceil((len(known) + 1) * (1 - level) - 1e-9)
        quantile = math.inf if rank > len(known) else -math.inf if rank < 1 else known[rank - 1]
        sets[t] = 1 - p[t] <= quantile
    return sets
