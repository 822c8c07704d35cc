"""Labels of a mid price at samples: the change of a smoothed mid, and its class. NaN where a window reaches beyond the ends.

p: mids, float64 [T]. A label at t uses samples up to t + k (tlob: t + h), so it is known only then: a feature made of labels is that of
t - k.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

DOWN, STATIONARY, UP, UNDEFINED = 0, 1, 2, -1
FI2010_CLASSES = {1: UP, 2: STATIONARY, 3: DOWN}  # the codes of FI-2010's files


def deeplob(p: np.ndarray, k: int) -> np.ndarray:
    """(m+ - m-) / m-, m- = mean(p[t-k+1..t]), m+ = mean(p[t+1..t+k]) (Zhang, Zohren, Roberts 2019)."""
    p = _checked(p, k=k)
    means = _means(p, k)  # of p[i..i+k-1]
    return _placed(len(p), k - 1, means[k:], means[: max(0, len(means) - k)])


def fi2010(p: np.ndarray, k: int) -> np.ndarray:
    """(m+ - p_t) / p_t, m+ as of `deeplob` (Ntakaris et al. 2018)."""
    p = _checked(p, k=k)
    after = _means(p, k)[1:]
    return _placed(len(p), 0, after, p[: len(after)])


def tlob(p: np.ndarray, h: int, k: int) -> np.ndarray:
    """(w+ - w-) / w-, w+ = mean(p[t+h-k..t+h]), w- = mean(p[t-k..t]): smoothing k apart from horizon h (Berti, Kasneci 2025)."""
    p = _checked(p, h=h)
    if k < 0:
        raise ValueError(f"k is {k}; the smoothing is 0 or more")
    means = _means(p, k + 1)
    return _placed(len(p), k, means[h:], means[: max(0, len(means) - h)])


def labels(rule: str, p: np.ndarray, k: int, h: int | None = None) -> np.ndarray:
    """By the name of the rule: deeplob and fi2010 look k samples ahead, tlob h (k by default) with smoothing k."""
    return tlob(p, k if h is None else h, k) if rule == "tlob" else RULES[rule](p, k)


RULES: dict[str, Callable[..., np.ndarray]] = {"deeplob": deeplob, "fi2010": fi2010, "tlob": tlob}


def reach(rule: str, k: int, h: int | None = None) -> int:
    """How many samples ahead a label looks: the least purge of a fold."""
    return k if rule != "tlob" or h is None else h


def classes(changes: np.ndarray, alpha: float) -> np.ndarray:
    """0 down for l < -alpha, 2 up for l > alpha, 1 between, both ends included; -1 where the change l is undefined. int8 [T]."""
    if not alpha >= 0:
        raise ValueError(f"alpha is {alpha}; it is 0 or more")
    found = np.where(changes > alpha, UP, np.where(changes < -alpha, DOWN, STATIONARY))
    return np.where(np.isnan(changes), UNDEFINED, found).astype(np.int8)


def alpha_of_quantile(changes: np.ndarray, share: float = 1 / 3) -> float:
    """The alpha that leaves about `share` of a **training** fold's labels stationary: that quantile of sizes, linear between them."""
    defined = np.abs(changes[~np.isnan(changes)])
    if not len(defined):
        raise ValueError("no label is defined, so alpha has no quantile")
    return float(np.quantile(defined, share))


def alpha_of_cost(relative_spread: np.ndarray) -> float:
    """The alpha below which a move does not pay: the mean of ask/bid spread over mid, of the training fold."""
    return float(np.mean(relative_spread))


def _placed(length: int, first: int, after: np.ndarray, before: np.ndarray) -> np.ndarray:
    out = np.full(length, np.nan)
    out[first : first + len(after)] = (after - before) / before
    return out


def _checked(p: np.ndarray, **ahead: int) -> np.ndarray:
    for name, value in ahead.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; a label looks 1 sample ahead or more")
    p = np.ascontiguousarray(p, np.float64)
    if not (p[~np.isnan(p)] > 0).all():
        raise ValueError("a mid that is not above 0")
    return p


@njit(cache=True)
def _means(p, n):
    """The mean of each n values in a row; sums start anew for each, so that what comes later changes none."""
    out = np.empty(max(0, p.shape[0] - n + 1))
    for i in range(out.shape[0]):
        total = 0.0
        for j in range(1, n):
            total += p[i + j] - p[i]
        out[i] = p[i] + total / n
    return out
