"""How the records of one order-by-order event become book messages. Numba, no JAX.

Databento's conventions: Add, Cancel (of some lots, or all), Modify (price and size as they then are) and cleaR change the book; Trade
and Fill do not, as each fill's change to the book follows in the same event as a Cancel or a Modify. An event ends with F_LAST;
only then is a book whole.

Priority: a Modify to another price or a larger size goes to the back of its level, one to a smaller size keeps its place, as on CME.
Larger than what the event's fills left: an iceberg that shows new lots goes to the back, even where it shows as many as before.
Measured by whether fills take the front of the queue so kept (ES, 2023-12-25, 2,882 fills or runs of fills at one price): all do;
28 do not if a Modify is compared with the lots before the fills, 30 if larger sizes keep their place, 89 if smaller ones lose it.
A reduction is sent as a CANCEL of the difference: that stays right where an agent has traded into the order.
"""

import numpy as np
from numba import njit

from lobjax.data import dbn
from lobjax.data.day import EventType
from lobjax.data.mbo_fills import fills, leave, make_way
from lobjax.data.mbo_window import (
    CLEARS,
    CROSSING,
    DELETE,
    IMPLICIT_CLEARS,
    LIMIT,
    OVERSIZED,
    REAL,
    REPLACE,
    REUSED_IDS,
    REVEAL,
    UNKNOWN_CANCELS,
    UNKNOWN_MODIFIES,
    WITHDRAW,
    crosses,
    is_held,
    lose,
    put,
    rest,
    reveal,
    settle,
    withdraw,
    would_be_held,
)
from lobjax.data.queues import BID, NONE

# Numba's constants.
_ADD, _CANCEL, _MODIFY, _CLEAR, _TRADE, _FILL = dbn.ADD, dbn.CANCEL, dbn.MODIFY, dbn.CLEAR, dbn.TRADE, dbn.FILL
_SNAPSHOT = dbn.F_SNAPSHOT
_TOLD_NEW, _TOLD_CANCEL, _TOLD_DELETE, _TOLD_EXECUTION = (int(event) for event in list(EventType)[:4])
_TOLD_MODIFY, _TOLD_CLEAR, _TOLD_OTHER = int(EventType.MODIFY), int(EventType.CLEAR), int(EventType.OTHER)


@njit(cache=True)
def happen(queues, window, log, pending, orders, first, stop, event):
    """One event, records `first` to `stop - 1`; `event` counts from 1. Returns the EventType of it."""
    told, starts_at, trade = _TOLD_OTHER, log.n[0], np.int64(-1)
    _look_ahead(queues, pending, orders, first, stop, event)
    behind_fills = first
    for at in range(first, stop):
        action, side, price = orders.action[at], orders.side[at], orders.price[at]
        lots, order_id = orders.lots[at], orders.order_id[at]
        is_implicit = (
            action != _CLEAR and orders.flags[at] & _SNAPSHOT and not (at > 0 and orders.flags[at - 1] & _SNAPSHOT)
        )
        if action == _CLEAR or (is_implicit and queues.n_orders.sum() > 0):
            log.counts[CLEARS if action == _CLEAR else IMPLICIT_CLEARS] += 1
            _clear(queues, window, log, pending)
            told = _TOLD_CLEAR if told == _TOLD_OTHER else told
        if action == _TRADE:
            trade, told = np.int64(at), _TOLD_EXECUTION
        elif action == _FILL:
            told = _TOLD_EXECUTION
            if window.open[0] and at >= behind_fills:
                behind_fills = fills(queues, window, log, pending, orders, at, stop, trade, event, starts_at)
        elif action == _ADD:
            told = _TOLD_NEW if told == _TOLD_OTHER else told
            if queues.slot_of[order_id] != NONE:
                log.counts[REUSED_IDS] += 1
                leave(queues, window, log, queues.slot_of[order_id], queues.order_lots[queues.slot_of[order_id]])
            pending.taken[order_id] = 0
            _enter(queues, window, log, pending, side, price, lots, order_id, event)
        elif action == _CANCEL:
            is_whole = _cancel(queues, window, log, pending, order_id, lots)
            told = (_TOLD_DELETE if is_whole else _TOLD_CANCEL) if told == _TOLD_OTHER else told
        elif action == _MODIFY:
            told = _TOLD_MODIFY if told == _TOLD_OTHER else told
            _modify(queues, window, log, pending, side, price, lots, order_id, event)
    settle(queues, window, log)
    return told


