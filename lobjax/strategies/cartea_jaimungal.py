"""Quotes that maximise expected profit less a running penalty on inventory, under inventory bounds: Cartea and Jaimungal.

Market orders arrive at rate lambda a side and reach a quote at depth d from the mid with probability exp(-kappa d). The value is
    E[cash + q (mid - alpha q) at the end - phi times the integral of q^2],
of which h(t, q) is the part beyond cash and inventory at mid: h = log(w) / kappa, where w solves a linear system
(`lobjax.strategies.inventory`). (A. Cartea, S. Jaimungal and J. Penalva, "Algorithmic and High-Frequency Trading", Cambridge 2015,
section 10.2.) Inventory q is in units of one quote; on the host, in float64.
"""

import numpy as np

from lobjax.strategies.inventory import depths, log_solution, units


def value(
    step: float, steps: int, q_max: int, *, phi: float, alpha: float, arrival_rate: float, kappa: float
) -> np.ndarray:
    """h, float64 `[steps + 1, 2 Q + 1]`, in units of price times a quote: row n with n * `step` of time left."""
    q = units(q_max)
    log_w = log_solution(phi * kappa * q**2, arrival_rate / np.e, -alpha * kappa * q**2, step, steps)
    return log_w / kappa


def cartea_jaimungal(
    step: float, steps: int, q_max: int, *, phi: float, alpha: float, arrival_rate: float, kappa: float
) -> np.ndarray:
    """Optimal depths float64 `[steps + 1, 2, 2 Q + 1]`, row n with n * `step` of time left: bid, then ask."""
    h = value(step, steps, q_max, phi=phi, alpha=alpha, arrival_rate=arrival_rate, kappa=kappa)
    return depths(h, 1.0, 1 / kappa)
