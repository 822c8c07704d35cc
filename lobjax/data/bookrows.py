"""Book rows as levels in ticks, checked in the same pass. Numba, no JAX."""

from numba import njit

from lobjax.types import INT32_MAX

EMPTY_PRICE = 9_999_999_999  # in either sign: an empty level
OFF_GRID, NOT_POSITIVE, BAD_SIZE, NOT_SORTED, AFTER_EMPTY = range(1, 6)
REASONS = {
    OFF_GRID: "price {value} is off the tick grid of {tick} (1e-4 dollars); give the right tick size",
    NOT_POSITIVE: "price {value} is not positive or too large; mend the file",
    BAD_SIZE: "size {value} is not that of a level (positive and 32-bit, 0 for an empty one); mend the file",
    NOT_SORTED: "price {value} is not worse than the level before it; mend the file",
    AFTER_EMPTY: "price {value} stands behind an empty level; mend the file",
}


@njit(cache=True)
def to_levels(rows, tick_size, out):
    """Book rows int64 [K, 4 * L] (ask price, ask size, bid price, bid size by level) into `out`, int32 [K, 2, L, 2] of zeros.

    `out`: side (bids first), level, (ticks, lots). Returns (row, column, reason) of the first fault, reason 0 when there is none.
    """
    for row in range(rows.shape[0]):
        for side in range(2):
            before, ended = 0, False
            for level in range(out.shape[2]):
                column = 4 * level + 2 - 2 * side
                price, lots = rows[row, column], rows[row, column + 1]
                if abs(price) == EMPTY_PRICE:
                    ended = True
                    if lots != 0:
                        return row, column + 1, BAD_SIZE
                    continue
                if ended:
                    return row, column, AFTER_EMPTY
                if price <= 0 or price > INT32_MAX * tick_size:
                    return row, column, NOT_POSITIVE
                if price % tick_size != 0:
                    return row, column, OFF_GRID
                if level > 0 and (price >= before if side == 0 else price <= before):
                    return row, column, NOT_SORTED
                if lots <= 0 or lots > INT32_MAX:
                    return row, column + 1, BAD_SIZE
                out[row, side, level, 0] = price // tick_size
                out[row, side, level, 1] = lots
                before = price
    return 0, 0, 0
