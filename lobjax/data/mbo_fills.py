"""Fills of an order-by-order file as aggressive orders. Numba, no JAX.

A fill of a resting order is replayed as an IOC of the other side, at the fill's place in the event, so that an agent's order ahead
is filled as it would have been; what the Cancel or Modify then says of the same lots is not done again. An order ahead of the one
filled that the same event cancels without a fill (CME's self-match prevention) goes first. A fill that is still not of the front
order at the best price comes off the order named (REPAIR) and is counted.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.data import dbn
from lobjax.data.mbo_window import (
    AHEAD,
    HIDDEN_LOTS,
    IN_TURN,
    OUT_OF_TURN,
    REAL,
    REPAIR,
    REVEAL,
    UNKNOWN_EXECUTIONS,
    cancel,
    extend_or_put_ioc,
    lose,
    reveal,
)
from lobjax.data.queues import NONE, better, level_lots
from lobjax.types import INT32_MAX

_FILL = dbn.FILL  # Numba's constant


class Orders(NamedTuple):
    """The records of an instrument as the rules read them, int64 [R] each."""

    action: np.ndarray  # of `lobjax.data.dbn`
    side: np.ndarray  # 0, 1; -1 for none
    price: np.ndarray  # ticks
    lots: np.ndarray
    order_id: np.ndarray  # 1 to the number of ids, by first appearance; 0 for none
    flags: np.ndarray


class Pending(NamedTuple):
    """What an event has told of an order before its Cancel or Modify comes, int64 [ids + 1] each."""

    taken: np.ndarray  # lots already off it
    ends_in: np.ndarray  # the event, from 1, that cancels it whole without a fill
    filled: np.ndarray  # lots that the fills now looked at take off it


@njit(cache=True)
def fills(queues, window, log, pending, orders, at, stop, trade, event, starts_at):
    """The fills from record `at` on that are of resting orders at one price; `trade`: the record of their trade, -1 for none.

    Returns the first record behind them.
    """
    if _is_aggressor(orders, at, trade):
        return at + 1
    if queues.slot_of[orders.order_id[at]] == NONE:
        if pending.taken[orders.order_id[at]] == 0:
            log.counts[UNKNOWN_EXECUTIONS] += 1
        else:
            log.counts[HIDDEN_LOTS] += orders.lots[at]
        return at + 1
    slot = queues.slot_of[orders.order_id[at]]
    side, price = queues.order_side[slot], queues.order_price[slot]
    end, shown, hidden = at, 0, 0
    while end < stop and orders.action[end] == _FILL and not _is_aggressor(orders, end, trade):
        order_id = orders.order_id[end]
        slot = queues.slot_of[order_id]
        if slot == NONE or queues.order_side[slot] != side or queues.order_price[slot] != price:
            break
        some = min(orders.lots[end], queues.order_lots[slot] - pending.filled[order_id])
        pending.filled[order_id] += some
        shown, hidden, end = shown + some, hidden + orders.lots[end] - some, end + 1
    in_turn = _are_in_turn(queues, window, log, pending, side, price, shown, event)
    log.counts[IN_TURN if in_turn else OUT_OF_TURN] += end - at
    log.counts[HIDDEN_LOTS] += hidden
    for each in range(at, end):
        order_id = orders.order_id[each]
        some = pending.filled[order_id]
        pending.filled[order_id] = 0
        pending.taken[order_id] += some
        if some > 0 and in_turn:
            lose(queues, window, queues.slot_of[order_id], some)
        elif some > 0:
            cancel(queues, window, log, queues.slot_of[order_id], some, REPAIR)
    if in_turn:
        # Hidden lots must not take shown ones; with the level gone they can meet nothing but agents' orders.
        sent = shown + hidden if level_lots(queues, side, price) == 0 else shown
        extend_or_put_ioc(log, starts_at, 1 - side, price, min(sent, INT32_MAX))
    reveal(queues, window, log, side, REVEAL)
    return end


@njit(cache=True)
def _is_aggressor(orders, at, trade):
    """Whether a fill is of the order that came in: one that rested and was modified is told as filled too, on the trade's own side."""
    is_its = trade >= 0 and orders.order_id[at] == orders.order_id[trade] and orders.order_id[at] > 0
    return is_its and orders.side[at] == orders.side[trade] and orders.side[at] >= 0


@njit(cache=True)
def _are_in_turn(queues, window, log, pending, side, price, lots, event):
    """Whether an order for `lots` fills just what `pending.filled` says. What the event cancels ahead of that goes first."""
    make_way(queues, window, log, pending, side, price, event)
    if queues.price[side, 0] != price:
        return False
    slot, left = queues.front[side, 0], lots
    while left > 0 and slot != NONE:
        order_id, behind = queues.order_id[slot], queues.newer[slot]
        if pending.ends_in[order_id] == event:
            _cancel_ahead(queues, window, log, pending, slot)
        else:
            some = min(left, queues.order_lots[slot])
            if pending.filled[order_id] != some:
                return False
            left -= some
        slot = behind
    return left == 0


@njit(cache=True)
def make_way(queues, window, log, pending, side, price, event):
    """Cancel the orders of `side` better than `price` that the event cancels anyway, from the best on, while there is none between."""
    while queues.n_levels[side] > 0 and better(side, queues.price[side, 0], price):
        first = queues.front[side, 0]
        if pending.ends_in[queues.order_id[first]] != event:
            return
        _cancel_ahead(queues, window, log, pending, first)


@njit(cache=True)
def _cancel_ahead(queues, window, log, pending, slot):
    log.counts[AHEAD] += 1
    pending.taken[queues.order_id[slot]] += queues.order_lots[slot]
    leave(queues, window, log, slot, queues.order_lots[slot])


@njit(cache=True)
def leave(queues, window, log, slot, lots):
    """Take lots off an order, say so, and reveal what the window is then short of."""
    side = queues.order_side[slot]
    cancel(queues, window, log, slot, lots, REAL)
    reveal(queues, window, log, side, REVEAL)
