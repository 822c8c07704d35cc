"""Streams of messages over many books, by the reference engine. One thread; the books are independent of each other."""

import numpy as np
from numba import njit

from lobjax.reference.book import apply, empty_book, write_listing
from lobjax.types import Message

Arrays = tuple[np.ndarray, ...]


def run(messages: Message, capacity: int) -> Arrays:
    """Run integer arrays `[B, M]` over B empty books of `capacity` orders a side.

    Returns the fields of `lobjax.engine.stream.StreamResult` in its order, int32: bids, asks `[B, N, 4]`, traded `[B, M]`,
    fills `[F, 6]`, then the five counters `[B]`.
    """
    listings, traded, fills, counters = _run(messages, capacity, every=False)
    return listings[:, 0, 0], listings[:, 0, 1], traded, fills, *(counters[:, 0].T.copy())


def trace(messages: Message, capacity: int) -> Arrays:
    """As `run`, with the state after every message, for tests: B * M * N * 32 bytes, so keep B small.

    Returns the fields of `lobjax.engine.stream.StreamTrace` in its order, int32: listings `[B, M, 2, N, 4]`, traded `[B, M]`,
    fills `[F, 6]`, counters so far `[B, M, 5]`.
    """
    return _run(messages, capacity, every=True)


def _run(messages: Message, capacity: int, every: bool) -> Arrays:
    # One layout and one dtype, writable: a read-only array (from JAX) would make Numba compile a second time.
    messages = Message(*(np.require(field, np.int32, ["C", "W"]) for field in messages))
    shape = messages.kind.shape
    if len(shape) != 2 or any(field.shape != shape for field in messages):
        raise ValueError(
            f"messages are {[field.shape for field in messages]}; they must be of one shape [books, messages]"
        )
    books, length = shape
    states = length if every else 1
    listings = np.zeros((books, states, 2, capacity, 4), np.int32)
    traded = np.empty((books, length), np.int32)
    # Each fill ends the incoming message or an order that an earlier message brought: never more fills than messages.
    fills = np.empty((books * length, 6), np.int32)
    counters = np.zeros((books, states, 5), np.int32)
    n_fills = _run_books(messages, empty_book(capacity), every, listings, traded, fills, counters)
    return listings, traded, fills[:n_fills].copy(), counters


@njit(cache=True, nogil=True)
def _run_books(messages, book, every, listings, traded, fills, counters):
    scratch = np.empty((book.price.shape[1], 4), np.int32)
    counts = np.zeros(5, np.int32)
    total = 0
    books, length = traded.shape
    for b in range(books):
        book.n[:] = 0
        counts[:] = 0
        for m in range(length):
            traded[b, m], n_fills = apply(
                book,
                messages.kind[b, m],
                messages.side[b, m],
                messages.price[b, m],
                messages.size[b, m],
                messages.order_id[b, m],
                messages.owner[b, m],
                scratch,
                counts,
            )
            for row in range(n_fills):
                fills[total, 0] = b
                fills[total, 1] = m
                fills[total, 2:] = scratch[row]
                total += 1
            if every:
                write_listing(book, listings[b, m])
                counters[b, m] = counts
        if not every:
            write_listing(book, listings[b, 0])
            counters[b, 0] = counts
    return total
