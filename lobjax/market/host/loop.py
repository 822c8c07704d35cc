"""The market's step as a Numba loop over one market: the twin of `lobjax.market.xla.loop`, equal to it to the bit.

Times are compared as one int64, `s * 2^32 + ns`.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

import numpy as np

from lobjax.clock import NS
from lobjax.ffi.frame import naturals
from lobjax.ffi.jit import inlined, inner
from lobjax.flow.host.draw import draw
from lobjax.flow.host.levels import add_lots, forget, recount
from lobjax.flow.host.poisson import forget_rates
from lobjax.kinds import Kind, Trait, mask
from lobjax.market.host.accounts import book_trades, clip_to_limits, only_own_orders, record
from lobjax.market.host.memory import (
    IN_CLOSING,
    IN_DROPPED,
    IN_DUE,
    IN_FEED_DELAY,
    IN_FEES,
    IN_FLOW,
    IN_LATE,
    IN_LIMITS,
    IN_NOW,
    IN_OPENED,
    IN_ORDER_DELAY,
    IN_PARAMS,
    IN_QUEUE,
    IN_SENT,
    IN_UNTIL,
    IN_WORDS,
    OUT_DEPTH,
    OUT_DROPPED,
    OUT_DUE,
    OUT_FLOW,
    OUT_HEAD,
    OUT_LATE,
    OUT_NOW,
    OUT_QUEUE,
    argument,
    book_of,
    load_accounts,
    load_book,
    put,
    result,
    scalar,
    store_accounts,
)
from lobjax.market.host.safeguards import end_halting, guard, load_halting
from lobjax.market.host.threefry import BLOCK, fill
from lobjax.market.risk import REENTERS
from lobjax.reference.arrays import blank_rest, find, has
from lobjax.reference.book import apply
from lobjax.types import INT32_MAX, Counters, Side

BID, ASK = int(Side.BID), int(Side.ASK)
NOOP, KINDS = int(Kind.NOOP), len(Kind)
AT_ITS_PRICE = mask(Trait.OF_OWNER, Trait.PRICED)
JOINS = mask(Trait.RESTS, without=Trait.REENTERS)
LEAVES_OWN_SIDE = mask(Trait.TAKES, without=Trait.RESTS)  # as it is
MEETS_OTHER = mask(Trait.TAKES) | mask(Trait.RESTS)
STP = Counters._fields.index("stp")
NEVER = INT32_MAX << 32


@inner
def step_market(flow, width, max_messages, step_messages, market, memory):
    """One step of one market: `market_step` from arguments to results. width: random words a message; the rest as in `Sizes`."""
    book = book_of(market, memory.n)
    load_book(market, book)
    load_accounts(market, memory)
    load_halting(market, memory)
    forget(memory.levels, BID)
    forget(memory.levels, ASK)
    forget_rates(memory.rates)
    _send(market, memory)
    opening_mid2, flow_mid2 = _mid2(book), np.int64(0)

    until, now = _time(market, IN_UNTIL), _time(market, IN_NOW)
    due = _time(market, IN_DUE)
    for k in range(memory.flow.shape[0]):
        memory.flow[k] = argument(market, IN_FLOW)[k]
    words, made = naturals(market.args[IN_WORDS], market.lengths[IN_WORDS]), 0
    params, lengths = market.args[IN_PARAMS:], market.lengths[IN_PARAMS:]
    places = market.lengths[IN_QUEUE]
    done, drawn, head, closed = 0, 0, 0, 0
    arrival = memory.queue_key[0]
    most = step_messages if step_messages > 0 else max_messages
    while True:
        closing = not (min(arrival, due) < until and drawn < most and done < max_messages)
        if closing and closed == market.lengths[IN_CLOSING]:
            break
        at, from_flow = min(arrival, due), not closing and due < arrival
        if closing:
            at = now if step_messages > 0 else until
            for field in range(6):
                memory.message[field] = argument(market, IN_CLOSING + field)[closed]
            closed += 1
            if memory.message[0] == NOOP:  # most of an arena's
                continue
        elif from_flow:
            if drawn == 0:
                flow_mid2 = _mid2(book)
            first = drawn * width
            drawn += 1
            if memory.words.shape[0] > 0 and first + width > made:
                made = _make_words(memory.words, words, made)
            row = (memory.words if memory.words.shape[0] > 0 else words)[first : first + width]
            s, ns = draw(flow, memory.flow, book, row, params, lengths, memory.levels, memory.rates, memory.message)
            due = _later(due, s, ns)
        else:
            for field in range(6):
                memory.message[field] = result(market, OUT_QUEUE + field)[head]
            head += 1
            arrival = memory.queue_key[head] if head < places else NEVER
        now = max(now, at)
        _run_message(book, market, memory, at, from_flow, closing)
        done += not closing

    late = min(arrival, due) < until
    if step_messages > 0:
        late = late and drawn < step_messages
    else:
        now = until
    put(market, OUT_LATE, scalar(market, IN_LATE) + late)
    put(market, OUT_HEAD, head)
    for k in range(memory.flow.shape[0]):
        result(market, OUT_FLOW)[k] = memory.flow[k]
    put(market, OUT_NOW, now >> 32)
    put(market, OUT_NOW + 1, now)
    put(market, OUT_DUE, due >> 32)
    put(market, OUT_DUE + 1, due)
    store_accounts(market, memory, opening_mid2, flow_mid2)
    end_halting(market, memory, _mid2(book))
    _write_depth(book, market)
    blank_rest(book)


@inlined
def _make_words(out, key, made):
    """Make the next of a step's random words; returns how many there are."""
    stop = min(made + BLOCK, out.shape[0])
    fill(out, made, stop, key)
    return stop


