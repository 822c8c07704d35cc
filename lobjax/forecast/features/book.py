"""31 features of the book at a sample: distances to the mid and sizes of each level, queue imbalance, and the shape of both sides."""

import numpy as np
from numba import njit

from lobjax.forecast.features.rows import LEVELS

NAMES = (
    *(f"{what}_{k}" for k in range(1, LEVELS + 1) for what in ("ask_distance", "bid_distance", "ask_size", "bid_size")),
    *(f"imbalance_{k}" for k in range(1, LEVELS + 1)),
    "spread_bp", "microprice_offset", "weighted_mid_offset", "imbalance_all", "bid_slope", "ask_slope",
)  # fmt: skip
LEVEL_OF = (*(k for k in range(1, LEVELS + 1) for _ in range(4)), *range(1, LEVELS + 1), *(1,) * 6)


@njit(cache=True)
def fill(book, mid, out):
    """`out` float64 [S, 31] of zeros, from book int64 [S, 2, L, 2] and mid [S]; what a missing level would tell stays 0.

    Distances in ticks, sizes and slopes as log(1 + lots), a slope's lots per tick from the touch to the deepest level that is seen.
    """
    levels = book.shape[2]
    for s in range(book.shape[0]):
        bid, ask = book[s, 0, 0, 0], book[s, 1, 0, 0]
        both = bid > 0 and ask > 0
        total = np.zeros(2)
        far = np.zeros(2)
        cross = 0.0  # price of each side times the lots of the other, over levels that both sides have
        shared = 0.0
        for k in range(levels):
            bids, asks = book[s, 0, k, 1], book[s, 1, k, 1]
            if asks > 0:
                out[s, 4 * k] = book[s, 1, k, 0] - mid[s] if both else 0.0
                out[s, 4 * k + 2] = np.log1p(asks)
                far[1] = book[s, 1, k, 0] - ask
            if bids > 0:
                out[s, 4 * k + 1] = mid[s] - book[s, 0, k, 0] if both else 0.0
                out[s, 4 * k + 3] = np.log1p(bids)
                far[0] = bid - book[s, 0, k, 0]
            if bids + asks > 0:
                out[s, 20 + k] = (bids - asks) / (bids + asks)
            if bids > 0 and asks > 0:
                cross += (book[s, 1, k, 0] - mid[s]) * bids + (book[s, 0, k, 0] - mid[s]) * asks
                shared += bids + asks
            total[0] += bids
            total[1] += asks
        if both:
            spread = ask - bid
            lots = book[s, 0, 0, 1] + book[s, 1, 0, 1]
            out[s, 25] = 1e4 * spread / mid[s]
            if spread > 0:
                micro = (ask - mid[s]) * book[s, 0, 0, 1] + (bid - mid[s]) * book[s, 1, 0, 1]
                out[s, 26] = micro / lots / spread
            out[s, 27] = cross / shared
        if total[0] + total[1] > 0:
            out[s, 28] = (total[0] - total[1]) / (total[0] + total[1])
        for side in range(2):
            out[s, 29 + side] = np.log1p(total[side] / (1 + far[side]))
