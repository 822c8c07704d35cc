"""The same accounting a second time, in dollars and raw shares, by other means: the independent opinion on `lobjax.portfolio.accounting`.

Nothing is adjusted: shares multiply where a split or a dividend takes effect (a dividend is reinvested at the ex-date's open), prices are
as traded, the dollars that a trade leaves are found by halving. For tests and `--check`, not for speed.
"""

from typing import NamedTuple

import numpy as np

from lobjax.data.prices.panel import PricePanel

_HALVINGS = 60


class Books(NamedTuple):
    """Dollars of each of the steps from the first decision on: `K` steps, wealth 1 at the beginning."""

    wealth: np.ndarray  # [K, ...], at the end of each step
    before: np.ndarray  # [K, ..., N], weights just before each trade
    after: np.ndarray  # [K, ..., N], just after
    kept: np.ndarray  # [K, ...]
    turnover: np.ndarray  # [K, ...]


def kept_books(
    panel: PricePanel, targets: np.ndarray, holds: np.ndarray, buy: np.ndarray, sell: np.ndarray, *, many: int = 1
) -> Books:
    """Play `targets` [K, many, N] from the first session on (`holds` [K, many]: no trade), at rates [K, many, N].

    The panel's columns are those of `many` panels side by side, N each.
    """
    price = _raw_marks(panel).reshape(len(panel.sessions), many, -1)
    grows = (panel.split / panel.dividend_factor).reshape(price.shape)
    may = panel.tradable().reshape(price.shape)
    shares, cash = np.zeros(price.shape[1:]), np.ones(many)
    rows: list[tuple[np.ndarray, ...]] = []
    for t in range(len(targets)):
        open_now, open_next = price[t + 1], price[t + 2]
        dollars = shares * open_now  # shares have grown by the actions of this session already
        wealth = cash + dollars.sum(-1)
        paid = _dollars_paid(dollars, wealth, targets[t], may[t + 1], buy[t], sell[t])
        wanted = np.where(holds[t][:, None], dollars, paid)
        bought = wanted - dollars
        cost = (np.where(bought > 0, buy[t], -sell[t]) * bought).sum(-1)
        left = wealth - cost
        shares = np.where(open_now > 0, wanted / np.where(open_now > 0, open_now, 1), shares)
        cash = cash - bought.sum(-1) - cost
        shares = shares * grows[t + 2]
        value = cash + (shares * open_next).sum(-1)
        rows.append(
            (
                value,
                dollars / wealth[:, None],
                wanted / left[:, None],
                left / wealth,
                np.abs(bought).sum(-1) / wealth,
            )
        )
    return Books(*(np.stack(column) for column in zip(*rows, strict=True)))


def _dollars_paid(
    dollars: np.ndarray, wealth: np.ndarray, target: np.ndarray, may: np.ndarray, buy: np.ndarray, sell: np.ndarray
) -> np.ndarray:
    """Dollars in each asset after the trade: `scale` x target where one may trade, as they were elsewhere.

    `scale` dollars are the most that pay for themselves and their cost: less than all that is left only where the cash runs out.
    """
    stuck = np.where(may, 0, dollars).sum(-1)
    wanted = np.where(may, target, 0)
    total = wanted.sum(-1)

    def too_much(scale: np.ndarray) -> np.ndarray:
        bought = np.where(may, scale[:, None] * wanted - dollars, 0)
        left = wealth - (np.where(bought > 0, buy, -sell) * bought).sum(-1)
        no_cash = (total > 0) & (stuck + total * scale > left)
        return (scale > left) | no_cash

    low, high = np.zeros_like(wealth), wealth.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        over = too_much(middle)
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    return np.where(may, low[:, None] * wanted, dollars)


def _raw_marks(panel: PricePanel) -> np.ndarray:
    """What a share of each session's own kind is worth at its open; 0 before the first bar."""
    sessions, assets = panel.close.shape
    mark, last = np.zeros((sessions, assets)), np.zeros(assets)
    for t in range(sessions):
        last = last * panel.dividend_factor[t] / panel.split[t]  # what one new share had been worth at the last close
        gone = (panel.delisted_at >= 0) & (t >= panel.delisted_at)
        quoted = np.isfinite(panel.close[t]) & np.isfinite(panel.open[t]) & ~gone
        mark[t] = np.where(quoted, panel.open[t], last)
        mark[t] = np.where(gone, last * (1 + panel.delist_return), mark[t])
        last = np.where(np.isfinite(panel.close[t]) & ~gone, panel.close[t], last)
    return mark
