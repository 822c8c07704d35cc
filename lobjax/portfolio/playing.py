"""Playing targets or a rule over a stretch of a panel in NumPy, float64: the backtest from prices and signals alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lobjax.portfolio import accounting
from lobjax.portfolio.accounting import Rates, Trade

# Session T and the weights [N] before the trade -> the target [N], or None to hold.
Decide = Callable[[int, np.ndarray], np.ndarray | None]


@dataclass(frozen=True, eq=False)
class Path:
    """`K` steps from the decision at session `first` on. Rows after wealth is gone are NaN."""

    first: int
    before: np.ndarray  # float64 [K, N], weights just before each trade
    after: np.ndarray  # float64 [K, N], just after
    targets: np.ndarray  # float64 [K, N], NaN where nothing was decided
    kept: np.ndarray  # float64 [K], mu
    turnover: np.ndarray  # float64 [K]
    log_return: np.ndarray  # float64 [K]; -inf in the step that ends it
    last: np.ndarray  # float64 [N], weights after the last step

    @property
    def wealth(self) -> np.ndarray:
        """At the end of each step, 1 before the first."""
        return np.exp(np.cumsum(self.log_return))

    @property
    def terminated(self) -> bool:
        """Whether wealth was gone before the end."""
        return bool(np.isneginf(self.log_return).any())


def play(
    returns: np.ndarray,
    tradable: np.ndarray,
    rates: Rates,
    decide: Decide,
    first: int,
    steps: int,
    *,
    simple: bool = False,
) -> Path:
    """Decide at the closes of `first` .. `first + steps - 1`, from cash.

    `returns`, `tradable`: rows of `Tables` [S, N], by session. `rates`: [S, N], row T known at the close of T. `simple`: by the rule of
    `accounting.sent_simply`.
    """
    assets = returns.shape[1]
    rows = {name: np.full((steps, assets), np.nan) for name in ("before", "after", "targets")}
    figures = {name: np.full(steps, np.nan) for name in ("kept", "turnover", "log_return")}
    before = np.zeros(assets)
    for k in range(steps):
        t = first + k
        target = decide(t, before)
        trade = _traded(before, target, tradable[t + 1], Rates(rates.buy[t], rates.sell[t]), simple)
        result = accounting.earned(trade, returns[t + 1])
        rows["before"][k], rows["after"][k] = before, trade.weights
        if target is not None:
            rows["targets"][k] = target
        figures["kept"][k], figures["turnover"][k] = trade.kept, trade.turnover
        figures["log_return"][k] = result.log_return
        before = result.drifted
        if not result.growth > 0:
            break
    return Path(first=first, last=before, **rows, **figures)


def _traded(before: np.ndarray, target: np.ndarray | None, tradable: np.ndarray, rates: Rates, simple: bool) -> Trade:
    if target is None:
        return accounting.held(before)
    return (accounting.sent_simply if simple else accounting.sent)(before, target, tradable, rates)
