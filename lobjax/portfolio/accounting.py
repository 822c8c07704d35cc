"""The accounting of a portfolio's step in NumPy, float64: what a trade costs, what it leaves, what it earns, how weights drift.

The reference of everything else. All arrays may have leading axes (many portfolios at once); the last one is the assets', cash is apart.
A step: weights `before` and wealth 1; trade at the open at `rates`; earn `returns` until the next open.

The kept fraction mu solves mu = 1 - sum k |mu w - b|. What is blocked keeps its dollars, mu w = b there; the others get f w with
f = 1, or the one factor with which the cash just suffices. With x = mu f this is one convex equation in x,

    max(x, (B + S x) / (1 + L)) + cost(x) = 1,   cost(x) = sum over the tradable of k |x w - b|,

B the blocked holdings, S the sum of the others' targets, L what was meant to be borrowed (0 unless leveraged), which Newton's method
solves from above, exactly but for rounding, as it is piecewise linear.
"""

from typing import NamedTuple

import numpy as np

_ROUNDS = 64  # at most: a round that changes nothing is the last


class Rates(NamedTuple):
    """Cost of a dollar traded, by side; shapes as the weights'."""

    buy: np.ndarray
    sell: np.ndarray


class Trade(NamedTuple):
    """What a trade leaves."""

    weights: np.ndarray  # [..., N], after it, of what is left
    kept: np.ndarray  # [...], mu
    turnover: np.ndarray  # [...], sum |mu w - b|


class Earned(NamedTuple):
    """What a step leaves."""

    growth: np.ndarray  # [...], wealth after over wealth before; 0 or less: it is gone
    log_return: np.ndarray  # [...], -inf where wealth is gone
    drifted: np.ndarray  # [..., N], weights before the next trade; 0 where wealth is gone


def sent(before: np.ndarray, target: np.ndarray, tradable: np.ndarray, rates: Rates) -> Trade:
    """Trade from `before` towards `target`, each [..., N], where `tradable`."""
    wanted = np.where(tradable, target, 0.0)
    held = np.where(tradable, before, 0.0)
    blocked = before - held
    x, full = _scale(wanted, held, blocked, np.maximum(target.sum(-1) - 1, 0), rates)
    traded = x[..., None] * wanted - held
    kept = 1 - _cost(traded, rates)
    part = np.where(full, 1.0, x / kept)
    weights = part[..., None] * wanted + blocked / kept[..., None]
    return Trade(weights, kept, np.abs(traded).sum(-1))


def held(before: np.ndarray) -> Trade:
    """No trade."""
    none = before.sum(-1) * 0
    return Trade(before, none + 1, none)


def sent_simply(before: np.ndarray, target: np.ndarray, tradable: np.ndarray, rates: Rates) -> Trade:
    """The rule of many papers, for their tables only: kept is 1 - sum k |w - b|, as if weights were bought with what the cost takes."""
    wanted, blocked = np.where(tradable, target, 0.0), np.where(tradable, 0.0, before)
    total, room = wanted.sum(-1), 1 + np.maximum(target.sum(-1) - 1, 0) - blocked.sum(-1)
    part = np.where(total > room, np.clip(room / np.where(total > 0, total, 1), 0, 1), 1.0)
    weights = part[..., None] * wanted + blocked
    return Trade(weights, 1 - _cost(weights - before, rates), np.abs(weights - before).sum(-1))


def earned(trade: Trade, returns: np.ndarray, cash_return: np.ndarray | float = 0.0) -> Earned:
    """What weights earn, `returns` being e^r - 1 [..., N]; never a sum of weighted log returns."""
    cash = 1 - trade.weights.sum(-1)
    gained = (trade.weights * returns).sum(-1) + cash * cash_return
    growth = trade.kept * (1 + gained)
    alive = growth > 0
    log_return = np.where(alive, np.log(np.where(alive, trade.kept, 1)) + np.log1p(np.where(alive, gained, 0)), -np.inf)
    drifted = trade.weights * (1 + returns) / np.where(alive, 1 + gained, 1)[..., None]
    return Earned(growth, log_return, np.where(alive[..., None], drifted, 0.0))


def _cost(traded: np.ndarray, rates: Rates) -> np.ndarray:
    return (np.where(traded > 0, rates.buy, -rates.sell) * traded).sum(-1)


def _scale(
    wanted: np.ndarray, held: np.ndarray, blocked: np.ndarray, borrowed: np.ndarray, rates: Rates
) -> tuple[np.ndarray, np.ndarray]:
    """x of the module's text, and whether the targets are met in full."""
    total, kept_back = wanted.sum(-1), blocked.sum(-1)
    binds = total > 0  # scaling shorts down would take cash, not give it
    slope = np.where(binds, total / (1 + borrowed), 0.0)
    least = np.where(binds, kept_back / (1 + borrowed), -np.inf)
    x = np.ones_like(total)
    for _ in range(_ROUNDS):
        traded = x[..., None] * wanted - held
        needed = np.maximum(x, least + slope * x)
        over = needed + _cost(traded, rates) - 1
        rate = np.where(traded > 0, rates.buy, -rates.sell)
        steep = np.where(needed > x, slope, 1.0) + (rate * wanted).sum(-1)
        found = np.clip(x - np.where(steep > 0, over / np.where(steep > 0, steep, 1), 1.0), 0, 1)
        if (found == x).all():
            break
        x = found
    return x, x >= least + slope * x
