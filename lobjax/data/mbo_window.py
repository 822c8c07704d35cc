"""The part of a whole order-by-order book that is sent on: the best levels of each side, whole queues under their own ids. Numba.

`Queues` holds every order of the file. The window is the first `levels[side]` of its levels: all that an engine holds, order by
order, and exact. It keeps at least `least` levels (or all there are): when one goes, the next behind it is *revealed*, its orders
sent in the order of their queue. New prices inside make it longer; at the end of an event what is more than `most` is *pruned*.
A level that comes back does so with its orders as they are then. While the book is crossed, as before an auction, no engine could
hold it: the window is *withdrawn* and seeded again when the event comes that leaves it uncrossed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.data.day import Origin
from lobjax.data.queues import BID, NONE, better, join, place_of, take
from lobjax.kinds import Kind
from lobjax.types import INT32_MAX

COUNTS: tuple[str, ...] = (
    *(
        "real_messages",
        "correction_messages",
        "pruned",
        "repaired",
        "seeded",
        "revealed",
        "withdrawn",
    ),  # by Origin, in its order
    "messages",
    "unknown_cancels",
    "unknown_modifies",
    "unknown_executions",
    "executions_in_turn",
    "executions_out_of_turn",
    "cancelled_ahead",
    "hidden_lots",
    "oversized_cancels",
    "reused_ids",
    "crossing_orders",
    "auctions",
    "crossed_rows",
    "clears",
    "implicit_clears",
)
N_MESSAGES, UNKNOWN_CANCELS, UNKNOWN_MODIFIES, UNKNOWN_EXECUTIONS, IN_TURN, OUT_OF_TURN, AHEAD = range(7, 14)
HIDDEN_LOTS, OVERSIZED, REUSED_IDS, CROSSING, AUCTIONS, CROSSED_ROWS, CLEARS, IMPLICIT_CLEARS = range(14, len(COUNTS))
REAL, _, PRUNE, REPAIR, SEED, REVEAL, WITHDRAW = (int(origin) for origin in Origin)
LIMIT, CANCEL, DELETE, IOC, REPLACE = (
    int(kind) for kind in (Kind.LIMIT, Kind.CANCEL, Kind.DELETE, Kind.IOC, Kind.REPLACE)
)


class Window(NamedTuple):
    """How far the window reaches."""

    least: int
    most: int
    levels: np.ndarray  # int64 [2], levels held
    orders: np.ndarray  # int64 [2], orders in them
    peak: np.ndarray  # int64 [2], most orders ever
    open: np.ndarray  # bool [1]
    crossed: np.ndarray  # bool [1], the book, when the last event ended


def closed_window(least: int, margin: int) -> Window:
    """A window that nothing is in yet."""
    return Window(
        least, least + margin, *(np.zeros(2, np.int64) for _ in range(3)), *(np.zeros(1, np.bool_) for _ in range(2))
    )


@njit(cache=True)
def put(log, kind, side, price, size, order_id, origin):
    at = log.n[0]
    log.messages[at, 0], log.messages[at, 1], log.messages[at, 2] = kind, side, price
    log.messages[at, 3], log.messages[at, 4], log.messages[at, 5] = size, order_id, origin
    log.n[0] = at + 1
    log.counts[N_MESSAGES] += 1
    log.counts[origin] += 1


@njit(cache=True)
def is_held(queues, window, slot):
    """Whether an order is in the window."""
    side = queues.order_side[slot]
    return window.open[0] and place_of(queues, side, queues.order_price[slot]) < window.levels[side]


@njit(cache=True)
def would_be_held(queues, window, side, price):
    """Whether an order that came now would be in the window."""
    at, held = place_of(queues, side, price), window.levels[side]
    is_new = at == queues.n_levels[side] or queues.price[side, at] != price
    return window.open[0] and (at < held or (at == held < window.least and is_new))


@njit(cache=True)
def crosses(queues, side, price):
    """Whether an order at `price` would meet the other side."""
    other = 1 - side
    return queues.n_levels[other] > 0 and not better(side, queues.price[other, 0], price)


@njit(cache=True)
def rest(queues, window, side, price, lots, order_id, held):
    """An order at the back of its level; `held`: in the window."""
    before = queues.n_levels[side]
    join(queues, side, price, lots, order_id, False)
    if held:
        window.levels[side] += queues.n_levels[side] - before
        window.orders[side] += 1
        window.peak[side] = max(window.peak[side], window.orders[side])


@njit(cache=True)
def lose(queues, window, slot, lots):
    """Take lots off an order, with no message; at zero it is gone."""
    side, held, whole = queues.order_side[slot], is_held(queues, window, slot), lots == queues.order_lots[slot]
    before = queues.n_levels[side]
    take(queues, slot, lots)
    if held:
        window.levels[side] -= before - queues.n_levels[side]
        window.orders[side] -= whole


@njit(cache=True)
def cancel(queues, window, log, slot, lots, origin):
    """Take lots off an order and say so where it is in the window: a DELETE if that is all it has."""
    if is_held(queues, window, slot):
        kind = DELETE if lots == queues.order_lots[slot] else CANCEL
        put(log, kind, queues.order_side[slot], queues.order_price[slot], lots, queues.order_id[slot], origin)
    lose(queues, window, slot, lots)


@njit(cache=True)
def reveal(queues, window, log, side, origin):
    """Send the levels that the window is short of, each from the front of its queue."""
    while window.open[0] and window.levels[side] < min(window.least, queues.n_levels[side]):
        at = window.levels[side]
        slot = queues.front[side, at]
        while slot != NONE:
            put(log, LIMIT, side, queues.price[side, at], queues.order_lots[slot], queues.order_id[slot], origin)
            window.orders[side] += 1
            slot = queues.newer[slot]
        window.levels[side] += 1
    window.peak[side] = max(window.peak[side], window.orders[side])


@njit(cache=True)
def let_go(queues, window, log, side, levels, origin):
    """Delete the orders of the window's worst levels, newest first, until it has no more than `levels`; the book keeps them."""
    while window.levels[side] > levels:
        at = window.levels[side] - 1
        slot = queues.back[side, at]
        while slot != NONE:
            put(log, DELETE, side, queues.price[side, at], queues.order_lots[slot], queues.order_id[slot], origin)
            window.orders[side] -= 1
            slot = queues.older[slot]
        window.levels[side] = at


