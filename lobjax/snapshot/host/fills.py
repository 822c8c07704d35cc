"""`lobjax.snapshot.fills` in Numba: the same functions in 64-bit integers, on loops instead of arrays. No JAX."""

from typing import NamedTuple

from numba import njit


class HostFill(NamedTuple):
    """As `fills.Fill`, int64."""

    cash: int  # ticks x lots, before fees; negative where lots were bought
    filled: int
    leftover: int


class HostTrade(NamedTuple):
    """As `fills.Trade`, int64."""

    cash: int
    filled: int
    leftover: int
    snapshots: int


@njit(cache=True)
def find_fill_price(side, size):
    """As `fills.find_fill_price`: sweep int32 [levels, 2] for `size` lots, signed."""
    left, paid = abs(size), 0
    for level in range(side.shape[0]):
        if left == 0:
            break
        taken = min(left, int(side[level, 1]))
        paid += taken * int(side[level, 0])
        left -= taken
    sign = 1 if size > 0 else -1
    return HostFill(-sign * paid, size - sign * left, sign * left)


@njit(cache=True)
def execute_trade(bids, asks, row, size, patience, last):
    """As `fills.execute_trade`, on a day int32 [T, levels, 2] a side. IndexError for snapshots that the day has not."""
    if row < 0 or last >= min(bids.shape[0], asks.shape[0]):
        raise IndexError("the day has no such snapshot")
    cash, left, snapshots = 0, size, 0
    for at in range(row, min(row + patience, last) + 1):
        if left == 0:
            break
        got = find_fill_price(asks[at] if left > 0 else bids[at], left)
        cash += got.cash
        left = got.leftover
        snapshots += 1
    return HostTrade(cash, size - left, left, snapshots)