@inner
def _time(market, leaf):
    return (scalar(market, leaf) << 32) + scalar(market, leaf + 1)


@inlined
def _later(time, s, ns):
    """time + (s, ns), where seconds wrap around as int32 do."""
    ns += time & 0xFFFFFFFF
    carry = ns >= NS
    return (np.int64(np.int32((time >> 32) + s + carry)) << 32) + (ns - NS if carry else ns)


@inner
def _send(market, memory):
    """Twin of `inflight.send`: a stable sort of what waits and what is new, by arrival; the places' other fields move along."""
    now = _time(market, IN_NOW)
    head = scalar(market, IN_QUEUE + 8)
    places, new = market.lengths[IN_QUEUE], market.lengths[IN_SENT]
    key, source = memory.queue_key, memory.queue_from
    waiting_s, waiting_ns = argument(market, IN_QUEUE + 6), argument(market, IN_QUEUE + 7)
    kinds, owners = argument(market, IN_SENT), argument(market, IN_SENT + 5)
    feed_s, feed_ns = argument(market, IN_FEED_DELAY), argument(market, IN_FEED_DELAY + 1)
    order_s, order_ns = argument(market, IN_ORDER_DELAY), argument(market, IN_ORDER_DELAY + 1)
    for k in range(places + new):
        arrival = np.int64(NEVER)
        if k < places:
            if k >= head and waiting_s[k] < INT32_MAX:
                arrival = (np.int64(waiting_s[k]) << 32) + waiting_ns[k]
        elif kinds[k - places] != NOOP:
            row = max(0, min(owners[k - places], feed_s.shape[0] - 1))
            delay = _later(
                (np.int64(feed_s[row]) << 32) + feed_ns[row], np.int64(order_s[row]), np.int64(order_ns[row])
            )
            arrival = _later(now, delay >> 32, delay & 0xFFFFFFFF)
        at = k
        while at > 0 and key[at - 1] > arrival:
            key[at] = key[at - 1]
            source[at] = source[at - 1]
            at -= 1
        key[at] = arrival
        source[at] = k

    for field in range(6):
        old, sent, to = (
            argument(market, IN_QUEUE + field),
            argument(market, IN_SENT + field),
            result(market, OUT_QUEUE + field),
        )
        for at in range(places):
            k = source[at]
            to[at] = old[k] if k < places else sent[k - places]
    kind, to_s, to_ns = result(market, OUT_QUEUE), result(market, OUT_QUEUE + 6), result(market, OUT_QUEUE + 7)
    for at in range(places):
        to_s[at] = key[at] >> 32
        to_ns[at] = key[at]
        if key[at] >= NEVER:
            kind[at] = NOOP
    lost = 0
    for at in range(places, places + new):
        lost += key[at] < NEVER
    put(market, OUT_DROPPED, scalar(market, IN_DROPPED) + lost)


