"""Reading a price store: its raw bars, and the dense panel of bars, actions and delistings."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lobjax.data.prices.actions import by_kind, delistings
from lobjax.data.prices.database import frame, meta, reading
from lobjax.data.prices.dense import dense
from lobjax.data.prices.panel import FIELDS, PricePanel
from lobjax.data.prices.reader import BARS
from lobjax.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

Date = str | datetime.date | np.datetime64 | None


def read_bars_of(
    path: str | Path,
    symbols: Sequence[str] | None = None,
    *,
    kind: str = "daily",
    since: Date = None,
    until: Date = None,
) -> "pl.DataFrame":
    """The raw bars of a store (symbol, time: Date, or Datetime in UTC; open, high, low, close, volume), sorted; both dates included."""
    with reading(path) as connection:
        return bars_of(connection, path, symbols, kind, since, until)


def panel(
    path: str | Path,
    symbols: Sequence[str] | None = None,
    *,
    kind: str = "daily",
    since: Date = None,
    until: Date = None,
) -> PricePanel:
    """The dense panel of the bars of a kind (daily, hour, minute) of a store, from `since` to `until`, both included (None: all).

    Sessions are those of any of the symbols (None: all of the store). Actions take effect at the first bar of their date on the exchange.
    InputError for an unknown symbol, and where nothing is left.
    """
    with reading(path) as connection:
        bars = bars_of(connection, path, symbols, kind, since, until)
        actions = frame(connection, "SELECT symbol, time, kind, value FROM actions ORDER BY ALL")
        listings = delistings(frame(connection, "SELECT symbol, delisted_on, delist_return FROM listings ORDER BY ALL"))
        adjusted = {
            row[0]
            for row in connection.execute(
                "SELECT symbol FROM bases WHERE kind = ? AND basis = 'adjusted'", [kind]
            ).fetchall()
        }
        zone = meta(connection).get("time_zone", "UTC")
    actions = by_kind(actions, adjusted)
    if kind != "daily":
        import polars as pl

        midnight = (
            pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        )
        actions = actions.with_columns(midnight.dt.convert_time_zone("UTC").dt.replace_time_zone(None))
        listings = {symbol: (_utc(date, zone), value) for symbol, (date, value) in listings.items()}
    return dense(bars, actions, listings, symbols)


def bars_of(
    connection: Any,
    path: str | Path,
    symbols: Sequence[str] | None,
    kind: str,
    since: Date,
    until: Date,
    empty: bool = False,
) -> "pl.DataFrame":
    """The rows behind `read_bars_of`, by a connection; none is an InputError unless `empty`."""
    import polars as pl

    if kind not in BARS:
        raise InputError(f"unknown kind of bars '{kind}'; {nearest(kind, BARS)}")
    known = [
        row[0]
        for row in connection.execute("SELECT DISTINCT symbol FROM bars WHERE kind = ? ORDER BY 1", [kind]).fetchall()
    ]
    for symbol in symbols or ():
        if symbol not in known:
            raise InputError(f"{path}: has no {kind} bars of '{symbol}'; {nearest(symbol, known)}")
    query = f"SELECT symbol, time, {', '.join(FIELDS)} FROM bars WHERE kind = ?"
    values: list[Any] = [kind]
    for bound, sign in ((since, ">="), (until, "<")):
        if bound is not None:
            query += f" AND time {sign} ?"
            day = _date(bound)
            values.append(datetime.datetime.combine(day + datetime.timedelta(sign == "<"), datetime.time()))
    if symbols is not None:
        query += f" AND symbol IN ({', '.join('?' * len(symbols))})"
        values += list(symbols)
    found = frame(connection, f"{query} ORDER BY symbol, time", values)
    if not found.height and not empty:
        raise InputError(
            f"{path}: has no {kind} bars between {since or 'the first'} and {until or 'the last'}; see `prices inspect`"
        )
    return found.with_columns(pl.col("time").cast(pl.Date)) if kind == "daily" else found


def _date(given: str | datetime.date | np.datetime64) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(given)[:10])
    except ValueError:
        raise InputError(f"'{given}' is no date; write 2020-01-31") from None


def _utc(date: np.datetime64, zone: str) -> np.datetime64:
    import zoneinfo

    midnight = datetime.datetime.combine(date.astype(datetime.date), datetime.time(), zoneinfo.ZoneInfo(zone))
    return np.datetime64(midnight.astimezone(datetime.UTC).replace(tzinfo=None), "m")
