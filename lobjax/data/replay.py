"""Replays a day's messages through the reference engine and shows its levels after every row. No JAX."""

import numpy as np
from numba import njit

from lobjax.data.checks import check_replayable
from lobjax.data.day import Day
from lobjax.errors import InputError
from lobjax.reference.book import DISPLACED, REFUSED, BookArrays, apply
from lobjax.types import INT32_MAX, Counters, Message

_TOO_MANY_ORDERS, _TOO_MANY_LOTS = 1, 2


class Replay:
    """A replay of one day with no agent, from the first row on.

    `book` is the reference book, large enough for any row; `counters` are what the engine refused (all 0: a test says so). InputError where
    its arrays are not of one day (`check_replayable`), or its book holds more orders than it says.
    """

    def __init__(self, day: Day) -> None:
        check_replayable(day)
        # One more than the most orders held; not `empty_book`, since a host replay is not bound to device capacities.
        size = day.info.max_orders + 1
        self.book = BookArrays(*(np.zeros((2, size), np.int32) for _ in range(4)), n=np.zeros(2, np.int32))
        self.row = 0  # rows replayed so far
        self._day = day
        self._counts = np.zeros(len(Counters._fields), np.int32)
        self._fills = np.zeros((size, 4), np.int32)

    @property
    def counters(self) -> Counters:
        return Counters(*self._counts.tolist())

    def levels(self, rows: int, depth: int) -> np.ndarray:
        """Replay the next `rows` rows; the best `depth` levels after each.

        int32 [rows, 2, depth, 2]: row, side (bids first), level, (price in ticks, lots); zeros where there is no level.
        """
        if not 0 <= rows <= self._day.info.rows - self.row:
            raise ValueError(f"{self._day.info.rows - self.row} rows are left, not {rows}")
        out = np.zeros((rows, 2, depth, 2), np.int32)
        start = int(self._day.row_end[self.row - 1]) if self.row else 0
        ends = self._day.row_end[self.row : self.row + rows]
        fault = _replay(self.book, self._day.messages, start, ends, self._fills, self._counts, out)
        if fault == _TOO_MANY_LOTS:
            raise InputError(f"day: more than {INT32_MAX:,} lots at one level; count in larger lots")
        if fault == _TOO_MANY_ORDERS:
            most = self._day.info.max_orders
            raise InputError(f"day: a side holds more than {most:,} orders, which max_orders says; build the day again")
        self.row += rows
        return out

    def skip_to(self, row: int) -> None:
        """Replay until the book is that after row `row`, which must not lie behind."""
        self.levels(row + 1 - self.row, 0)


@njit(cache=True)
def _replay(book: BookArrays, messages: Message, start, row_end, fills, counts, out):
    """Returns 0, or what is wrong with the day."""
    at, lost = start, counts[REFUSED] + counts[DISPLACED]
    for row in range(row_end.shape[0]):
        while at < row_end[row]:
            apply(
                book,
                messages.kind[at],
                messages.side[at],
                messages.price[at],
                messages.size[at],
                messages.order_id[at],
                messages.owner[at],
                fills,
                counts,
            )
            at += 1
            if counts[REFUSED] + counts[DISPLACED] > lost:
                if max(book.n[0], book.n[1]) == book.price.shape[1]:
                    return _TOO_MANY_ORDERS
                lost = counts[REFUSED] + counts[DISPLACED]
        for side in range(2):
            level = -1
            for order in range(book.n[side]):
                price = book.price[side, order]
                if level < 0 or out[row, side, level, 0] != price:
                    level += 1
                    if level == out.shape[2]:
                        break
                    out[row, side, level, 0] = price
                lots = np.int64(out[row, side, level, 1]) + book.size[side, order]
                if lots > INT32_MAX:
                    return _TOO_MANY_LOTS
                out[row, side, level, 1] = lots
    return 0
