"""Confidence-weighted mean reversion (Li et al. 2013): a Gaussian over weights, moved as little as makes losing likely enough."""

import numpy as np

from lobjax.portfolio.rules.base import equal
from lobjax.portfolio.rules.simplex import projected


class _Cwmr:
    """The covariance is diagonal at the start and stays so, as x x' counts in the inverse by its diagonal, as in the papers' tables."""

    def __init__(self, assets: int, phi: float = 2.0, eps: float = 0.5) -> None:
        self.weights, self.phi, self.eps = equal(assets), phi, eps
        self.variance = np.full(assets, 1 / assets**2)

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        x = relatives
        along = self.variance * x
        spread, mean, weight = x @ along, self.weights @ x, along.sum()
        centre = weight / self.variance.sum()
        multiplier, shrink = self._solved(mean, spread, weight, centre)
        self.weights = projected(self.weights - multiplier * self.variance * (x - centre))
        variance = 1 / (1 / self.variance + shrink * x**2)
        self.variance = variance / (variance.sum() * len(x))

    def _solved(self, mean: float, spread: float, weight: float, centre: float) -> tuple[float, float]:
        """The multiplier, and the factor of x x' in the inverse covariance; `weight` is x'Sigma 1, `centre` that over 1'Sigma 1."""
        raise NotImplementedError


class CwmrVar(_Cwmr):
    """With the variance in the constraint: w'x + phi x'Sigma x <= eps, of the mean."""

    def _solved(self, mean: float, spread: float, weight: float, centre: float) -> tuple[float, float]:
        phi, eps = self.phi, self.eps
        a = 2 * phi * spread * (spread - centre * weight)
        b = 2 * phi * spread * (eps - mean) + spread - centre * weight
        multiplier = _largest_root(a, b, eps - mean - phi * spread)
        return multiplier, 2 * multiplier * phi


class CwmrStdev(_Cwmr):
    """With the standard deviation in it."""

    def _solved(self, mean: float, spread: float, weight: float, centre: float) -> tuple[float, float]:
        phi, eps = self.phi, self.eps
        inner = spread - centre * weight + phi**2 * spread / 2
        a = inner**2 - phi**4 * spread**2 / 4
        b = 2 * (eps - mean) * inner
        multiplier = _largest_root(a, b, (eps - mean) ** 2 - phi**2 * spread)
        root = (-multiplier * phi * spread + np.sqrt((multiplier * phi * spread) ** 2 + 4 * spread)) / 2
        return multiplier, multiplier * phi / root


def _largest_root(a: float, b: float, c: float) -> float:
    """Of a z^2 + b z + c, 0 where none is above it."""
    if a == 0:
        return max(0.0, -c / b) if b != 0 else 0.0
    inside = b * b - 4 * a * c
    if inside < 0:
        return 0.0
    root = np.sqrt(inside)
    return max(0.0, (-b + root) / (2 * a), (-b - root) / (2 * a))
