"""The Poisson flow for the engine `host`: the Numba twin of `PoissonFlow.next`, tactical traders included, equal to it to the bit."""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.clock import NS
from lobjax.ffi.frame import integers, naturals
from lobjax.ffi.jit import inlined, outer
from lobjax.flow.driven import DrivenParams
from lobjax.flow.fixed import FRACTION_BITS, LN2, MAX_TOTAL_RATE, MINUS_LOG, STEPS
from lobjax.flow.host.levels import MOST_DISTANCES, first_place
from lobjax.flow.poisson import REFILL_LOTS, REFILL_NS, PoissonParams
from lobjax.flow.tactical import MOST_LOTS
from lobjax.kinds import Kind
from lobjax.types import Side

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, LIMIT, MARKET, REDUCE = int(Kind.NOOP), int(Kind.LIMIT), int(Kind.MARKET), int(Kind.REDUCE)
UINT32_MAX = 2**32 - 1
ONE = 1 << FRACTION_BITS
_LOG_TABLE = MINUS_LOG.astype(np.int64)

LEAVES = 10  # parameters that the twin reads
_LIMIT, _CANCEL, _MOST, _MARKET, _THRESHOLDS, _FIRST, _LOG, _WEIGHTS, _FACTOR, _DRIVEN = range(LEAVES)
_PUSH_BUYS, _PUSH_SELLS, _SIZE, _VALUE, _THRESHOLD, _CAP, _RATE = range(7)  # of the last, int32


def poisson_leaves(params: PoissonParams) -> list[jax.Array]:
    """What the twin reads of the parameters, in its order. ValueError for more distances than its window of prices has."""
    if max(params.distances, params.tactical.levels if params.tactical else 0) > MOST_DISTANCES:
        raise ValueError(f"a flow of {params.distances} distances is more than {MOST_DISTANCES}")
    limit, cancel = params.limit[: params.distances], params.cancel[: params.distances]
    tactical, driven = params.tactical, params.driven
    return [
        jnp.cumsum(limit, dtype=jnp.uint32),
        cancel,
        jnp.uint32(MAX_TOTAL_RATE) // jnp.maximum(cancel, 1),
        params.market,
        params.size_thresholds[: params.size_max - 1],
        params.opening.price[:, 0],
        params.minus_log,
        tactical.weights[: tactical.levels] if tactical else jnp.zeros((0,), jnp.int32),
        tactical.factor if tactical else jnp.uint32(0),
        _driven_leaf(driven) if driven else jnp.zeros((0,), jnp.int32),
    ]


def _driven_leaf(driven: DrivenParams) -> jax.Array:
    numbers = (driven.size, driven.value2, driven.threshold2, driven.cap2, driven.rate)
    return jnp.concatenate([driven.push.astype(jnp.int32), jnp.stack([x.astype(jnp.int32) for x in numbers])])


class Rates(NamedTuple):
    """Sums by side, kept while neither the side's lots nor its anchor change."""

    seen: np.ndarray  # int64 [2, 3]: changes of the lots, anchor and best price for which they were made
    cancels: np.ndarray  # int64 [2], total rate of cancellations, modulo 2^32
    weighted: np.ndarray  # int64 [2], lots weighted by their distance from the best
    place: np.ndarray  # int64 [2], of the first price


@outer
def new_rates():
    """Memory; call `forget_rates` before use."""
    return Rates(np.zeros((2, 3), np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64))


@inlined
def forget_rates(rates):
    """Make the next message count anew: another market, other parameters."""
    rates.seen[:] = -1


