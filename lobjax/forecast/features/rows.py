"""Rows of a recorded day as features take them: what happened, and the best levels after it. LOBSTER files, or any translated day."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lobjax.data.built import META
from lobjax.data.day import Day, Origin
from lobjax.data.lobster import DIRECTION, EVENT, NANOS, SECONDS, SIZE, open_book, read_messages
from lobjax.data.replay import Replay
from lobjax.data.sources import is_order_file, locate
from lobjax.data.store import load_day
from lobjax.errors import InputError
from lobjax.reading import is_file
from lobjax.types import Side

LEVELS = 5  # that features look at
TICK_SIZE = 100
_REPLAYED = 1 << 15  # rows at a time


class Rows(NamedTuple):
    """R rows in file order. `side` is that of the resting order."""

    seconds: np.ndarray  # int64 [R], after midnight
    nanos: np.ndarray  # int64 [R]
    event: np.ndarray  # int8 [R], EventType
    side: np.ndarray  # int8 [R], Side
    size: np.ndarray  # int64 [R], lots
    book: (
        np.ndarray
    )  # int32 [R, 2, L, 2]: side (bids first), level, (price in ticks, lots); zeros where there is no level

    def cut(self, start: int, stop: int) -> "Rows":
        """The rows from `start` to before `stop`."""
        return Rows(*(column[start:stop] for column in self))


def read_rows(path: str | Path, book: str | Path | None = None, *, tick_size: int = TICK_SIZE) -> Rows:
    """The rows of a day: LOBSTER files with a book file of every row as they stand; a built folder or an MBO file by its replay.

    InputError as `lobjax.data`.
    """
    if is_file(Path(path) / META) or is_order_file(path):
        return rows_of(load_day(path))
    source = locate(path, book)
    raw, _ = read_messages(source.message, tick_size)
    file = open_book(source.book, len(raw), tick_size)
    if file.book != "rows":
        return rows_of(load_day(path, book, tick_size=tick_size))
    levels = np.concatenate([block[:, :, :LEVELS] for block in file.blocks])
    side = np.where(raw[:, DIRECTION] < 0, int(Side.ASK), int(Side.BID)).astype(np.int8)
    event = raw[:, EVENT].astype(np.int8)
    return Rows(raw[:, SECONDS].copy(), raw[:, NANOS].copy(), event, side, raw[:, SIZE].copy(), levels)


def rows_of(day: Day) -> Rows:
    """The rows of a translated day. Sizes and sides are those of its messages and of its tape; a row that neither tells has size 0."""
    n = day.info.rows
    side, size = np.zeros(n, np.int8), np.zeros(n, np.int64)
    real = day.origin == Origin.REAL
    side[day.row[real]], size[day.row[real]] = day.messages.side[real], day.messages.size[real]
    side[day.prints.row], size[day.prints.row] = day.prints.side, day.prints.size_lots
    replay, depth = Replay(day), min(LEVELS, day.info.levels)
    parts = [replay.levels(min(_REPLAYED, n - at), depth) for at in range(0, n, _REPLAYED)]
    if not parts:
        raise InputError("day: no rows; give one with at least one")
    event = day.row_event.astype(np.int8)
    times = day.row_time_s.astype(np.int64), day.row_time_ns.astype(np.int64)
    return Rows(*times, event, side, size, np.concatenate(parts))
