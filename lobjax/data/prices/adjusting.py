"""Adjusted prices, as of the last session of a panel: what one share held to the end was worth before, with its splits and dividends.

`P(t) = raw(t) * prod_{s>t} dividend_factor(s) / split(s)`, volume `V(t) = raw(t) * prod_{s>t} split(s)`. A later action rescales all levels
before it, and no change of them: so levels are for eyes, and features are made of changes.
"""

from typing import NamedTuple

import numpy as np

from lobjax.data.prices.panel import PricePanel


class Adjusted(NamedTuple):
    """Prices and volume float64 [T, N], NaN where there is no bar; the last session's are raw."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


def adjusted(panel: PricePanel, *, dividends: bool = True) -> Adjusted:
    """Prices of total return, or, without `dividends`, of price return: adjusted for splits alone."""
    money = (panel.dividend_factor if dividends else 1.0) / panel.split
    price, shares = _after(money), _after(panel.split)
    return Adjusted(
        panel.open * price, panel.high * price, panel.low * price, panel.close * price, panel.volume * shares
    )


def _after(factors: np.ndarray) -> np.ndarray:
    """The product of what comes after each session, [T, N]."""
    found = np.ones_like(factors)
    found[:-1] = np.cumprod(factors[:0:-1], axis=0)[::-1]
    return found
