"""The matching rules on sorted arrays, compiled by Numba: the reference for every other engine.

One function, `apply`, and a helper for each thing that an order can do; `lobjax.kinds` says which kinds do it. Rules: docs/rules.md.
Sums of lots are int64, so sizes may use all of int32.
"""

import numpy as np

from lobjax.kinds import Kind, Trait, mask
from lobjax.reference.arrays import (
    ASK,
    BID,
    BookArrays,
    compiled,
    empty_book,
    find,
    has,
    insert,
    listing,
    rank,
    remove,
    write_listing,
)
from lobjax.types import INT32_MAX, Counters

__all__ = ["ASK", "BID", "BookArrays", "apply", "compiled", "empty_book", "listing", "write_listing"]

NOOP, KINDS = int(Kind.NOOP), len(Kind)
SIDED, PRICED, SIZED, NEW_ID = mask(Trait.SIDED), mask(Trait.PRICED), mask(Trait.SIZED), mask(Trait.NEW_ID)
NAMES_ORDER, OF_OWNER, REENTERS = mask(Trait.NAMES_ORDER), mask(Trait.OF_OWNER), mask(Trait.REENTERS)
ANY_PRICE, ALL_OR_NOTHING = mask(Trait.ANY_PRICE), mask(Trait.ALL_OR_NOTHING)
NEVER_TAKES, RESTS = mask(Trait.NEVER_TAKES), mask(Trait.RESTS)
UNKNOWN, INVALID, REFUSED, DISPLACED, STP = range(len(Counters._fields))


@compiled
def apply(book, kind, side, price, size, order_id, owner, fills, counters):
    """Apply one message to `book` in place and return `(traded lots, number of fills)`, int64.

    fills: int32 [>= N, 4], overwritten from row 0 with (resting id, resting owner, price, lots) in order of execution;
    counters: int32 [5], incremented in place, in the order of `lobjax.types.Counters`. Callable from Numba code; never raises.
    """
    if kind == NOOP:
        return 0, 0
    if _is_invalid(book, kind, side, price, size, order_id):
        counters[INVALID] += 1
        return 0, 0
    if has(kind, OF_OWNER):
        if has(kind, SIZED):
            counters[UNKNOWN] += not _reduce(book, side, price, size, owner)
        else:
            counters[UNKNOWN] += not _remove_all(book, side, price, has(kind, PRICED), owner)
        return 0, 0

    if has(kind, NAMES_ORDER):
        at = find(book, side, order_id)
        if at < 0:
            counters[UNKNOWN] += 1
            return 0, 0
        if has(kind, REENTERS):
            if price == book.price[side, at] and size <= book.size[side, at]:
                book.size[side, at] = size
                return 0, 0
            owner = book.owner[side, at]
            remove(book, side, at, 1)
        else:
            if not has(kind, SIZED) or size >= book.size[side, at]:
                remove(book, side, at, 1)
            else:
                book.size[side, at] -= size
            return 0, 0

    if has(kind, ANY_PRICE):
        price = INT32_MAX if side == BID else 0
    if (has(kind, NEVER_TAKES) and _would_trade(book, side, price)) or (
        has(kind, ALL_OR_NOTHING) and not _can_fill(book, side, price, size, owner)
    ):
        counters[REFUSED] += 1
        return 0, 0
    left, n_fills = _match(book, side, price, size, owner, fills, counters)
    if has(kind, RESTS) and left > 0:
        _rest(book, side, price, left, order_id, owner, counters)
    return size - left, n_fills


@compiled
def _is_invalid(book, kind, side, price, size, order_id):
    if kind < 0 or kind >= KINDS:
        return True
    if (has(kind, SIDED) and (side < BID or side > ASK)) or (has(kind, SIZED) and size <= 0):
        return True
    if has(kind, PRICED) and price <= 0:
        return True
    return has(kind, NEW_ID) and (order_id <= 0 or find(book, side, order_id) >= 0)


@compiled
def _crosses(side, price, resting_price):
    return price >= resting_price if side == BID else price <= resting_price


@compiled
def _would_trade(book, side, price):
    other = 1 - side
    return book.n[other] > 0 and _crosses(side, price, book.price[other, 0])


@compiled
def _can_fill(book, side, price, size, owner):
    """Whether the other side holds `size` lots within `price` that this owner may trade with."""
    other = 1 - side
    lots = np.int64(0)
    for at in range(book.n[other]):
        if lots >= size or not _crosses(side, price, book.price[other, at]):
            break
        if owner < 1 or book.owner[other, at] != owner:
            lots += book.size[other, at]
    return lots >= size


@compiled
def _reduce(book, side, price, size, owner):
    """Take up to `size` lots off the owner's orders at `price`, newest first; False if there are none."""
    found = False
    at = np.int64(rank(book, side, price, book.n[side])) - 1  # the newest order at this price, if there is one
    while at >= 0 and book.price[side, at] == price:
        if book.owner[side, at] == owner:
            found = True
            if size < book.size[side, at]:
                book.size[side, at] -= size
                return True
            size -= book.size[side, at]
            remove(book, side, at, 1)
            if size == 0:
                return True
        at -= 1
    return found


@compiled
def _remove_all(book, side, price, at_price, owner):
    """Take the owner's orders off the side, where `at_price` those at `price` alone; False if there are none."""
    found = False
    at = np.int64(book.n[side]) - 1
    while at >= 0:
        if book.owner[side, at] == owner and (not at_price or book.price[side, at] == price):
            found = True
            remove(book, side, at, 1)
        at -= 1
    return found


@compiled
def _match(book, side, price, size, owner, fills, counters):
    """Trade up to `size` lots against the other side; returns (lots left, number of fills)."""
    other = 1 - side
    left, n_fills, gone = np.int64(size), 0, 0
    while left > 0 and gone < book.n[other] and _crosses(side, price, book.price[other, gone]):
        if owner >= 1 and book.owner[other, gone] == owner:
            counters[STP] += 1
            gone += 1
            continue
        lots = min(left, np.int64(book.size[other, gone]))
        fills[n_fills, 0] = book.order_id[other, gone]
        fills[n_fills, 1] = book.owner[other, gone]
        fills[n_fills, 2] = book.price[other, gone]
        fills[n_fills, 3] = lots
        n_fills += 1
        left -= lots
        book.size[other, gone] -= lots
        if book.size[other, gone] == 0:
            gone += 1
    if gone > 0:
        remove(book, other, 0, gone)
    return left, n_fills


@compiled
def _rest(book, side, price, size, order_id, owner, counters):
    """Queue an order behind its price; on a full side the order last in priority yields, or the newcomer is refused."""
    n = np.int64(book.n[side])
    capacity = book.price.shape[1]
    at = rank(book, side, price, n)
    if at == capacity:
        counters[REFUSED] += 1
        return
    if n == capacity:
        counters[DISPLACED] += 1
        n -= 1
    insert(book, side, at, n, price, size, order_id, owner)
