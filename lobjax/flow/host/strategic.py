"""The strategic trader for the engine `host`: the Numba twin of `StrategicFlow.next`, beside any other flow's twin, equal to the bit."""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false, reportGeneralTypeIssues=false

import numpy as np

from lobjax.clock import NS
from lobjax.ffi.frame import integers
from lobjax.ffi.jit import inlined
from lobjax.flow.strategic import FIRST_ID, STRATEGIC_OWNER
from lobjax.kinds import Kind
from lobjax.types import Side

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, LIMIT, MARKET = int(Kind.NOOP), int(Kind.LIMIT), int(Kind.MARKET)
# The leaves of `StrategicState`: the other flow's one, two waits, and the trader's own.
_OTHER_S, _, _OWN_S, _, _DIRECTION, _SENT, _PRICE = range(1, 8)  # each wait is followed by its nanoseconds


@inlined
def other_is_next(state):
    """Whether the other flow's message comes before the trader's."""
    return _wait(state, _OTHER_S) <= _wait(state, _OWN_S)


@inlined
def next_order(state, book, params, leaf, message):
    """The trader's next order into `message`; returns the wait from it to the one after."""
    at_market = (state[_SENT] & 1) == 0
    buys = state[_DIRECTION] > 0
    if at_market:
        state[_PRICE] = _inside(book, buys)
    price = state[_PRICE]
    lots = integers(params[leaf + 2], 2)[0 if at_market else 1]
    message[0] = (MARKET if at_market else LIMIT) if lots > 0 and price > 0 else NOOP
    message[1] = BID if buys else ASK
    message[2] = price
    message[3] = lots
    message[4] = FIRST_ID + state[_SENT]
    message[5] = STRATEGIC_OWNER
    state[_SENT] += 1
    if at_market:
        return np.int32(0), np.int32(0)
    return integers(params[leaf], 1)[0], integers(params[leaf + 1], 1)[0]


@inlined
def first_of_both(state, of_other, wait):
    """As `StrategicFlow.next` does: whoever wrote has a new wait; returns the shorter of both, and takes it off both."""
    other_wait = wait if of_other else _wait(state, _OTHER_S)
    own_wait = _wait(state, _OWN_S) if of_other else wait
    first = min(other_wait, own_wait)
    _set_wait(state, _OTHER_S, other_wait, first)
    _set_wait(state, _OWN_S, own_wait, first)
    return np.int32(first >> 32), np.int32(first & 0xFFFFFFFF)


@inlined
def _inside(book, buys):
    bid = np.int64(book.price[BID, 0]) if book.n[BID] > 0 else np.int64(0)
    ask = np.int64(book.price[ASK, 0]) if book.n[ASK] > 0 else np.int64(0)
    if buys:
        return ask - 1 if ask > 0 else bid
    return bid + 1 if bid > 0 else ask


@inlined
def _wait(state, leaf):
    """A wait as one number, s * 2^32 + ns."""
    return (np.int64(state[leaf]) << 32) + state[leaf + 1]


@inlined
def _set_wait(state, leaf, wait, passed):
    """The wait less what passed; seconds wrap around as int32 do."""
    s, ns = (wait >> 32) - (passed >> 32), (wait & 0xFFFFFFFF) - (passed & 0xFFFFFFFF)
    state[leaf] = s - (ns < 0)
    state[leaf + 1] = ns + NS if ns < 0 else ns