@inlined
def next_poisson(state, book, words, params, lengths, levels, rates, message):
    """The next message into `message` (int32 [6]); state: int32 [1]. Returns (wait in s, wait in ns)."""
    limit, cancel = naturals(params[_LIMIT], lengths[_LIMIT]), naturals(params[_CANCEL], lengths[_CANCEL])
    most = naturals(params[_MOST], lengths[_MOST])
    weights, factor = integers(params[_WEIGHTS], lengths[_WEIGHTS]), np.int64(naturals(params[_FACTOR], 1)[0])
    thresholds = naturals(params[_THRESHOLDS], lengths[_THRESHOLDS])
    market, limits = np.int64(naturals(params[_MARKET], 1)[0]), np.int64(limit[limit.shape[0] - 1])
    has_bid, has_ask = book.n[BID] > 0, book.n[ASK] > 0
    bid, ask = _anchors(book, integers(params[_FIRST], 2))
    for side in range(2):
        anchor, best = (ask, bid) if side == BID else (bid, ask)
        _sum_side(book, side, anchor, best, cancel, most, weights, levels, rates)
    if not (has_bid and has_ask):
        return _refill(state, has_bid, has_ask, bid, ask, levels, rates, message)

    rising, falling = np.int64(ONE), np.int64(ONE)
    if weights.shape[0] > 0:
        rising, falling = _multipliers(rates.weighted[BID], rates.weighted[ASK], factor)
        bid_market, ask_market = _times(market, rising), _times(market, falling)
        bid_limits, ask_limits = _times(limits, rising), _times(limits, falling)
        bid_cancels, ask_cancels = _times(rates.cancels[BID], falling), _times(rates.cancels[ASK], rising)
    else:
        bid_market = ask_market = market
        bid_limits = ask_limits = limits
        bid_cancels, ask_cancels = rates.cancels[BID], rates.cancels[ASK]
    driven = integers(params[_DRIVEN], lengths[_DRIVEN])
    if driven.shape[0] > 0:
        gap2 = np.int64(driven[_VALUE]) - (bid + ask)
        bid_market = _driven_rate(bid_market, gap2, driven[_PUSH_BUYS], driven)
        ask_market = _driven_rate(ask_market, -gap2, driven[_PUSH_SELLS], driven)
    first_ask = (bid_market + bid_limits + bid_cancels) & UINT32_MAX
    total = (first_ask + ask_market + ask_limits + ask_cancels) & UINT32_MAX
    place = np.int64((np.uint64(words[1]) * np.uint64(total)) >> np.uint64(32))
    side, at_market, at_limit = BID, bid_market, bid_limits
    if place >= first_ask:
        side, at_market, at_limit = ASK, ask_market, ask_limits
        place -= first_ask

    kind, level = MARKET, np.int64(0)
    if place >= at_market:
        place -= at_market
        kind = LIMIT
        if place >= at_limit:
            place -= at_limit
            kind = REDUCE
        if weights.shape[0] > 0:
            place = (place << FRACTION_BITS) // (rising if (side == BID) == (kind == LIMIT) else falling)
        if kind == LIMIT:
            for k in range(np.uint64(limit.shape[0])):
                level += limit[k] <= place
        else:
            level = _cancelled_level(levels.lots, side, rates.place[side], cancel, most, place)
        level += 1
    if total == 0:
        kind, side, level = NOOP, 2, np.int64(0)
    size = np.int64(1)
    for k in range(np.uint64(thresholds.shape[0])):
        size += thresholds[k] <= words[2]
    if driven.shape[0] > 0 and kind == MARKET and total > 0:
        size = max((size * np.int64(driven[_SIZE])) >> FRACTION_BITS, 1)
    message[0] = kind
    message[1] = side
    message[2] = np.int32(ask - level if side == BID else bid + level)
    message[3] = size
    message[4] = state[0]
    message[5] = 0
    state[0] += kind == LIMIT
    log = naturals(params[_LOG], STEPS + 1)
    return waiting_time(exponential(words[0], log), min(total, MAX_TOTAL_RATE))


@inlined
def _anchors(book, first):
    # Not wrapped around at the largest price, unlike the definition's int32; prices of messages are cut to int32 alike.
    bid = np.int64(book.price[BID, 0]) if book.n[BID] > 0 else np.int64(0)
    ask = np.int64(book.price[ASK, 0]) if book.n[ASK] > 0 else np.int64(0)
    if bid == 0 and ask == 0:
        return np.int64(first[BID]), np.int64(first[ASK])
    return bid if bid > 0 else ask - 1, ask if ask > 0 else bid + 1


