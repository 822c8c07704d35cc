"""Rules that keep, or follow what gained: buy and hold, constant weights, exponentiated gradient, online Newton step."""

import numpy as np

from lobjax.portfolio.rules.base import drifted, equal
from lobjax.portfolio.rules.simplex import least_quadratic


class Ubah:
    """Buy 1/N of each once."""

    def __init__(self, assets: int) -> None:
        self.weights = equal(assets)

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        self.weights = drifted(self.weights, relatives)


class Ucrp:
    """1/N in every period."""

    def __init__(self, assets: int) -> None:
        self.weights = equal(assets)

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""


class Eg:
    """Exponentiated gradient (Helmbold et al. 1998): w exp(eta x / w'x)."""

    def __init__(self, assets: int, eta: float = 0.05) -> None:
        self.weights, self.eta = equal(assets), eta

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        grown = self.weights * np.exp(self.eta * relatives / (self.weights @ relatives))
        self.weights = grown / grown.sum()


class Ons:
    """Online Newton step (Agarwal et al. 2006): the point nearest to delta A^-1 b in the norm of A, mixed with eta of 1/N.

    A = I + sum g g', b = (1 + 1/beta) sum g, g = x / w'x.
    """

    def __init__(self, assets: int, eta: float = 0.0, beta: float = 1.0, delta: float = 0.125) -> None:
        self.weights, self.eta, self.beta, self.delta = equal(assets), eta, beta, delta
        self.point, self.matrix, self.sum = equal(assets), np.eye(assets), np.zeros(assets)

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        gradient = relatives / (self.weights @ relatives)
        self.matrix = self.matrix + np.outer(gradient, gradient)
        self.sum = self.sum + (1 + 1 / self.beta) * gradient
        # (x - q)'A(x - q) / 2 with A q = delta b
        self.point = least_quadratic(self.matrix, self.delta * self.sum, self.point)
        self.weights = (1 - self.eta) * self.point + self.eta * equal(len(self.point))