@njit(cache=True)
def _look_ahead(queues, pending, orders, first, stop, event):
    """Mark the orders that the event cancels whole, without a fill. An event is one moment: nothing of later ones is looked at."""
    for at in range(first, stop):
        slot = queues.slot_of[orders.order_id[at]]
        if orders.action[at] == _CANCEL and slot != NONE and orders.lots[at] >= queues.order_lots[slot]:
            pending.ends_in[orders.order_id[at]] = event
    for at in range(first, stop):
        if orders.action[at] == _FILL:
            pending.ends_in[orders.order_id[at]] = 0


@njit(cache=True)
def _enter(queues, window, log, pending, side, price, lots, order_id, event):
    _uncross(queues, window, log, pending, side, price, event)
    held = would_be_held(queues, window, side, price)
    if held:
        put(log, LIMIT, side, price, lots, order_id, REAL)
    rest(queues, window, side, price, lots, order_id, held)


@njit(cache=True)
def _uncross(queues, window, log, pending, side, price, event):
    """Before an order at `price` enters: it may cross orders that its own event cancels, or stand in a crossed book."""
    if not window.open[0] or not crosses(queues, side, price):
        return
    make_way(queues, window, log, pending, 1 - side, price + (1 if side == BID else -1), event)
    if crosses(queues, side, price):
        log.counts[CROSSING] += 1
        withdraw(queues, window, log, WITHDRAW)


@njit(cache=True)
def _cancel(queues, window, log, pending, order_id, lots):
    """A cancel of `lots`, fills already done included. Returns whether nothing is left."""
    slot, told = queues.slot_of[order_id], min(lots, pending.taken[order_id])
    known = slot != NONE or pending.taken[order_id] > 0
    pending.taken[order_id] -= told
    left = lots - told
    if not known:
        log.counts[UNKNOWN_CANCELS] += 1
    elif slot != NONE and left > 0:
        log.counts[OVERSIZED] += left > queues.order_lots[slot]
        leave(queues, window, log, slot, min(left, queues.order_lots[slot]))
    return queues.slot_of[order_id] == NONE


@njit(cache=True)
def _modify(queues, window, log, pending, side, price, lots, order_id, event):
    slot = queues.slot_of[order_id]
    if slot == NONE:
        # Databento: a Modify of an order that is not known is to be taken as an Add.
        log.counts[UNKNOWN_MODIFIES] += pending.taken[order_id] == 0
        pending.taken[order_id] = 0
        _enter(queues, window, log, pending, side, price, lots, order_id, event)
        return
    pending.taken[order_id] = 0
    left, old_side, old_price = queues.order_lots[slot], queues.order_side[slot], queues.order_price[slot]
    if side == old_side and price == old_price and lots <= left:
        if lots < left:
            leave(queues, window, log, slot, left - lots)
        return
    if side != old_side:
        leave(queues, window, log, slot, left)
        _enter(queues, window, log, pending, side, price, lots, order_id, event)
        return
    _uncross(queues, window, log, pending, side, price, event)
    was_held = is_held(queues, window, slot)
    lose(queues, window, slot, left)
    held = would_be_held(queues, window, side, price)
    if was_held and held:
        put(log, REPLACE, side, price, lots, order_id, REAL)
    elif was_held:
        put(log, DELETE, side, old_price, left, order_id, REAL)
    elif held:
        put(log, LIMIT, side, price, lots, order_id, REAL)
    rest(queues, window, side, price, lots, order_id, held)
    reveal(queues, window, log, side, REVEAL)


@njit(cache=True)
def _clear(queues, window, log, pending):
    """The end of every order; the window opens again when the event ends."""
    withdraw(queues, window, log, REAL)
    for side in range(2):
        while queues.n_levels[side] > 0:
            slot = queues.back[side, queues.n_levels[side] - 1]
            pending.taken[queues.order_id[slot]] = 0
            lose(queues, window, slot, queues.order_lots[slot])