@inlined
def _run_message(book, market, memory, time, from_flow, closing):
    """Twin of `loop._apply` for `memory.message`."""
    message = memory.message
    low, high, target = argument(market, IN_LIMITS), argument(market, IN_LIMITS + 1), argument(market, IN_LIMITS + 2)
    guard(message, memory.halting, market)
    if message[5] >= 1:
        only_own_orders(book, message)
        clip_to_limits(book, memory.accounts, message, low, high, target, closing, memory.tally)
    kind, side, price, size, owner = message[0], message[1], message[2], message[3], message[5]
    if kind == NOOP:
        return
    two_sided = side in (BID, ASK)
    mid2 = _mid2(book)
    taker = owner
    if two_sided and 0 <= kind < KINDS and has(kind, REENTERS):
        at = find(book, side, message[4])
        taker = book.owner[side, at] if at >= 0 else taker
    resting = book.n[side] if two_sided else 0
    counters = memory.counters[1 if from_flow else 0]
    cancelled = counters[STP]
    traded, n_fills = apply(book, kind, side, price, size, message[4], owner, memory.fills, counters)
    cancelled = counters[STP] - cancelled
    if two_sided:
        _update_levels(book, memory, kind, side, price, size - traded, n_fills, resting, cancelled)
    if n_fills > 0:
        opened = _time(market, IN_OPENED)
        s, ns = (time >> 32) - (opened >> 32), (time & 0xFFFFFFFF) - (opened & 0xFFFFFFFF)
        if ns < 0:
            s, ns = s - 1, ns + NS
        elapsed_ms = np.int64(np.int32(s * 1000 + ns // 1_000_000))
        maker_fee, taker_fee = argument(market, IN_FEES), argument(market, IN_FEES + 1)
        book_trades(memory, side, taker, traded, n_fills, maker_fee, taker_fee, mid2, elapsed_ms)
    record(memory, traded, n_fills, closing)


@inlined
def _update_levels(book, memory, kind, side, price, left, n_fills, resting, cancelled):
    """Tell the flow's levels what a message did; resting: orders of its side before it, cancelled: by self-trade prevention."""
    levels = memory.levels
    if not 0 <= kind < KINDS:
        return
    if has(kind, AT_ITS_PRICE):
        recount(book, levels, side, price)
    elif has(kind, JOINS):
        if book.n[side] == resting + 1:
            add_lots(levels, side, price, left)
        elif book.n[side] == book.price.shape[1]:  # an order may have been displaced
            forget(levels, side)
    elif not has(kind, LEAVES_OWN_SIDE):
        forget(levels, side)
    if not has(kind, MEETS_OTHER):
        return
    for at in range(n_fills):
        add_lots(levels, 1 - side, memory.fills[at, 2], -memory.fills[at, 3])
    if cancelled > 0:
        forget(levels, 1 - side)


@inlined
def _mid2(book):
    bid = np.int64(book.price[BID, 0]) if book.n[BID] > 0 else np.int64(0)
    ask = np.int64(book.price[ASK, 0]) if book.n[ASK] > 0 else np.int64(0)
    return np.int64(np.int32((ask if bid == 0 else bid) + (bid if ask == 0 else ask)))


@inner
def _write_depth(book, market):
    """Twin of `views.depth`."""
    prices, sizes = result(market, OUT_DEPTH), result(market, OUT_DEPTH + 1)
    levels = prices.shape[0] // 2
    for to in range(2 * levels):
        prices[to] = 0
        sizes[to] = 0
    for side in range(2):
        level = -1
        for at in range(book.n[side]):
            if at == 0 or book.price[side, at] != book.price[side, at - 1]:
                level += 1
                if level == levels:
                    break
                prices[side * levels + level] = book.price[side, at]
            sizes[side * levels + level] += book.size[side, at]
