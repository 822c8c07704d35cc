"""Hierarchical risk parity (Lopez de Prado 2016), by one stated rule: libraries differ by points of weight."""

import numpy as np

from lobjax.portfolio.rules.allocation import inverse_volatility


def hrp(covariance: np.ndarray) -> np.ndarray:
    """Weights [N] from a covariance [N, N].

    Distance sqrt((1 - rho) / 2) used directly, single linkage, leaves of the dendrogram from the left, halved again and again; between
    two halves wealth is shared by the inverse of the variance that each has under weights of inverse variance.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    assets = len(covariance)
    sigma = np.sqrt(np.diag(covariance))
    if assets == 1 or (sigma == 0).any():
        return inverse_volatility(covariance)
    rho = covariance / np.outer(sigma, sigma)
    distance = np.sqrt(np.maximum(1 - (rho + rho.T) / 2, 0) / 2)
    np.fill_diagonal(distance, 0)
    order = leaves_list(linkage(squareform(distance, checks=False), "single"))
    weights = np.ones(assets)
    parts = [order]
    while parts:
        part = parts.pop()
        if len(part) == 1:
            continue
        left, right = part[: len(part) // 2], part[len(part) // 2 :]
        one, two = _variance(covariance, left), _variance(covariance, right)
        weights[left] *= 1 - one / (one + two)
        weights[right] *= one / (one + two)
        parts += [left, right]
    return weights


def _variance(covariance: np.ndarray, part: np.ndarray) -> float:
    inside = covariance[np.ix_(part, part)]
    inverse = 1 / np.diag(inside)
    weights = inverse / inverse.sum()
    return float(weights @ inside @ weights)
