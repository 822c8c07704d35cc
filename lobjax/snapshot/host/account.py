"""`lobjax.snapshot.account` and `rewards` in Numba: the same functions in 64-bit integers. No JAX.

An account is a tuple (cash in ticks x lots, fees in 10^-4 ticks x lots, position in lots), costs are (milliticks, bps).
"""

import numpy as np
from numba import njit

from lobjax.snapshot.bounds import UNIT
from lobjax.snapshot.host.fills import find_fill_price


@njit(cache=True)
def fee(cash, lots, costs):
    """As `account.fee`."""
    return abs(lots) * costs[0] * 10 + abs(cash) * costs[1]


@njit(cache=True)
def settled(account, cash, filled, costs):
    """As `account.settled`."""
    return account[0] + cash, account[1] + fee(cash, filled, costs), account[2] + filled


@njit(cache=True)
def liquidation_value(account, bids, asks, costs):
    """As `account.liquidation_value`: int64, 10^-4 ticks x lots."""
    size = -account[2]
    side, other = (asks, bids) if size > 0 else (bids, asks)
    got = find_fill_price(side, size)
    price = int(other[0, 0]) if other[0, 1] > 0 else 0
    for level in range(side.shape[0]):
        if side[level, 1] > 0:
            price = int(side[level, 0])
    cash = got.cash - got.leftover * price
    return (account[0] + cash) * UNIT - account[1] - fee(cash, size, costs)


@njit(cache=True)
def account_state(account, bids, asks, costs):
    """As `account.account_state`: (value, leverage float64, position, cash)."""
    value = liquidation_value(account, bids, asks, costs)
    bid = int(bids[0, 0]) if bids[0, 1] > 0 else int(asks[0, 0])
    ask = int(asks[0, 0]) if asks[0, 1] > 0 else int(bids[0, 0])
    leverage = abs(account[2]) * 0.5 * (bid + ask) * UNIT / value if value > 0 else 0.0
    return value, leverage, account[2], account[0]


@njit(cache=True)
def future_reward(before, after, bids, asks, row, last, horizon, discount, costs):
    """As `rewards.future_reward`, in float64. IndexError for snapshots that the day has not."""
    if row < 0 or last >= min(bids.shape[0], asks.shape[0]):
        raise IndexError("the day has no such snapshot")
    total, n = 0.0, min(horizon, last - row)
    for i in range(1, n + 1):
        without = liquidation_value(before, bids[row + i], asks[row + i], costs)
        change = liquidation_value(after, bids[row + i], asks[row + i], costs) - without
        if without > 0:
            total += discount**i * (change / without)
    return total / n if n > 0 else 0.0


@njit(cache=True)
def hold_values(cash, bids, asks, row, size, patience, count, costs):
    """As `rewards.hold_values`: int64 [count + 1]. IndexError for snapshots that the day has not."""
    if row < 0 or count < 0 or row + count >= min(bids.shape[0], asks.shape[0]):
        raise IndexError("the day has no such snapshot")
    account, left = (cash, 0, 0), size
    values = np.zeros(count + 1, np.int64)
    values[0] = liquidation_value(account, bids[row], asks[row], costs)
    for k in range(count):
        at = row + k
        if k <= patience and left != 0:
            got = find_fill_price(asks[at] if left > 0 else bids[at], left)
            account, left = settled(account, got.cash, got.filled, costs), got.leftover
        values[k + 1] = liquidation_value(account, bids[at + 1], asks[at + 1], costs)
    return values
