"""Recorded days: LOBSTER or Databento MBO files in, exact streams of book messages out. NumPy, Numba, Polars; no JAX below here.

What is named here is imported when it is first asked for: prices (`lobjax.data.prices`) need none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lobjax.data.day import Day, DayInfo, EventType, Origin, Prints
    from lobjax.data.day_summary import summary, touch, volume_profile
    from lobjax.data.loading import build_day
    from lobjax.data.replay import Replay
    from lobjax.data.store import build, load_day
    from lobjax.data.windows import book_at, book_capacity, books_at, row_at_time, rows_between

_HOMES = {
    "day": ("Day", "DayInfo", "EventType", "Origin", "Prints"),
    "loading": ("build_day",),
    "replay": ("Replay",),
    "store": ("build", "load_day"),
    "day_summary": ("summary", "touch", "volume_profile"),
    "windows": ("book_at", "book_capacity", "books_at", "row_at_time", "rows_between"),
}

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


def __getattr__(name: str) -> Any:
    if name == "prices":
        return import_module("lobjax.data.prices")
    for module, names in _HOMES.items():
        if name in names:
            found = getattr(import_module(f"lobjax.data.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'lobjax.data' has no attribute '{name}'")
