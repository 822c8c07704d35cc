"""Weights from a covariance [N, N]: inverse volatility, least variance, equal risk. Long only, summing to 1."""

import numpy as np

from lobjax.portfolio.rules.simplex import least_quadratic

_ROUNDS = 200
_WITHIN = 1e-13  # of an equal share of risk


def inverse_volatility(covariance: np.ndarray) -> np.ndarray:
    """1 / sigma; what does not move at all gets everything."""
    sigma = np.sqrt(np.diag(covariance))
    if (sigma == 0).any():
        return (sigma == 0) / (sigma == 0).sum()
    return 1 / sigma / (1 / sigma).sum()


def min_variance(covariance: np.ndarray) -> np.ndarray:
    """argmin w'Sw, exact but for rounding."""
    if (np.diag(covariance) == 0).any():
        return inverse_volatility(covariance)
    scale = np.abs(covariance).max()
    return least_quadratic(covariance / scale, np.zeros(len(covariance)), inverse_volatility(covariance))


def risk_parity(covariance: np.ndarray) -> np.ndarray:
    """w_i (Sw)_i equal: Newton's method, damped, on y'Sy/2 - mean log y, which is convex (Spinu 2013)."""
    sigma = np.sqrt(np.diag(covariance))
    if (sigma == 0).any():
        return inverse_volatility(covariance)
    correlation = covariance / np.outer(sigma, sigma)
    assets = len(covariance)
    share = 1 / assets
    y = np.full(assets, 1 / np.sqrt(max(correlation.sum(), share)))
    for _ in range(_ROUNDS):
        along = correlation @ y
        gradient = along - share / y
        if np.abs(y * gradient).max() < _WITHIN * share:
            break
        move = np.linalg.solve(correlation + np.diag(share / y**2), gradient)
        decrement = np.sqrt(gradient @ move * assets)  # of the function times N, which is self-concordant
        y = y - move / (1 + decrement) if decrement > 0.25 else y - move
    weights = y / sigma
    return weights / weights.sum()
