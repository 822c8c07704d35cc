"""The sessions that an exchange had, against the days that a store has bars of: what is missing or too much is listed, not filled.

Sessions come from exchange_calendars and are kept in the store, so that a daily update need not load that library.
"""

import datetime
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from lobjax.data.prices.faults import Fault
from lobjax.data.prices.needs import needed
from lobjax.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

NONE = "none"
_AHEAD = 400  # days beyond the last bar that a store keeps sessions of
_DAY = np.timedelta64(1, "D")


def sessions_between(name: str, first: datetime.date, last: datetime.date) -> np.ndarray:
    """The sessions datetime64[D] of a calendar by its name (XNYS, XLON, 24/7, ...) from `first` to `last`, as far as the library goes.

    InputError for an unknown name.
    """
    usual = _calendar(name)
    low, high = type(usual).bound_min(), type(usual).bound_max()
    start = max(np.datetime64(first), np.datetime64(low.date()) if low is not None else np.datetime64("1960-01-01"))
    end = min(np.datetime64(last), np.datetime64(high.date()) if high is not None else np.datetime64("2100-01-01"))
    if end - start < 14 * _DAY:  # the library takes no span without a session
        start, end = min(start, end - 14 * _DAY), end
    found = _calendar(name, start=str(start), end=str(end)).sessions.to_numpy().astype("datetime64[D]")
    return found[(found >= np.datetime64(first)) & (found <= np.datetime64(last))]


def check_name(name: str) -> None:
    """InputError unless a calendar has this name."""
    calendars = needed("exchange_calendars")
    known = calendars.get_calendar_names(include_aliases=True)
    if name not in known:
        raise InputError(
            f"--calendar: unknown calendar '{name}'; {nearest(name, known) if name else 'XNYS, XLON, ...'}"
        )


def zone_of(name: str) -> str:
    """The IANA's name of the zone of an exchange."""
    return str(_calendar(name).tz)


def session_faults(frame: "pl.DataFrame", sessions: np.ndarray, name: str, zone: str | None) -> list[Fault]:
    """Sessions without a bar between a symbol's first and last, and days with bars that were none, by symbol, in runs.

    `frame`: bars of one kind (symbol, time); times in UTC are dated by `zone`.
    """
    import polars as pl

    if not len(sessions):
        return []
    day = pl.col("time")
    if frame["time"].dtype != pl.Date:
        day = day.dt.replace_time_zone("UTC").dt.convert_time_zone(zone or "UTC").dt.date()
    faults = []
    days = frame.select("symbol", day.alias("day")).unique().sort("symbol", "day")
    for (symbol,), own in days.group_by(["symbol"], maintain_order=True):
        have = own["day"].to_numpy().astype("datetime64[D]")
        within = sessions[(sessions >= have[0]) & (sessions <= have[-1])]
        inside = have[(have >= sessions[0]) & (have <= sessions[-1])]
        missing, extra = np.setdiff1d(within, have), np.setdiff1d(inside, within)
        for what, found, say in (
            ("missing session", missing, "no bar in a session"),
            ("extra session", extra, "bars on a day that is no session"),
        ):
            for first, last, count in _runs(found, within if what == "missing session" else have):
                faults.append(Fault(what, str(symbol), str(first), str(last), count, f"{say} of {name}"))
    return faults


def ahead(last: datetime.date) -> datetime.date:
    """Until when a store keeps sessions."""
    return last + datetime.timedelta(_AHEAD)


def _runs(found: np.ndarray, among: np.ndarray) -> list[tuple[np.datetime64, np.datetime64, int]]:
    """Neighbours of `among` together, as (first, last, how many)."""
    if not len(found):
        return []
    at = np.searchsorted(among, found)
    cuts = np.flatnonzero(np.diff(at) != 1) + 1
    return [(part[0], part[-1], len(part)) for part in np.split(found, cuts)]


def _calendar(name: str, **span: str) -> Any:
    check_name(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own use of pandas, which a user can do nothing about
        return needed("exchange_calendars").get_calendar(name, **span)
