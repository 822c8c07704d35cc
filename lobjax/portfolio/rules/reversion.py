"""Passive-aggressive rules of mean reversion: PAMR, OLMAR and RMR move just far enough towards what they forecast."""

import numpy as np

from lobjax.portfolio.rules.base import equal
from lobjax.portfolio.rules.medians import spatial_median
from lobjax.portfolio.rules.simplex import projected


class Pamr:
    """Passive-aggressive mean reversion (Li et al. 2012): a loss of w'x - eps is undone by a step against x - mean x.

    `variant` 1 bounds the step by `aggressiveness`, 2 softens it by 1 / (2 aggressiveness); 0 does neither.
    """

    def __init__(self, assets: int, eps: float = 0.5, variant: int = 0, aggressiveness: float = 500.0) -> None:
        self.weights, self.eps, self.variant, self.aggressiveness = equal(assets), eps, variant, aggressiveness

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        away = relatives - relatives.mean()
        loss = max(0.0, self.weights @ relatives - self.eps)
        size = away @ away + (1 / (2 * self.aggressiveness) if self.variant == 2 else 0.0)
        step = loss / size if size > 0 else 0.0
        step = min(step, self.aggressiveness) if self.variant == 1 else step
        self.weights = projected(self.weights - step * away)


class _Forecasting:
    """Towards a forecast of the next relatives, until it promises `eps`."""

    def __init__(self, assets: int, eps: float) -> None:
        self.weights, self.eps = equal(assets), eps

    def _follow(self, forecast: np.ndarray) -> None:
        away = forecast - forecast.mean()
        size = away @ away
        step = max(0.0, self.eps - self.weights @ forecast) / size if size > 0 else 0.0
        self.weights = projected(self.weights + step * away)


class Olmar1(_Forecasting):
    """Moving average reversion (Li and Hoi 2012): the forecast is the mean of the last `window` prices over the last one."""

    def __init__(self, assets: int, eps: float = 10.0, window: int = 5) -> None:
        super().__init__(assets, eps)
        self.window, self.seen = window, 0
        self.past = np.ones((window, assets))  # the last relatives, the newest first

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        self.past = np.vstack([relatives, self.past[:-1]])
        self.seen += 1
        if self.seen <= self.window:  # fewer than window + 1 are known
            self._follow(relatives)
            return
        ago = np.cumprod(self.past[:-1], axis=0)
        self._follow((1 + (1 / ago).sum(0)) / self.window)


class Olmar2(_Forecasting):
    """The same with an exponential average: forecast' = alpha + (1 - alpha) forecast / x."""

    def __init__(self, assets: int, eps: float = 10.0, alpha: float = 0.5) -> None:
        super().__init__(assets, eps)
        self.alpha, self.forecast = alpha, np.ones(assets)

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        self.forecast = self.alpha + (1 - self.alpha) * self.forecast / relatives
        self._follow(self.forecast)


class Rmr(_Forecasting):
    """Robust median reversion (Huang et al. 2013): the forecast is the spatial median of the last `window` prices over the last one.

    A spatial median depends on the assets' scales: prices are 1 after the first period, as in the authors' program.
    """

    def __init__(self, assets: int, eps: float = 5.0, window: int = 5) -> None:
        super().__init__(assets, eps)
        self.window, self.seen = window, 0
        self.prices = np.ones((window, assets))  # the last ones, the newest first

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        price = self.prices[0] * relatives if self.seen else self.prices[0]
        self.prices = np.vstack([price, self.prices[:-1]])
        self.seen += 1
        self._follow(relatives if self.seen <= self.window else spatial_median(self.prices) / price)
