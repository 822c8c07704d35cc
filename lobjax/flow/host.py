"""The flows for the engine `host`: Numba twins of `PoissonFlow.next` and `RecordedFlow.next`, equal to them to the bit.

Every twin has one signature: it reads the flow's state (one int32), the book and its row of random words, writes the message, and
returns the new state and the wait. To add a flow: write its twin, call it in `draw`, and say in `FLOWS` which parameters it gets.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

from typing import NamedTuple

import jax
import numpy as np

from lobjax.clock import NS
from lobjax.ffi import inner, integers, naturals, outer
from lobjax.flow.fixed import LN2, MAX_TOTAL_RATE, MINUS_LOG, STEPS
from lobjax.flow.poisson import PoissonFlow, PoissonParams
from lobjax.flow.recorded import RecordedFlow, RecordedParams
from lobjax.types import INT32_MAX, Kind, Side

POISSON, RECORDED = 0, 1


def _poisson_leaves(params: PoissonParams) -> list[jax.Array]:
    rates = (params.limit[: params.distances], params.cancel[: params.distances], params.market)
    return [*rates, params.size_thresholds[: params.size_max - 1], params.opening.price[:, 0]]


def _recorded_leaves(params: RecordedParams) -> list[jax.Array]:
    return [*params.messages, *params.time]


# By type of flow: its number in `draw`, and the parameters that its twin reads.
FLOWS = {PoissonFlow: (POISSON, _poisson_leaves), RecordedFlow: (RECORDED, _recorded_leaves)}

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, LIMIT, MARKET, REDUCE = int(Kind.NOOP), int(Kind.LIMIT), int(Kind.MARKET), int(Kind.REDUCE)
UINT32_MAX = 2**32 - 1
_LOG_TABLE = MINUS_LOG.astype(np.int64)
_NOWHERE = -(1 << 62)


class Levels(NamedTuple):
    """Resting lots by distance from the opposite best, kept from one message to the next while they hold."""

    volume: np.ndarray  # int64 [2, D]
    anchor: (
        np.ndarray
    )  # int64 [2], the price from which distances of a side are counted; `_NOWHERE` when the volumes are out of date
    rate: np.ndarray  # int64 [2 * (2 * D + 1)]


@outer
def new_levels(distances):
    """Memory for `distances` levels a side; call `forget` before use."""
    return Levels(
        np.zeros((2, distances), np.int64), np.zeros(2, np.int64), np.zeros(2 * (2 * distances + 1), np.int64)
    )


@inner
def forget(levels, side):
    """Say that a side of the book has changed in an unknown way."""
    levels.anchor[side] = _NOWHERE


@inner
def add_lots(levels, side, price, lots):
    """Say that `lots` have joined a side at a price."""
    if levels.anchor[side] == _NOWHERE:
        return
    distance = _distance(side, levels.anchor[side], np.int64(price))
    if distance < 1:
        forget(levels, side)
    elif distance <= levels.volume.shape[1]:
        levels.volume[side, distance - 1] += lots


@inner
def _distance(side, anchor, price):
    # As the definition's int32 has it: beside the largest price the anchor has wrapped around.
    return np.int64(np.int32(anchor - price if side == BID else price - anchor))


@inner
def draw(flow, state, book, words, params, lengths, levels, message):
    """The flow's next message into `message` (int32 [6]); returns (state, wait in s, wait in ns). See the module's text.

    words: uint32 `[W]`; params, lengths: addresses and numbers of elements of the flow's parameters, in their order.
    """
    if flow == POISSON:
        return _next_poisson(state, book, words, params, lengths, levels, message)
    return _next_recorded(state, params, lengths, message)


@inner
def _next_poisson(state, book, words, params, lengths, levels, message):
    limit, cancel = naturals(params[0], lengths[0]), naturals(params[1], lengths[1])
    market = np.int64(naturals(params[2], 1)[0])
    thresholds = naturals(params[3], lengths[3])
    first = integers(params[4], 2)
    bid, ask = _anchors(book, first)
    _count_lots(book, BID, ask, levels)
    _count_lots(book, ASK, bid, levels)
    distances = levels.volume.shape[1]
    width = 1 + 2 * distances
    total = _rates(market, limit, cancel, levels)
    drawn = 2 * width
    if total > 0:
        drawn = _outcome(levels.rate, np.int64((np.uint64(words[1]) * np.uint64(total)) >> np.uint64(32)))
    side, event = drawn // width, drawn % width
    level = event - distances if event > distances else event
    kind = MARKET if event == 0 else LIMIT if event == level else REDUCE
    kind = NOOP if total == 0 else kind
    size = np.int64(1)
    for k in range(np.uint64(thresholds.shape[0])):
        size += thresholds[k] <= words[2]
    message[0] = kind
    message[1] = side
    message[2] = np.int32(ask - level if side == BID else bid + level)
    message[3] = size
    message[4] = state
    message[5] = 0
    seconds, ns = waiting_time(exponential(words[0]), min(total, MAX_TOTAL_RATE))
    return np.int32(state + (kind == LIMIT)), seconds, ns


@inner
def _anchors(book, first):
    bid = np.int64(book.price[BID, 0]) if book.n[BID] > 0 else np.int64(0)
    ask = np.int64(book.price[ASK, 0]) if book.n[ASK] > 0 else np.int64(0)
    if bid == 0 and ask == 0:
        return np.int64(first[BID]), np.int64(first[ASK])
    return bid if bid > 0 else ask - 1, ask if ask > 0 else np.int64(np.int32(bid + 1))


@inner
def _count_lots(book, side, anchor, levels):
    """Bring the volumes of a side up to date for distances from `anchor`: one pass over the orders that are near enough."""
    if levels.anchor[side] == anchor:
        return
    levels.anchor[side] = anchor
    for level in range(levels.volume.shape[1]):
        levels.volume[side, level] = 0
    farthest = levels.volume.shape[1]
    lots, last = np.int64(0), np.int64(1)
    for at in range(book.n[side]):
        distance = _distance(side, anchor, np.int64(book.price[side, at]))
        if distance > farthest:
            break
        if distance < 1:
            continue
        if distance != last:
            levels.volume[side, last - 1] = lots
            lots, last = np.int64(0), distance
        lots += book.size[side, at]
    levels.volume[side, last - 1] = lots


@inner
def _rates(market, limit, cancel, levels):
    """Fill in the rates of all events, by side; returns their total modulo 2^32, as the definition's uint32 has it."""
    distances = levels.volume.shape[1]
    total = np.int64(0)
    to = 0
    for side in range(2):
        levels.rate[to] = market
        total += market
        to += 1
        for level in range(distances):
            levels.rate[to + level] = limit[level]
            total += limit[level]
            lots = levels.volume[side, level] & UINT32_MAX
            rate = np.int64(cancel[level]) * lots
            if rate > MAX_TOTAL_RATE or lots > MAX_TOTAL_RATE:
                most = MAX_TOTAL_RATE // max(np.int64(cancel[level]), 1)
                rate = np.int64(cancel[level]) * min(lots, most)
            levels.rate[to + distances + level] = rate
            total += rate
        to += 2 * distances
    return total & UINT32_MAX


