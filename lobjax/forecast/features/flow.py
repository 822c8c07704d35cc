"""14 features of what happened since the sample before: order flow imbalance, shares by kind and side, messages, trades."""

import numpy as np
from numba import njit

from lobjax.forecast.features.rows import LEVELS
from lobjax.forecast.features.samples import EXECUTED_ASK, EXECUTED_BID

NAMES = (
    *(f"ofi_{k}" for k in range(1, LEVELS + 1)),
    "new_bid", "new_ask", "cancelled_bid", "cancelled_ask", "executed_bid", "executed_ask",
    "messages", "signed_volume", "hidden_volume",
)  # fmt: skip
LEVEL_OF = (*range(1, LEVELS + 1), *(1,) * 9)


@njit(cache=True)
def fill(ofi, depth, shares, hidden, messages, out):
    """`out` float64 [S, 14] of zeros: OFI over the mean depth of its level, log(1 + lots), signed volume over the depth of the touch."""
    for s in range(ofi.shape[0]):
        for k in range(ofi.shape[1]):
            if depth[s, k] > 0:
                out[s, k] = ofi[s, k] / depth[s, k]
        for k in range(6):
            out[s, 5 + k] = np.log1p(shares[s, k])
        out[s, 11] = np.log1p(messages[s])
        if depth[s, 0] > 0:
            out[s, 12] = (shares[s, EXECUTED_ASK] - shares[s, EXECUTED_BID]) / depth[s, 0]
        out[s, 13] = np.log1p(hidden[s])
