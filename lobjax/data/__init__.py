"""Recorded days: LOBSTER or Databento MBO files in, exact streams of book messages out. NumPy, Numba, Polars; no JAX below here."""

from lobjax.data.day import Day, DayInfo, EventType, Origin, Prints
from lobjax.data.loading import build_day
from lobjax.data.replay import Replay
from lobjax.data.store import build, load_day
from lobjax.data.summary import summary, touch, volume_profile
from lobjax.data.windows import book_at, book_capacity, books_at, row_at_time, rows_between

__all__ = [
    "Day",
    "DayInfo",
    "EventType",
    "Origin",
    "Prints",
    "Replay",
    "book_at",
    "book_capacity",
    "books_at",
    "build",
    "build_day",
    "load_day",
    "row_at_time",
    "rows_between",
    "summary",
    "touch",
    "volume_profile",
]
