"""A book as sorted arrays, and the few moves on them. `lobjax.reference.book` holds the rules.

A side is four dense int32 rows sorted by priority, best first, without holes: place in the row *is* arrival order within a price, so there
is no arrival counter to run out. A sweep takes a prefix, an insert or a removal shifts the tail, an id is found by a linear scan. Up to
512 orders a side this is fast, and nothing is allocated.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.kinds import in_mask
from lobjax.types import MAX_CAPACITY, Side

BID, ASK = int(Side.BID), int(Side.ASK)

# `_nrt=False` leaves out reference counts, which took more time than the matching. It is sound here because compiled code of this
# package neither allocates nor makes views.
compiled = njit(cache=True, nogil=True, _nrt=False)  # pyright: ignore[reportCallIssue]
has = compiled(in_mask)  # whether a kind is among those of a mask


class BookArrays(NamedTuple):
    """One book; `apply` changes it in place. Row 0 bids, row 1 asks; entries 0..n-1 of a row are live, best first, the rest is scratch.

    price, size, order_id, owner: int32 [2, N]; n: int32 [2], live orders a side.
    """

    price: np.ndarray
    size: np.ndarray
    order_id: np.ndarray
    owner: np.ndarray
    n: np.ndarray


def empty_book(capacity: int) -> BookArrays:
    """A book without orders that holds `capacity` (1 to 512) orders a side; ValueError outside that range."""
    if not 1 <= capacity <= MAX_CAPACITY:
        raise ValueError(f"capacity must be 1 to {MAX_CAPACITY}, got {capacity}")
    price, size, order_id, owner = (np.zeros((2, capacity), np.int32) for _ in range(4))
    return BookArrays(price, size, order_id, owner, n=np.zeros(2, np.int32))


def listing(book: BookArrays) -> tuple[np.ndarray, np.ndarray]:
    """The canonical listing: bids and asks as int32 [N, 4] (price, size, order_id, owner), best first, zero padded."""
    out = np.empty((2, book.price.shape[1], 4), np.int32)
    write_listing(book, out)
    return out[BID], out[ASK]


@compiled
def write_listing(book, out):
    """Write the canonical listing of both sides into `out`, int32 [2, N, 4]."""
    for side in range(2):
        n = book.n[side]
        for at in range(out.shape[1]):
            out[side, at, 0] = book.price[side, at] if at < n else 0
            out[side, at, 1] = book.size[side, at] if at < n else 0
            out[side, at, 2] = book.order_id[side, at] if at < n else 0
            out[side, at, 3] = book.owner[side, at] if at < n else 0


# Loops below run over unsigned indices: Numba then leaves out the wrap-around of negative ones, and LLVM makes the loops SIMD.


@compiled
def load(book, price, size, order_id, owner):
    """Copy the live orders of slots int32 [2, N], those with lots, into `book` without the holes between them."""
    for side in range(2):
        n = _dense(size, side)
        if n >= 0:
            _copy(book.price, price, side, n)
            _copy(book.size, size, side, n)
            _copy(book.order_id, order_id, side, n)
            _copy(book.owner, owner, side, n)
            book.n[side] = n
            continue
        n = 0
        for at in range(price.shape[1]):
            if size[side, at] > 0:
                book.price[side, n] = price[side, at]
                book.size[side, n] = size[side, at]
                book.order_id[side, n] = order_id[side, at]
                book.owner[side, n] = owner[side, at]
                n += 1
        book.n[side] = n


@compiled
def blank_rest(book):
    """Zeros behind the live orders, so that one state has one form."""
    for side in range(2):
        _blank(book.price, side, book.n[side])
        _blank(book.size, side, book.n[side])
        _blank(book.order_id, side, book.n[side])
        _blank(book.owner, side, book.n[side])


@compiled
def _dense(size, side):
    """How many slots of a side hold an order if these are the first ones, as the host engines leave a book; else -1."""
    row, live, behind = np.uint64(side), np.uint64(0), np.uint64(0)
    for at in range(np.uint64(size.shape[1])):
        live += size[row, at] > 0
    for at in range(live, np.uint64(size.shape[1])):
        behind += size[row, at] > 0
    return np.int64(live) if behind == 0 else np.int64(-1)


@compiled
def _copy(rows, source, side, n):
    row = np.uint64(side)
    for at in range(np.uint64(n)):
        rows[row, at] = source[row, at]


@compiled
def _blank(rows, side, n):
    row = np.uint64(side)
    for at in range(np.uint64(n), np.uint64(rows.shape[1])):
        rows[row, at] = 0


@compiled
def find(book, side, order_id):
    """The place of a live order on its side, or -1."""
    # No early exit: ids are unique on a side, so the loop can do without a branch.
    row, n = np.uint64(side), np.uint64(book.n[side])
    found = n
    for at in range(n):
        found = at if book.order_id[row, at] == order_id else found
    return np.int64(found) if found < n else np.int64(-1)


@compiled
def rank(book, side, price, n):
    """How many of the first `n` orders of a side go before a newcomer at `price`."""
    row, before = np.uint64(side), 0
    for at in range(np.uint64(n)):
        resting_price = book.price[row, at]
        before += resting_price >= price if side == BID else resting_price <= price
    return before


@compiled
def insert(book, side, at, n, price, size, order_id, owner):
    """Put an order at place `at` of the first `n`, which become n + 1; orders from `n` on are lost."""
    _move_up(book.price, side, at, n)
    _move_up(book.size, side, at, n)
    _move_up(book.order_id, side, at, n)
    _move_up(book.owner, side, at, n)
    book.price[side, at] = price
    book.size[side, at] = size
    book.order_id[side, at] = order_id
    book.owner[side, at] = owner
    book.n[side] = n + 1


@compiled
def remove(book, side, at, count):
    """Take `count` orders out from place `at` on and close the gap."""
    n = book.n[side] - count
    if count == 1:
        _close_gap(book.price, side, at, n)
        _close_gap(book.size, side, at, n)
        _close_gap(book.order_id, side, at, n)
        _close_gap(book.owner, side, at, n)
    else:
        _move_down(book.price, side, at, n, count)
        _move_down(book.size, side, at, n, count)
        _move_down(book.order_id, side, at, n, count)
        _move_down(book.owner, side, at, n, count)
    book.n[side] = n


@compiled
def _move_up(rows, side, start, stop):
    row, top, one = np.uint64(side), np.uint64(stop), np.uint64(1)
    for k in range(np.uint64(stop - start)):
        rows[row, top - k] = rows[row, top - k - one]


@compiled
def _close_gap(rows, side, start, stop):
    # As `_move_down` by 1; a known distance lets LLVM make this SIMD.
    row, one = np.uint64(side), np.uint64(1)
    for to in range(np.uint64(start), np.uint64(stop)):
        rows[row, to] = rows[row, to + one]


@compiled
def _move_down(rows, side, start, stop, count):
    row, by = np.uint64(side), np.uint64(count)
    for to in range(np.uint64(start), np.uint64(stop)):
        rows[row, to] = rows[row, to + by]