@inlined
def _sum_side(book, side, anchor, best, cancel, most, weights, levels, rates):
    """Bring a side's sums up to date."""
    distances = max(cancel.shape[0], weights.shape[0])
    seen = rates.seen
    if seen[side, 0] == levels.changes[side] and seen[side, 1] == anchor and seen[side, 2] == best:
        return
    first = np.uint64(first_place(book, levels, side, anchor, distances))
    row = np.uint64(side)
    total = np.int64(0)
    for k in range(np.uint64(cancel.shape[0])):
        total += np.int64(cancel[k]) * min(np.int64(np.uint32(levels.lots[row, first + k])), np.int64(most[k]))
    rates.cancels[side] = total & UINT32_MAX
    weighted = np.int64(0)
    behind = max(np.int64(0), min(abs(anchor - best) - 1, np.int64(weights.shape[0])))
    start = first + np.uint64(behind)
    for k in range(np.uint64(weights.shape[0] - behind)):
        weighted += np.int64(weights[k]) * max(min(levels.lots[row, start + k], MOST_LOTS), 0)
    rates.weighted[side] = weighted
    rates.place[side] = first
    seen[side, 0], seen[side, 1], seen[side, 2] = levels.changes[side], anchor, best


@inlined
def _cancelled_level(lots, side, first, cancel, most, place):
    """The number of cumulative cancellation rates (modulo 2^32) that are at most `place`."""
    level, total = np.int64(0), np.int64(0)
    row, start = np.uint64(side), np.uint64(first)
    for k in range(np.uint64(cancel.shape[0])):
        total += np.int64(cancel[k]) * min(np.int64(np.uint32(lots[row, start + k])), np.int64(most[k]))
        level += (total & UINT32_MAX) <= place
    return level


@inlined
def _refill(state, has_bid, has_ask, bid, ask, levels, rates, message):
    """Twin of `poisson._refill`."""
    size = np.int64(REFILL_LOTS)
    if has_ask:
        size = np.int64(levels.lots[ASK, rates.place[ASK]])
    elif has_bid:
        size = np.int64(levels.lots[BID, rates.place[BID]])
    message[0] = LIMIT
    message[1] = ASK if has_bid else BID
    message[2] = np.int32(ask if has_bid else bid)
    message[3] = size
    message[4] = state[0]
    message[5] = 0
    state[0] += 1
    return np.int32(0), np.int32(REFILL_NS)


@inlined
def _multipliers(bids, asks, factor):
    """Twin of `tactical.multipliers` for weighted lots."""
    part, whole = abs(bids - asks), bids + asks
    while whole >= 1 << 24:
        part >>= 1
        whole >>= 1
    imbalance = (part << FRACTION_BITS) // max(whole, 1)
    pressed = ONE + ((imbalance * (factor >> 4)) >> (FRACTION_BITS - 4))
    return pressed if bids > asks else np.int64(ONE), pressed if asks > bids else np.int64(ONE)


@inlined
def _driven_rate(rate, gap2, push, driven):
    """Twin of `driven.driven_rate`; gap2: half ticks by which the value is on the side's way."""
    each = np.int64(driven[_RATE])
    excess2 = max(np.int64(0), min(gap2 - driven[_THRESHOLD], np.int64(driven[_CAP])))
    return _times(rate, np.int64(push)) + each * min(excess2, MAX_TOTAL_RATE // max(each, 1))


@inlined
def _times(rate, multiplier):
    return (min(rate, MAX_TOTAL_RATE) * multiplier) >> FRACTION_BITS


@inlined
def exponential(word, log):
    """Twin of `fixed.exponential`, int64; log: `MINUS_LOG`."""
    mantissa = np.int64(word) | 1
    zeros = 0
    while mantissa < 1 << 31:
        mantissa <<= 1
        zeros += 1
    index = (mantissa >> 23) & (STEPS - 1)
    fraction = (mantissa >> 8) & 0x7FFF
    upper, lower = np.int64(log[index]), np.int64(log[index + 1])
    return zeros * LN2 + upper - (((upper - lower) * fraction) >> 15)


@inlined
def waiting_time(draw, rate):
    """Twin of `fixed.waiting_time`: (s, ns). One long division has all the digits that the definition finds eight bits at a time."""
    quotient = np.int64(np.uint64(draw << 24) // np.uint64(max(rate, 1)))  # 2^-30 s
    billionths = quotient & ((1 << 30) - 1)
    return np.int32(quotient >> 30), np.int32(((billionths << 2) * NS) >> 32)
