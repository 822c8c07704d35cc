"""Quotes under inventory bounds: the exact solution of Avellaneda and Stoikov's problem, and what becomes of it far from the end.

(O. Gueant, C.-A. Lehalle and J. Fernandez-Tapia, "Dealing with the inventory risk: a solution to the market making problem", Mathematics
and Financial Economics 7 (2013), 477-507, arXiv 1105.3115v5.) The mid has volatility sigma, a quote at depth d is filled at rate
A exp(-k d) (A is `fill_rate`), utility is exponential with risk aversion gamma. With alpha = k gamma sigma^2 / 2 and
eta = A (1 + gamma / k)^-(1 + k / gamma), the value function follows from a linear system (`lobjax.strategies.inventory`). Inventory q is in
units of one quote; on the host, in float64.
"""

import numpy as np

from lobjax.strategies.inventory import depths, log_solution, log_stationary, units


def gueant_lehalle_fernandez_tapia(
    step: float, steps: int, q_max: int, *, gamma: float, sigma: float, k: float, fill_rate: float
) -> np.ndarray:
    """Optimal depths float64 `[steps + 1, 2, 2 Q + 1]`, row n with n * `step` of time left: bid, then ask (Theorem 1)."""
    decline, eta = _system(q_max, gamma, sigma, k, fill_rate)
    log_v = log_solution(decline, eta, np.zeros(2 * q_max + 1), step, steps)
    return depths(log_v, k, _base(gamma, k))


def stationary_depths(q_max: int, *, gamma: float, sigma: float, k: float, fill_rate: float) -> np.ndarray:
    """Optimal depths float64 `[2, 2 Q + 1]` when the end is infinitely far away (Theorem 2)."""
    return depths(log_stationary(*_system(q_max, gamma, sigma, k, fill_rate)), k, _base(gamma, k))


def approximate_depths(q_max: int, *, gamma: float, sigma: float, k: float, fill_rate: float) -> np.ndarray:
    """The closed form for the same, float64 `[2, 2 Q + 1]`: good near a flat inventory and far from the bounds (section 4).

    (1 / gamma) log(1 + gamma / k) +- (2 q +- 1) / 2 sqrt(sigma^2 gamma / (2 k A) (1 + gamma / k)^(1 + k / gamma)); infinite at the bounds.
    """
    q = units(q_max)
    width = np.sqrt(sigma**2 * gamma / (2 * k * fill_rate) * (1 + gamma / k) ** (1 + k / gamma))
    bid, ask = _base(gamma, k) + (2 * q + 1) / 2 * width, _base(gamma, k) - (2 * q - 1) / 2 * width
    bid[-1] = ask[0] = np.inf
    return np.stack([bid, ask])


def _system(q_max: int, gamma: float, sigma: float, k: float, fill_rate: float) -> tuple[np.ndarray, float]:
    eta = fill_rate * np.exp(-(1 + k / gamma) * np.log1p(gamma / k))
    return 0.5 * k * gamma * sigma**2 * units(q_max) ** 2, float(eta)


def _base(gamma: float, k: float) -> float:
    return float(np.log1p(gamma / k) / gamma)