@inner
def _outcome(rate, pick):
    """The number of cumulative rates (modulo 2^32) that are at most `pick`."""
    drawn, total = 0, np.int64(0)
    for k in range(np.uint64(rate.shape[0])):
        total = (total + rate[k]) & UINT32_MAX
        drawn += total <= pick
    return drawn


@inner
def exponential(word):
    """Twin of `fixed.exponential`, int64."""
    mantissa = np.int64(word) | 1
    zeros = 0
    while mantissa < 1 << 31:
        mantissa <<= 1
        zeros += 1
    index = (mantissa >> 23) & (STEPS - 1)
    fraction = (mantissa >> 8) & 0x7FFF
    upper, lower = _LOG_TABLE[index], _LOG_TABLE[index + 1]
    return zeros * LN2 + upper - (((upper - lower) * fraction) >> 15)


@inner
def waiting_time(draw, rate):
    """Twin of `fixed.waiting_time`: (s, ns). One long division has all the digits that the definition finds eight bits at a time."""
    quotient = np.uint64(draw << 24) // np.uint64(max(rate, 1))  # 2^-30 s
    quotient = np.int64(quotient)
    billionths = quotient & ((1 << 30) - 1)
    return np.int32(quotient >> 30), np.int32(((billionths << 2) * NS) >> 32)


@inner
def _next_recorded(state, params, lengths, message):
    rows = lengths[0]
    at = _row(state, rows)
    for field in range(6):
        message[field] = integers(params[field], rows)[at]
    seconds, billionths = integers(params[6], rows), integers(params[7], rows)
    following = np.int32(state + 1)
    due_s, due_ns = np.int64(INT32_MAX), np.int64(0)  # never
    if following < rows:
        due_s, due_ns = np.int64(seconds[following]), np.int64(billionths[following])
    s, ns = due_s - seconds[at], due_ns - billionths[at]
    return following, np.int32(s - (ns < 0)), np.int32(ns + NS if ns < 0 else ns)


@inner
def _row(index, rows):
    return max(0, min(np.int64(index), rows - 1))
