"""How one row of a LOBSTER file becomes book messages: the event itself, then what its book row asks for. Numba, no JAX.

The principle: at the price that a row names, the level's total moves by exactly the row's size, whichever orders give the lots.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.data.day import EventType, Origin
from lobjax.data.queues import NONE, better, join, level_lots, place_of, take
from lobjax.kinds import Kind
from lobjax.types import SYNTHETIC_ID_BASE

COUNTS: tuple[str, ...] = (
    *("real_messages", "correction_messages", "pruned", "repaired", "seeded"),  # messages by Origin, in its order
    "messages",
    "synthetic_orders",
    "corrections",
    "unknown_cancels",
    "unknown_deletes",
    "unknown_executions",
    "executions_out_of_turn",
    "executions_off_best",
    "crossing_orders",
    "proven_gone",
    "reused_ids",
    "unexplained_rows",
)
(N_MESSAGES, N_SYNTHETIC, N_CORRECTIONS, UNKNOWN_CANCELS, UNKNOWN_DELETES, UNKNOWN_EXECUTIONS) = range(5, 11)
(OUT_OF_TURN, OFF_BEST, CROSSING, PROVEN_GONE, REUSED_IDS, UNEXPLAINED) = range(11, len(COUNTS))
LIMIT, CANCEL, DELETE, IOC = int(Kind.LIMIT), int(Kind.CANCEL), int(Kind.DELETE), int(Kind.IOC)
REAL, CORRECTION, PRUNE, REPAIR, SEED = (int(origin) for origin in list(Origin)[:5])
NEW, PART_CANCEL, WHOLE_DELETE, EXECUTION = (int(event) for event in list(EventType)[:4])


class MessageLog(NamedTuple):
    """What translation writes: messages (kind, side, price, size, id, origin) and the counts named in COUNTS."""

    messages: np.ndarray  # int32 [capacity, 6]
    n: np.ndarray  # int64 [1], messages of this chunk
    counts: np.ndarray  # int64 [len(COUNTS)], of the day so far


@njit(cache=True)
def write(log, kind, side, price, size, order_id, origin):
    at = log.n[0]
    log.messages[at, 0], log.messages[at, 1], log.messages[at, 2] = kind, side, price
    log.messages[at, 3], log.messages[at, 4], log.messages[at, 5] = size, order_id, origin
    log.n[0] = at + 1
    log.counts[N_MESSAGES] += 1
    log.counts[origin] += 1


@njit(cache=True)
def enter(queues, log, side, price, lots, order_id, origin, blind):
    """A LIMIT order, `order_id` 0 for a synthetic one.

    It rested on the day, so what it would trade with had gone. With no book rows to say so (`blind`) those orders are deleted; with
    them the file itself is crossed, which no engine can hold, and the order is left out. Either is counted.
    """
    other = 1 - side
    while queues.n_levels[other] > 0 and not better(side, queues.price[other, 0], price):
        if not blind:
            log.counts[CROSSING] += 1
            return
        log.counts[PROVEN_GONE] += 1
        drop_level(queues, log, other, 0, REPAIR)
    loose = order_id == 0
    if loose:
        order_id = SYNTHETIC_ID_BASE + log.counts[N_SYNTHETIC]
        log.counts[N_SYNTHETIC] += 1
    write(log, LIMIT, side, price, lots, order_id, origin)
    join(queues, side, price, lots, order_id, loose)


@njit(cache=True)
def take_from(queues, log, slot, lots, origin):
    """Take `lots` off one order: a DELETE if that is all it has, else a CANCEL."""
    kind = DELETE if lots == queues.order_lots[slot] else CANCEL
    write(log, kind, queues.order_side[slot], queues.order_price[slot], lots, queues.order_id[slot], origin)
    take(queues, slot, lots)


@njit(cache=True)
def take_at(queues, log, side, price, lots, origin):
    """Take up to `lots` at a price, whoever has them: loose orders first, newest first, then the others, newest first."""
    left = min(lots, level_lots(queues, side, price))
    while left > 0:
        newest = queues.back[side, place_of(queues, side, price)]
        slot = newest
        while slot != NONE and not queues.loose[slot]:
            slot = queues.older[slot]
        slot = newest if slot == NONE else slot
        some = min(left, queues.order_lots[slot])
        take_from(queues, log, slot, some, origin)
        left -= some


@njit(cache=True)
def drop_level(queues, log, side, at, origin):
    """Delete every order of the level at index `at`, newest first."""
    price = queues.price[side, at]
    while at < queues.n_levels[side] and queues.price[side, at] == price:
        slot = queues.back[side, at]
        take_from(queues, log, slot, queues.order_lots[slot], origin)


@njit(cache=True)
def held(queues, side, price, order_id):
    """Slot of the order that a row names, or NONE: not held, elsewhere, or known to be gone."""
    slot = queues.slot_of[order_id]
    if slot == NONE or queues.loose[slot] or queues.order_side[slot] != side or queues.order_price[slot] != price:
        return NONE
    return slot


@njit(cache=True)
def leave(queues, log, event, side, price, lots, order_id):
    """A cancel or a delete of `lots`: off the order named as far as it has them, the rest off others at its price."""
    slot = held(queues, side, price, order_id)
    if slot == NONE:
        log.counts[UNKNOWN_CANCELS if event == PART_CANCEL else UNKNOWN_DELETES] += 1
        take_at(queues, log, side, price, lots, REPAIR)
        return
    own = min(lots, queues.order_lots[slot])
    if event == WHOLE_DELETE and own < queues.order_lots[slot]:
        queues.loose[slot] = True  # the owner is gone; what we still hold is somebody else's
    take_from(queues, log, slot, own, REAL)
    take_at(queues, log, side, price, lots - own, REPAIR)


@njit(cache=True)
def trade(queues, log, side, price, lots, order_id, blind):
    """An execution of a resting order: an IOC of the other side, which takes the front of the queue as the day's did.

    So an order ahead of the one named (an agent's) is filled first, and behind it the queue moves by exactly `lots`. Where we hold
    better prices than the execution's an IOC would take those. With no book rows (`blind`) it proves them gone, and they are deleted;
    else the lots are cancelled. Either is counted.
    """
    while blind and queues.n_levels[side] > 0 and better(side, queues.price[side, 0], price):
        log.counts[PROVEN_GONE] += 1
        drop_level(queues, log, side, 0, REPAIR)
    slot = held(queues, side, price, order_id)
    if slot == NONE:
        log.counts[UNKNOWN_EXECUTIONS] += 1
    if queues.n_levels[side] > 0 and better(side, queues.price[side, 0], price):
        log.counts[OFF_BEST] += 1
        own = 0
        if slot != NONE:
            own = min(lots, queues.order_lots[slot])
            take_from(queues, log, slot, own, REPAIR)
        take_at(queues, log, side, price, lots - own, REPAIR)
        return
    write(log, IOC, 1 - side, price, lots, 0, REAL)
    left = min(lots, level_lots(queues, side, price))
    first = queues.front[side, 0] if left > 0 else NONE
    log.counts[OUT_OF_TURN] += slot != NONE and slot != first
    while left > 0:
        first = queues.front[side, 0]
        some = min(left, queues.order_lots[first])
        take(queues, first, some)
        left -= some


@njit(cache=True)
def happen(queues, log, event, side, price, lots, order_id, blind):
    """The event of one row, types 1 to 4; hidden executions, crosses and halts touch no displayed order."""
    if event == NEW:
        if queues.slot_of[order_id] != NONE:
            log.counts[REUSED_IDS] += 1
            order_id = 0
        enter(queues, log, side, price, lots, order_id, REAL, blind)
    elif event in (PART_CANCEL, WHOLE_DELETE):
        leave(queues, log, event, side, price, lots, order_id)
    elif event == EXECUTION:
        trade(queues, log, side, price, lots, order_id, blind)
