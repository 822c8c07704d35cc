"""The stream that engines are measured on: 70% passive adds near the touch, 20% cancels of live ids, 10% orders that sweep two others.

Ten messages hold seven adds, two cancels and one sweep, in an order of their own. An add rests up to `DEEPEST` ticks behind the best
price of its side, or a tick before it inside the spread; a cancel takes all of an order that rests somewhere; a sweep is a limit order
at the price and with the lots of the first one, two or three orders of the other side, so that it trades in full. Where nothing rests
any more, an add comes in place of what was due. Books grow by three orders in ten messages.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.kinds import Kind
from lobjax.reference import batch
from lobjax.reference.book import ASK, BID, apply, empty_book
from lobjax.types import MAX_CAPACITY, Message

# MARKET stands for a sweep. The first ten messages keep this order: something must rest before it can go.
MIX = np.array([Kind.LIMIT] * 7 + [Kind.CANCEL] * 2 + [Kind.MARKET], np.int32)
DEEPEST = 10  # ticks behind the touch
MOST_LOTS, MOST_SWEPT = 10, 3
MIDDLE = 10_000  # ticks; where an empty side begins
_LEAN = 8  # orders that a side may have more than the other before adds go to the other
_BOOKS = 1024  # streams drawn at a time, so that a stream does not depend on how many there are
_LIMIT, _CANCEL, _SWEEP = int(Kind.LIMIT), int(Kind.CANCEL), int(Kind.MARKET)


class Facts(NamedTuple):
    """What the reference says of a stream at a capacity."""

    sweeps: int
    fills: int
    unknown: int
    invalid: int
    refused: int
    displaced: int
    most_orders: int  # on any side at the end

    @property
    def fills_per_sweep(self) -> float:
        """Resting orders that a marketable order takes, on average."""
        return self.fills / max(self.sweeps, 1)


def peers_stream(seed: int, books: int, length: int) -> Message:
    """`books` streams of `length` messages, int32 `[B, M]`, the same for the same seed and length. Owner 0, ids from 1 on."""
    fields = np.empty((6, books, length), np.int32)
    for part, first in enumerate(range(0, books, _BOOKS)):
        rng = np.random.default_rng((seed, part))
        words = rng.integers(0, 1 << 32, (_BOOKS, length, 4), np.uint32)
        held = min(_BOOKS, books - first)
        _draw(_kinds(rng, length)[:held], words[:held], empty_book(MAX_CAPACITY), fields[:, first : first + held])
    return Message(*fields)


def _kinds(rng: np.random.Generator, length: int) -> np.ndarray:
    """What is due, int32 `[_BOOKS, M]`: tens of `MIX`, all but the first in random order."""
    tens = np.tile(MIX, (_BOOKS, length // 10 + 1, 1))
    tens[:, 1:] = rng.permuted(tens[:, 1:], axis=2)
    return tens.reshape(_BOOKS, -1)[:, :length]


def facts(messages: Message, capacity: int) -> Facts:
    """Run the reference over a `peers_stream`, a part at a time."""
    books, length = messages.kind.shape
    totals, most = np.zeros(6, np.int64), 0
    held = max(1, (1 << 26) // (capacity * 32 + length * 32))
    for first in range(0, books, held):
        part = Message(*(field[first : first + held] for field in messages))
        bids, asks, traded, fills, *counters = batch.run(part, capacity)
        totals += [(traded > 0).sum(), len(fills), *(counter.sum(dtype=np.int64) for counter in counters[:4])]
        most = max(most, int((bids[:, :, 1] > 0).sum(1).max()), int((asks[:, :, 1] > 0).sum(1).max()))
    sweeps, fills, unknown, invalid, refused, displaced = map(int, totals)
    return Facts(sweeps, fills, unknown, invalid, refused, displaced, most)


@njit(cache=True)
def _draw(kinds, words, book, fields):
    fills, counts = np.empty((MAX_CAPACITY, 4), np.int32), np.zeros(5, np.int32)
    for b in range(kinds.shape[0]):
        book.n[:] = 0
        for m in range(kinds.shape[1]):
            row = words[b, m]
            if kinds[b, m] == _LIMIT or book.n[BID] + book.n[ASK] == 0:
                message = _add(book, row, m + 1)
            elif kinds[b, m] == _CANCEL:
                message = _cancel(book, row)
            else:
                message = _sweep(book, row, m + 1)
            for field in range(6):
                fields[field, b, m] = message[field]
            apply(book, message[0], message[1], message[2], message[3], message[4], message[5], fills, counts)


@njit(cache=True)
def _below(word, count):
    return (np.int64(word) * np.int64(count)) >> 32


@njit(cache=True)
def _add(book, row, order_id):
    lean = book.n[BID] - book.n[ASK]
    side = _below(row[0], 2) if abs(lean) < _LEAN else (ASK if lean > 0 else BID)
    bid = book.price[BID, 0] if book.n[BID] else (book.price[ASK, 0] - 1 if book.n[ASK] else MIDDLE)
    ask = book.price[ASK, 0] if book.n[ASK] else bid + 1
    behind = _below(row[1], DEEPEST + 2) - 1
    price = min(bid - behind, ask - 1) if side == BID else max(ask + behind, bid + 1)
    return _LIMIT, side, max(price, 1), 1 + _below(row[2], MOST_LOTS), order_id, 0


@njit(cache=True)
def _cancel(book, row):
    at = _below(row[0], book.n[BID] + book.n[ASK])
    side = BID if at < book.n[BID] else ASK
    at -= 0 if side == BID else book.n[BID]
    return _CANCEL, side, book.price[side, at], book.size[side, at], book.order_id[side, at], 0


@njit(cache=True)
def _sweep(book, row, order_id):
    wanted = 1 + _below(row[0], MOST_SWEPT)
    other = _below(row[1], 2)
    if book.n[other] < wanted:
        other = BID if book.n[BID] > book.n[ASK] else ASK
    wanted = min(wanted, book.n[other])
    lots = 0
    for at in range(wanted):
        lots += book.size[other, at]
    return _LIMIT, 1 - other, book.price[other, wanted - 1], lots, order_id, 0
