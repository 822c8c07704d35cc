"""Resting lots by price for the engine `host`, kept up to date from message to message, so that no flow has to look through the book.

A window of prices a side, best side first: place k of bids is the price `top - k`, of asks `top + k`. It is filled by one pass over the
book, where it does not hold what is asked for or where something unknown happened, and moved along by what messages did.
"""

from typing import NamedTuple

import numpy as np

from lobjax.ffi.jit import inlined, outer
from lobjax.reference.arrays import rank
from lobjax.types import Side

BID, ASK = int(Side.BID), int(Side.ASK)
WINDOW = 256  # prices; a flow asks for at most 64 beside an anchor
_AHEAD = 96  # of them before the anchor for which it was filled
MOST_DISTANCES = WINDOW - _AHEAD - 1  # that the window has beside an anchor
_NOWHERE = -(1 << 62)


class Levels(NamedTuple):
    """See the module's text."""

    lots: np.ndarray  # int32 [2, WINDOW]
    top: np.ndarray  # int64 [2], the price of place 0; `_NOWHERE` where the lots are out of date
    changes: np.ndarray  # int64 [2], counted up whenever the lots of a side may have changed


@outer
def new_levels():
    """Memory; call `forget` before use."""
    return Levels(np.zeros((2, WINDOW), np.int32), np.zeros(2, np.int64), np.zeros(2, np.int64))


@inlined
def forget(levels, side):
    """Say that a side of the book has changed in an unknown way."""
    levels.top[side] = _NOWHERE
    levels.changes[side] += 1


@inlined
def add_lots(levels, side, price, lots):
    """Say that `lots` have joined (or, below 0, left) a side at a price."""
    at = _place(levels, side, np.int64(price))
    levels.changes[side] += 1
    if 0 <= at < WINDOW:
        levels.lots[side, at] += lots


@inlined
def recount(book, levels, side, price):
    """Say that orders of one side have changed at one price."""
    at = _place(levels, side, np.int64(price))
    levels.changes[side] += 1
    if not 0 <= at < WINDOW:
        return
    lots = np.int64(0)
    order = rank(book, side, price, book.n[side]) - 1
    while order >= 0 and book.price[side, order] == price:
        lots += book.size[side, order]
        order -= 1
    levels.lots[side, at] = lots


@inlined
def first_place(book, levels, side, anchor, count):
    """The place in `levels.lots[side]` of the price one tick from an anchor (bids below, asks above); `count` places follow from there."""
    first = _place(levels, side, anchor - 1 if side == BID else anchor + 1)
    if first >= 0 and first + count <= WINDOW:
        return first
    levels.top[side] = anchor + _AHEAD if side == BID else anchor - _AHEAD
    levels.changes[side] += 1
    for place in range(WINDOW):
        levels.lots[side, place] = 0
    for order in range(book.n[side]):
        place = _place(levels, side, np.int64(book.price[side, order]))
        if place >= WINDOW:
            break
        if place >= 0:
            levels.lots[side, place] += book.size[side, order]
    return np.int64(_AHEAD + 1)


@inlined
def _place(levels, side, price):
    top = levels.top[side]
    return top - price if side == BID else price - top
