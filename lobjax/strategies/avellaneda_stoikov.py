"""Quotes around a reservation price: Avellaneda and Stoikov's approximation for a market maker with exponential utility.

The mid is a Brownian motion of volatility sigma; a quote at a depth d from the mid is filled at rate A exp(-k d); utility is
-exp(-gamma (cash + inventory at mid)) at the end. (M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book",
Quantitative Finance 8 (2008), 217-224, section 3.) Inventory q is in units of one quote; on the host, in float64.
"""

import numpy as np

from lobjax.strategies.inventory import units


def reservation_price(mid: float, q: np.ndarray, time_left: np.ndarray, gamma: float, sigma: float) -> np.ndarray:
    """What the asset is worth to a market maker who holds `q`: mid - q gamma sigma^2 (T - t), in the unit of the mid."""
    return mid - q * gamma * sigma**2 * time_left


def spread(time_left: np.ndarray, gamma: float, sigma: float, k: float) -> np.ndarray:
    """The distance from bid to ask: gamma sigma^2 (T - t) + (2 / gamma) log(1 + gamma / k)."""
    return gamma * sigma**2 * time_left + 2 / gamma * np.log1p(gamma / k)


def avellaneda_stoikov(times_left: np.ndarray, q_max: int, *, gamma: float, sigma: float, k: float) -> np.ndarray:
    """Depths from the mid, float64 `[n, 2, 2 Q + 1]` for each of `times_left` `[n]`: bid, then ask; negative beyond the mid.

    The model has no bounds on inventory; here a side is not quoted (infinite) where a fill would lead beyond `q_max`.
    """
    time_left = np.asarray(times_left, np.float64)[:, None]
    q = units(q_max)
    skew = reservation_price(0.0, q, time_left, gamma, sigma)
    half = spread(time_left, gamma, sigma, k) / 2
    bid, ask = half - skew, half + skew
    bid[:, -1] = ask[:, 0] = np.inf
    return np.stack([bid, ask], axis=1)
