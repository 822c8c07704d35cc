"""A recorded day as the rest of lobjax sees it: a stream of book messages, prints of trades and what was done to make them.

Everything is NumPy; times are two int32 numbers (seconds after midnight, nanoseconds within the second).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from lobjax.types import INT32_MAX, Message


class Origin(IntEnum):
    """Where a message of the stream comes from; only REAL ones were sent by somebody on that day."""

    REAL = 0
    CORRECTION = 1  # the book file shows, at its deepest level, what no message told
    PRUNE = 2  # a level far outside the file's window is let go
    REPAIR = 3  # lots of an id that is not held, taken off an order that is
    SEED = 4  # the book of row 0; of an order-by-order file, also the book as an auction leaves it
    REVEAL = (
        5  # orders of a level that comes into the window, under the ids that they always had (order-by-order files)
    )
    WITHDRAW = 6  # the book is crossed, an auction is being held: the window is emptied (order-by-order files)


class EventType(IntEnum):
    """What a row tells: LOBSTER's message types 1 to 7, then what order-by-order files have besides."""

    NEW = 1
    CANCEL = 2
    DELETE = 3
    EXECUTION = 4
    HIDDEN = 5
    CROSS = 6
    HALT = 7
    MODIFY = 8  # of price or size
    CLEAR = 9  # of the whole book, and a snapshot
    OTHER = 10  # nothing that changes a book


MOST_LEVELS = 100_000
_MOST = {
    **dict.fromkeys(("levels", "margin"), MOST_LEVELS),
    **dict.fromkeys(("rows", "max_orders"), INT32_MAX),
    "tick_size": 2**63 - 1,
    "price_unit": 10**12,
}
_MOST_TEXT = 1000


class Prints(NamedTuple):
    """The prints of trades `[P]`: visible (type 4), hidden (5) and auction (6) executions, in file order."""

    row: np.ndarray  # int32, row of the message file, from 0
    time_s: np.ndarray  # int32
    time_ns: np.ndarray  # int32
    event: np.ndarray  # int8, EventType
    side: np.ndarray  # int8, side of the resting order (a resting ask: the aggressor bought)
    size_lots: np.ndarray  # int32
    price: np.ndarray  # int64, raw, in the file's units: hidden executions and crosses may lie off the tick grid


@dataclass(frozen=True, kw_only=True)
class DayInfo:
    """What a day is and what its translation did; written as `meta.json` beside the arrays.

    `book` says what the book file gave: "rows" (one for each message), "seed" (its first row only) or "none"; "orders" where every
    order has a record, so that none is needed. `counts` are whole-day counts, named in `lobjax.data.rules.COUNTS` (order by order:
    `lobjax.data.mbo_window.COUNTS`), and a few of the file's own.
    """

    symbol: str
    date: str
    levels: int  # depth of the window that the book is exact in
    margin: int  # further levels a side that are held, not guaranteed
    tick_size: int  # file price units in one tick
    rows: int
    book: str
    max_orders: int  # most orders that one side ever holds
    sources: dict[str, str] = field(default_factory=dict)  # file name -> sha256
    counts: dict[str, int] = field(default_factory=dict)
    price_unit: int = 10_000  # file price units in one dollar (or point)

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if type(value) is not int or value > most:
                raise ValueError(f"{name} must be a whole number up to {most:,}")
        if not all(type(value) is str and len(value) <= _MOST_TEXT for value in (self.symbol, self.date)):
            raise ValueError("symbol and date must be short texts")
        for name, kind in (("sources", str), ("counts", int)):
            pairs = getattr(self, name)
            if type(pairs) is not dict or not all(type(k) is str and type(v) is kind for k, v in pairs.items()):
                raise ValueError(f"{name} must map names to {'texts' if kind is str else 'whole numbers'}")
        if min(self.counts.values(), default=0) < 0 or max(self.counts.values(), default=0) >= 2**63:
            raise ValueError("counts must not be negative, nor beyond 64 bits")
        if self.book not in ("rows", "seed", "none", "orders"):
            raise ValueError(f"book must be 'rows', 'seed', 'none' or 'orders', not {self.book!r}")
        if min(self.levels, self.tick_size, self.price_unit) < 1 or min(self.margin, self.rows, self.max_orders) < 0:
            raise ValueError(
                "levels, tick_size and price_unit must be positive; margin, rows and max_orders not negative"
            )

    @property
    def unknown_ids(self) -> int:
        """Cancels, deletes, modifications and executions that named an order that was not held."""
        return sum(count for name, count in self.counts.items() if name.startswith("unknown_"))


class Day(NamedTuple):
    """One translated day: R messages that replay its rows (at most a few messages for each, none for prints and halts).

    After `messages[: row_end[k]]` the book is that of row k; `row_end[0]` counts the seed. No NOOP stands for a row that
    leaves the book alone: it would cost every replay a step and say nothing that `row_end` and `row_time_*` do not.
    """

    messages: Message  # int32 [R]
    time_s: np.ndarray  # int32 [R], arrival
    time_ns: np.ndarray  # int32 [R]
    row: np.ndarray  # int32 [R], source row of each message, from 0
    origin: np.ndarray  # int8 [R], Origin
    row_end: np.ndarray  # int32 [rows]
    row_time_s: np.ndarray  # int32 [rows]
    row_time_ns: np.ndarray  # int32 [rows]
    row_event: np.ndarray  # int8 [rows], EventType
    prints: Prints
    info: DayInfo
