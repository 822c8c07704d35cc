"""The flows for the engine `host`: Numba twins of `PoissonFlow.next`, `RecordedFlow.next` and `StrategicFlow.next`, equal to the bit.

A twin reads and changes the flow's state (its leaves as int32, in order; what a flow adds to those of its twin comes last), reads the
book and its row of random words, writes the message, and returns the wait. To add a flow: write its twin, call it in `draw`, and say in
`twin_of` and `leaves_of` what its number is and which parameters it gets.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false, reportGeneralTypeIssues=false

from typing import Any

import jax
import numpy as np

from lobjax.clock import NS
from lobjax.ffi.frame import integers
from lobjax.ffi.jit import inlined
from lobjax.flow.host.poisson import LEAVES, next_poisson, poisson_leaves
from lobjax.flow.mixed import MixedFlow, numbers_of
from lobjax.flow.poisson import PoissonFlow
from lobjax.flow.recorded import RecordedFlow, RecordedParams
from lobjax.flow.strategic import FIRST_ID, STRATEGIC_OWNER, StrategicFlow
from lobjax.kinds import Kind
from lobjax.types import INT32_MAX, Side

POISSON, RECORDED = 0, 1
STRATEGIC = 2  # added to the number of the flow that the strategic trader acts beside

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, LIMIT, MARKET = int(Kind.NOOP), int(Kind.LIMIT), int(Kind.MARKET)
_RECORDED_LEAVES = 8
# The leaves of `StrategicState`: the other flow's one, two waits, and the trader's own.
_OTHER_S, _, _OWN_S, _, _DIRECTION, _SENT, _PRICE = range(1, 8)  # each wait is followed by its nanoseconds


def twin_of(flow: Any) -> int | None:
    """The number of a flow in `draw`; None if it has no twin."""
    if type(flow) is MixedFlow:
        return twin_of(flow.flow)
    if type(flow) is StrategicFlow:
        other = None if type(flow.other) is MixedFlow else twin_of(flow.other)
        return None if other is None or other >= STRATEGIC else other + STRATEGIC
    return {PoissonFlow: POISSON, RecordedFlow: RECORDED}.get(type(flow))


def leaves_of(flow: Any, state: Any, params: Any) -> list[jax.Array]:
    """The parameters that the twin reads, in its order."""
    if type(flow) is MixedFlow:
        return leaves_of(flow.flow, state.one, numbers_of(params, state.which))
    if type(flow) is StrategicFlow:
        return [*leaves_of(flow.other, state.other, params.other), *params.every, params.lots]
    return poisson_leaves(params) if type(flow) is PoissonFlow else _recorded_leaves(params)


def _recorded_leaves(params: RecordedParams) -> list[jax.Array]:
    return [*params.messages, *params.time]


@inlined
def draw(flow, state, book, words, params, lengths, levels, rates, message):
    """The flow's next message into `message` (int32 [6]); returns (wait in s, wait in ns). See the module's text.

    state: int32 [S]; words: uint32 `[W]`; params, lengths: addresses and numbers of elements of the flow's parameters, in their order.
    """
    trader = flow >= STRATEGIC
    other = flow - STRATEGIC if trader else flow
    of_other = not trader or _wait(state, _OTHER_S) <= _wait(state, _OWN_S)
    s, ns = np.int32(0), np.int32(0)
    # One place for each twin: all are compiled into their caller.
    if not of_other:
        s, ns = _order(state, book, params, LEAVES if other == POISSON else _RECORDED_LEAVES, message)
    elif other == POISSON:
        s, ns = next_poisson(state, book, words, params, lengths, levels, rates, message)
    else:
        s, ns = _next_recorded(state, params, lengths, message)
    if not trader:
        return s, ns
    return _first_of_both(state, of_other, (np.int64(s) << 32) + ns)


@inlined
def _first_of_both(state, of_other, wait):
    """As `StrategicFlow.next` does: whoever wrote has a new wait; returns the shorter of both, and takes it off both."""
    other_wait = wait if of_other else _wait(state, _OTHER_S)
    own_wait = _wait(state, _OWN_S) if of_other else wait
    first = min(other_wait, own_wait)
    _set_wait(state, _OTHER_S, other_wait, first)
    _set_wait(state, _OWN_S, own_wait, first)
    return np.int32(first >> 32), np.int32(first & 0xFFFFFFFF)


@inlined
def _order(state, book, params, leaf, message):
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


@inlined
def _next_recorded(state, params, lengths, message):
    rows = lengths[0]
    at = _row(state[0], rows)
    for field in range(6):
        message[field] = integers(params[field], rows)[at]
    seconds, billionths = integers(params[6], rows), integers(params[7], rows)
    following = np.int32(state[0] + 1)
    due_s, due_ns = np.int64(INT32_MAX), np.int64(0)  # never
    if following < rows:
        due_s, due_ns = np.int64(seconds[following]), np.int64(billionths[following])
    s, ns = due_s - seconds[at], due_ns - billionths[at]
    state[0] = following
    return np.int32(s - (ns < 0)), np.int32(ns + NS if ns < 0 else ns)


@inlined
def _row(index, rows):
    return max(0, min(np.int64(index), rows - 1))
