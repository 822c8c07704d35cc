"""The translator's own book: price levels with linked queues of orders, found by level or by id. Numba, no JAX.

It mirrors what the emitted messages make of a book, so that the next row can be translated. It never matches: a trade takes lots
from the front of the best level. Replays are checked with another program, `lobjax.reference.book`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.types import Side

BID, ASK = int(Side.BID), int(Side.ASK)
NONE = -1


class Queues(NamedTuple):
    """Two sides of levels (best first) whose orders are slots of one pool, linked front to back.

    An order is *loose* when its lots stand for orders whose ids are not known: seeded or corrected liquidity, or what is left
    of an order that, as its owner tells, is gone.
    """

    price: np.ndarray  # int64 [2, L], ticks
    lots: np.ndarray  # int64 [2, L], total of the level
    front: np.ndarray  # int64 [2, L], slot of the oldest order
    back: np.ndarray  # int64 [2, L], slot of the newest order
    n_levels: np.ndarray  # int64 [2]
    n_orders: np.ndarray  # int64 [2]
    peak: np.ndarray  # int64 [2], most orders ever held
    order_id: np.ndarray  # int64 [slots]
    order_lots: np.ndarray  # int64 [slots]
    order_price: np.ndarray  # int64 [slots]
    order_side: np.ndarray  # int64 [slots]
    loose: np.ndarray  # bool [slots]
    older: np.ndarray  # int64 [slots], towards the front
    newer: np.ndarray  # int64 [slots], towards the back; links the free slots too
    free: np.ndarray  # int64 [1], first free slot
    slot_of: np.ndarray  # int64 [ids + 1], slot of each recorded id, NONE when not held


_PER_SLOT = ("order_id", "order_lots", "order_price", "order_side", "loose", "older", "newer")


def empty_queues(levels: int, ids: int) -> Queues:
    """No orders; room for `levels` levels a side and recorded ids 1 to `ids`."""
    side, level = np.zeros(2, np.int64), np.zeros((2, levels), np.int64)
    slot = np.zeros(0, np.int64)
    return Queues(
        price=level,
        lots=np.zeros((2, levels), np.int64),
        front=level.copy(),
        back=level.copy(),
        n_levels=side,
        n_orders=side.copy(),
        peak=side.copy(),
        order_id=slot,
        order_lots=slot,
        order_price=slot,
        order_side=np.zeros(0, np.int64),
        loose=np.zeros(0, np.bool_),
        older=slot,
        newer=slot,
        free=np.full(1, NONE, np.int64),
        slot_of=np.full(ids + 1, NONE, np.int64),
    )


def with_free_slots(queues: Queues, wanted: int) -> Queues:
    """The same queues with at least `wanted` free slots (the pool grows; it holds live orders and these, never a whole day)."""
    size = queues.order_id.shape[0]
    more = wanted - (size - int(queues.n_orders.sum()))
    if more <= 0:
        return queues
    grown = {name: np.concatenate([(old := getattr(queues, name)), np.zeros(more, old.dtype)]) for name in _PER_SLOT}
    grown["newer"][size:] = np.arange(size + 1, size + more + 1)
    grown["newer"][-1] = queues.free[0]
    queues.free[0] = size
    return queues._replace(**grown)


@njit(cache=True)
def better(side, price, than):
    """Whether `price` ranks before `than` on this side."""
    return price > than if side == BID else price < than


@njit(cache=True)
def place_of(queues, side, price):
    """Index of the level at `price`, or where it would stand."""
    at = 0
    while at < queues.n_levels[side] and better(side, queues.price[side, at], price):
        at += 1
    return at


@njit(cache=True)
def level_lots(queues, side, price):
    """Lots resting at `price`."""
    at = place_of(queues, side, price)
    return queues.lots[side, at] if at < queues.n_levels[side] and queues.price[side, at] == price else 0


@njit(cache=True)
def join(queues, side, price, lots, order_id, loose):
    """A new order at the back of its level."""
    at = place_of(queues, side, price)
    n = queues.n_levels[side]
    if at == n or queues.price[side, at] != price:
        for k in range(n, at, -1):
            queues.price[side, k] = queues.price[side, k - 1]
            queues.lots[side, k] = queues.lots[side, k - 1]
            queues.front[side, k] = queues.front[side, k - 1]
            queues.back[side, k] = queues.back[side, k - 1]
        queues.price[side, at] = price
        queues.lots[side, at] = 0
        queues.front[side, at] = queues.back[side, at] = NONE
        queues.n_levels[side] = n + 1
    slot = queues.free[0]
    queues.free[0] = queues.newer[slot]
    last = queues.back[side, at]
    queues.older[slot], queues.newer[slot] = last, NONE
    if last == NONE:
        queues.front[side, at] = slot
    else:
        queues.newer[last] = slot
    queues.back[side, at] = slot
    queues.order_id[slot], queues.order_lots[slot] = order_id, lots
    queues.order_price[slot], queues.order_side[slot] = price, side
    queues.loose[slot] = loose
    queues.lots[side, at] += lots
    queues.n_orders[side] += 1
    queues.peak[side] = max(queues.peak[side], queues.n_orders[side])
    if order_id < queues.slot_of.shape[0]:
        queues.slot_of[order_id] = slot


@njit(cache=True)
def take(queues, slot, lots):
    """Take `lots` (at most what is left) off an order; at zero it is gone, and an empty level with it."""
    side = queues.order_side[slot]
    at = place_of(queues, side, queues.order_price[slot])
    queues.lots[side, at] -= lots
    queues.order_lots[slot] -= lots
    if queues.order_lots[slot] > 0:
        return
    older, newer = queues.older[slot], queues.newer[slot]
    if older == NONE:
        queues.front[side, at] = newer
    else:
        queues.newer[older] = newer
    if newer == NONE:
        queues.back[side, at] = older
    else:
        queues.older[newer] = older
    if queues.order_id[slot] < queues.slot_of.shape[0]:
        queues.slot_of[queues.order_id[slot]] = NONE
    queues.newer[slot] = queues.free[0]
    queues.free[0] = slot
    queues.n_orders[side] -= 1
    if queues.front[side, at] == NONE:
        queues.n_levels[side] -= 1
        for k in range(at, queues.n_levels[side]):
            queues.price[side, k] = queues.price[side, k + 1]
            queues.lots[side, k] = queues.lots[side, k + 1]
            queues.front[side, k] = queues.front[side, k + 1]
            queues.back[side, k] = queues.back[side, k + 1]
