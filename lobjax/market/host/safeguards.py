"""A venue's safeguards for the engine `host`: Numba twins of `lobjax.market.safeguards`. A reference of 0 stands for a market without."""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false

import numpy as np

from lobjax.ffi.jit import inlined, inner
from lobjax.kinds import Kind
from lobjax.market.host.memory import IN_HALTING, IN_SAFEGUARDS, OUT_HALTING, put, scalar
from lobjax.market.safeguards import ANY_PRICE, HALTED, MOST_REFERENCE2, PRICED
from lobjax.reference.arrays import has
from lobjax.types import Side

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, IOC, KINDS = int(Kind.NOOP), int(Kind.IOC), len(Kind)
REFERENCE2, LEFT, HALTS, BY_BAND, BY_HALT = range(5)  # of `Memory.halting`, in the order of the fields of `Halting`


@inner
def load_halting(market, memory):
    """Where the venue stands into working memory."""
    for k in range(5):
        memory.halting[k] = scalar(market, IN_HALTING + k)


@inlined
def guard(message, halting, market):
    """Refuse or re-price `memory.message` in place."""
    kind, side = message[0], message[1]
    if not (0 <= kind < KINDS and has(kind, HALTED)):
        return
    if halting[LEFT] > 0:
        message[0] = NOOP
        halting[BY_HALT] += 1
        return
    if halting[REFERENCE2] == 0 or side not in (BID, ASK):
        return
    band = scalar(market, IN_SAFEGUARDS)
    highest = (np.int64(halting[REFERENCE2]) >> 1) + band
    lowest = max(((np.int64(halting[REFERENCE2]) + 1) >> 1) - band, 1)
    if has(kind, ANY_PRICE):
        message[0] = IOC
        message[2] = highest if side == BID else lowest
    elif has(kind, PRICED) and (message[2] > highest if side == BID else 0 < message[2] < lowest):
        message[0] = NOOP
        halting[BY_BAND] += 1


@inner
def end_halting(market, memory, mid2):
    """A step ended with this mid (doubled): where the venue stands then, into the results."""
    halting = memory.halting
    before, reference2 = halting[LEFT], np.int64(halting[REFERENCE2])
    edge = 2 * scalar(market, IN_SAFEGUARDS)
    halting[LEFT] = max(before - 1, 0)
    if ((before > 0 and halting[LEFT] == 0) or reference2 == 0) and mid2 > 0:
        halting[REFERENCE2] = min(mid2, np.int64(MOST_REFERENCE2))
    if before == 0 and mid2 > 0 and reference2 > 0 and abs(mid2 - reference2) >= edge:
        halting[LEFT] = scalar(market, IN_SAFEGUARDS + 1)
        halting[HALTS] += 1
    for k in range(5):
        put(market, OUT_HALTING + k, halting[k])
