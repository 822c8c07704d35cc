"""Anticor (Borodin, El-Yaniv and Gogan 2004): weight goes from what gained to what lagged it, by how the two windows correlate."""

import numpy as np

from lobjax.portfolio.rules.base import Online, drifted, equal


class Anticor:
    """With one window: from drifted holdings, which are kept until two windows are known."""

    def __init__(self, assets: int, window: int) -> None:
        self.weights, self.window = equal(assets), window
        self.logs = np.zeros((0, assets))  # of the last two windows' relatives

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        held = drifted(self.weights, relatives)
        self.logs = np.vstack([self.logs, np.log(relatives)])[-2 * self.window :]
        self.weights = held if len(self.logs) < 2 * self.window else held + _transfers(held, self.logs, self.window)


def _transfers(held: np.ndarray, logs: np.ndarray, window: int) -> np.ndarray:
    """What each asset gets less what it gives, [N]."""
    before, after = logs[:window], logs[window:]
    gain = after.mean(0)
    one, two = before - before.mean(0), after - gain
    spread = np.sqrt((one**2).sum(0))[:, None] * np.sqrt((two**2).sum(0))
    correlation = np.where(spread > 0, one.T @ two / np.where(spread > 0, spread, 1), 0.0)
    against = np.maximum(-np.diag(correlation), 0)
    claims = np.where(
        (gain[:, None] >= gain) & (correlation > 0), correlation + against[:, None] + against, 0.0
    )  # by i on j
    total = claims.sum(1)  # a claim on oneself counts here, and moves nothing
    moved = claims * np.where(total > 0, held / np.where(total > 0, total, 1), 0.0)[:, None]
    return moved.sum(0) - moved.sum(1)


class Bought:
    """1/K of wealth in each of K rules, and left there: a portfolio of portfolios."""

    def __init__(self, rules: list[Online]) -> None:
        self.rules, self.wealth = rules, np.full(len(rules), 1 / len(rules))
        self.weights = self._mixed()

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        self.wealth = self.wealth * np.array([rule.weights @ relatives for rule in self.rules])
        self.wealth /= self.wealth.sum()
        for rule in self.rules:
            rule.observe(relatives)
        self.weights = self._mixed()

    def _mixed(self) -> np.ndarray:
        return self.wealth @ np.stack([rule.weights for rule in self.rules])


class AnticorTwice:
    """Anticor over the returns of Anticor: the windows are the assets of the second layer, which buys and holds its own windows."""

    def __init__(self, assets: int, most: int = 30) -> None:
        windows = range(2, most + 1)
        self.first = [Anticor(assets, window) for window in windows]
        self.second = Bought([Anticor(len(windows), window) for window in windows])
        self.weights = self._mixed()

    def observe(self, relatives: np.ndarray) -> None:
        """As `Online.observe`."""
        self.second.observe(np.array([rule.weights @ relatives for rule in self.first]))
        for rule in self.first:
            rule.observe(relatives)
        self.weights = self._mixed()

    def _mixed(self) -> np.ndarray:
        return self.second.weights @ np.stack([rule.weights for rule in self.first])


def anticor_bah(assets: int, most: int = 30) -> Bought:
    """BAH_30(ANTICOR): windows 2 to 30."""
    return Bought([Anticor(assets, window) for window in range(2, most + 1)])
