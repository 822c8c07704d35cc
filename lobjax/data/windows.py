"""Places in a day: rows by time, and the book at any row by one reference replay (a whole AMZN day takes about 0.1 s)."""

from collections.abc import Sequence

import numpy as np

from lobjax.data.day import Day
from lobjax.data.replay import Replay
from lobjax.errors import InputError
from lobjax.reference.book import BookArrays
from lobjax.types import MAX_CAPACITY

NANOS_PER_SECOND = 1_000_000_000


def book_capacity(day: Day) -> int:
    """Orders a side that a book for this day should hold: the smallest power of two at least twice the most it ever held.

    The other half is for agents' orders and for what they change. Where that passes the largest capacity, that one, so long as
    the recorded orders fit it; InputError where they do not.
    """
    most = max(day.info.max_orders, 1)
    if most > MAX_CAPACITY:
        raise InputError(
            f"{day.info.symbol} {day.info.date}: {most} orders on one side at {day.info.levels} levels, a book holds {MAX_CAPACITY};"
            " load it with fewer levels"
        )
    return min(MAX_CAPACITY, 1 << (2 * most - 1).bit_length())


def books_at(day: Day, rows: Sequence[int] | np.ndarray, capacity: int) -> BookArrays:
    """The book after each of `rows` (in rising order, from 0), in one pass.

    price, size, order_id, owner: int32 [S, 2, capacity], best first, zeros behind; n: int32 [S, 2]. InputError where a book
    has more orders than `capacity`; ValueError for rows out of order or outside the day.
    """
    rows = np.asarray(rows, np.int64)
    if len(rows) and (rows[0] < 0 or rows[-1] >= day.info.rows or (np.diff(rows) < 0).any()):
        raise ValueError(f"rows must rise within 0 to {day.info.rows - 1}")
    shape = (len(rows), 2, capacity)
    books = BookArrays(*(np.zeros(shape, np.int32) for _ in range(4)), n=np.zeros(shape[:2], np.int32))
    replay = Replay(day)
    for index, row in enumerate(rows.tolist()):
        replay.skip_to(row)
        for side, orders in enumerate(replay.book.n.tolist()):
            if orders > capacity:
                raise InputError(f"row {row}: {orders} orders on one side, capacity {capacity}; use at least {orders}")
            for name in ("price", "size", "order_id", "owner"):
                getattr(books, name)[index, side, :orders] = getattr(replay.book, name)[side, :orders]
        books.n[index] = replay.book.n
    return books


def book_at(day: Day, row: int, capacity: int) -> BookArrays:
    """The book after row `row`: arrays [2, capacity] and n [2]; errors as in `books_at`."""
    return BookArrays(*(array[0] for array in books_at(day, [row], capacity)))


def row_times_ns(day: Day) -> np.ndarray:
    """Arrival of each row in nanoseconds after midnight, int64 [rows]; never falls."""
    return day.row_time_s.astype(np.int64) * NANOS_PER_SECOND + day.row_time_ns


def row_at_time(day: Day, seconds: float) -> int:
    """The last row at or before `seconds` after midnight: after it the book is that of the moment. ValueError before the first."""
    row = int(np.searchsorted(row_times_ns(day), _nanos(seconds), side="right")) - 1
    if row < 0:
        raise ValueError(f"the day starts at {day.row_time_s[0]} s after midnight, {seconds} is before it")
    return row


def rows_between(day: Day, start_s: float, stop_s: float) -> tuple[int, int]:
    """Rows of the time range start <= t < stop, as (first, one past the last)."""
    first, stop = np.searchsorted(row_times_ns(day), [_nanos(start_s), _nanos(stop_s)], side="left")
    return int(first), max(int(first), int(stop))


def _nanos(seconds: float) -> int:
    return round(seconds * NANOS_PER_SECOND)