@njit(cache=True)
def withdraw(queues, window, log, origin):
    """Empty the window; it stays so until the end of an event finds the book uncrossed."""
    for side in range(2):
        let_go(queues, window, log, side, 0, origin)
    window.open[0] = False


@njit(cache=True)
def settle(queues, window, log):
    """The end of an event: open or withdraw the window as the book is uncrossed or not, and prune."""
    is_crossed = queues.n_levels[BID] > 0 and crosses(queues, BID, queues.price[BID, 0])
    log.counts[CROSSED_ROWS] += is_crossed
    log.counts[AUCTIONS] += is_crossed and not window.crossed[0]
    window.crossed[0] = is_crossed
    if is_crossed:
        withdraw(queues, window, log, WITHDRAW)
    elif not window.open[0]:
        window.open[0] = True
        for side in range(2):
            reveal(queues, window, log, side, SEED)
    for side in range(2):
        let_go(queues, window, log, side, window.most, PRUNE)


@njit(cache=True)
def extend_or_put_ioc(log, first, side, price, lots):
    """An aggressive order of `lots`; one more fill of the same one where the last message, not before `first`, is it."""
    at = log.n[0] - 1
    if (
        at >= first
        and log.messages[at, 0] == IOC
        and log.messages[at, 1] == side
        and log.messages[at, 2] == price
        and log.messages[at, 3] + lots <= INT32_MAX
    ):
        log.messages[at, 3] += lots
    else:
        put(log, IOC, side, price, lots, 0, REAL)
