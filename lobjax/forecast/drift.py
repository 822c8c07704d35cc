"""How far a sample has moved from a reference: population stability index and the two-sample Kolmogorov-Smirnov distance."""

import numpy as np

LEAST_SHARE = 1e-4
WATCH, ACT = 0.1, 0.25  # PSI, by convention


def psi(reference: np.ndarray, current: np.ndarray, bins: int = 10) -> float:
    """Population stability index over bins of the reference's quantiles, [a, b); shares floored at 1e-4."""
    reference, current = _checked(reference), _checked(current)
    if bins < 1:
        raise ValueError(f"bins is {bins}; take 1 or more")
    edges = np.quantile(reference, np.arange(1, bins) / bins)
    shares = [
        np.maximum(np.bincount(np.searchsorted(edges, x, side="right"), minlength=bins) / len(x), LEAST_SHARE)
        for x in (reference, current)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def ks(reference: np.ndarray, current: np.ndarray) -> float:
    """The largest distance of the two empirical distributions. Its p-value means nothing on samples that follow one another."""
    reference, current = np.sort(_checked(reference)), np.sort(_checked(current))
    places = np.concatenate([reference, current])
    below = [np.searchsorted(x, places, side="right") / len(x) for x in (reference, current)]
    return float(np.abs(below[0] - below[1]).max())


def _checked(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError("a sample is one row of finite numbers, one or more")
    return x
