"""Whether snapshots are books: one pass in Numba over a side or a day. No JAX."""

import numpy as np
from numba import njit

from lobjax.errors import InputError
from lobjax.snapshot.bounds import MAX_LEVELS, MAX_LOTS, MAX_PRICE_TICKS

BAD_SIZE, BAD_PRICE, AFTER_EMPTY, NOT_SORTED, CROSSED, BOTH_EMPTY = range(1, 7)
_REASONS = {
    BAD_SIZE: f"has a size below 0 or above {MAX_LOTS:,} lots at {{place}}; count in larger lots",
    BAD_PRICE: f"has a price that is not positive, or above {MAX_PRICE_TICKS:,} ticks, at {{place}}; count in larger ticks",
    AFTER_EMPTY: "has a level behind an empty one at {place}; put empty levels last",
    NOT_SORTED: "is not sorted at {place}: it is not worse than the level before it; sort levels from the best to the deepest",
    CROSSED: "is crossed: its best bid is not below its best ask; leave such snapshots out, or choose other hours",
    BOTH_EMPTY: "has neither bids nor asks; leave such snapshots out, or choose other hours",
}


def check(bids: np.ndarray, asks: np.ndarray, where: str) -> None:
    """InputError, in one line that names the snapshot, unless int32 `[T, levels, 2]` a side are books within `bounds`."""
    levels = bids.shape[1]
    if not 1 <= levels <= MAX_LEVELS:
        raise InputError(f"{where}: {levels} levels a side; give 1 to {MAX_LEVELS}")
    row, side, level, reason = _first_fault(bids, asks)
    if reason:
        place = f"level {level + 1} of the {'asks' if side else 'bids'}"
        raise InputError(f"{where}: snapshot {row} (from 0) {_REASONS[reason].format(place=place)}")


@njit(cache=True)
def _first_fault(bids, asks):
    """(row, side, level, reason) of the first fault, reason 0 when there is none."""
    for row in range(bids.shape[0]):
        for side in range(2):
            book = asks[row] if side == 1 else bids[row]
            for level in range(book.shape[0]):
                price, lots = book[level, 0], book[level, 1]
                if lots < 0 or lots > MAX_LOTS:
                    return row, side, level, BAD_SIZE
                if lots == 0:
                    continue
                if price <= 0 or price > MAX_PRICE_TICKS:
                    return row, side, level, BAD_PRICE
                if level == 0:
                    continue
                if book[level - 1, 1] == 0:
                    return row, side, level, AFTER_EMPTY
                before = book[level - 1, 0]
                if price >= before if side == 0 else price <= before:
                    return row, side, level, NOT_SORTED
        if bids[row, 0, 1] == 0 and asks[row, 0, 1] == 0:
            return row, 0, 0, BOTH_EMPTY
        if bids[row, 0, 1] > 0 and asks[row, 0, 1] > 0 and bids[row, 0, 0] >= asks[row, 0, 0]:
            return row, 0, 0, CROSSED
    return 0, 0, 0, 0
