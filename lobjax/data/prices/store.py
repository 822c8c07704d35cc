"""Reading a price store: bars, actions, delistings, the dense panel, its summary and its quality report."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lobjax.data.prices import calendar
from lobjax.data.prices.actions import delistings
from lobjax.data.prices.database import digest, frame, meta, reading
from lobjax.data.prices.dense import dense
from lobjax.data.prices.faults import Fault
from lobjax.data.prices.form_checks import range_faults
from lobjax.data.prices.panel import FIELDS, PricePanel
from lobjax.data.prices.quality import quality
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
        return _bars(connection, path, symbols, kind, since, until)


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
        bars = _bars(connection, path, symbols, kind, since, until)
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


def by_kind(actions: "pl.DataFrame", without: set[str] | None = None) -> "pl.DataFrame":
    """Actions (symbol, time, kind, value) as (symbol, time, split, dividend_factor), but of symbols whose prices have them in already."""
    import polars as pl

    known = actions.filter(~pl.col("symbol").is_in(sorted(without or ())))
    is_split = pl.col("kind") == "split"
    return known.select(
        "symbol",
        "time",
        pl.when(is_split).then("value").otherwise(1.0).alias("split"),
        pl.when(is_split).then(1.0).otherwise("value").alias("dividend_factor"),
    )


def summary(path: str | Path) -> list[tuple[str, str]]:
    """What is in a store, as (name, text) lines; the hash of all its rows last."""
    with reading(path) as connection:
        known = meta(connection)
        lines = [("calendar", known.get("calendar", "none")), ("time zone", known.get("time_zone", "not known"))]
        for kind in BARS:
            count, symbols, first, last = connection.execute(
                "SELECT count(*), count(DISTINCT symbol), min(time), max(time) FROM bars WHERE kind = ?", [kind]
            ).fetchall()[0]
            if count:
                form = "%Y-%m-%d" if kind == "daily" else "%Y-%m-%d %H:%M"
                lines.append(
                    (
                        f"{kind} bars",
                        f"{count:,} of {symbols:,} symbols, {first.strftime(form)} to {last.strftime(form)}",
                    )
                )
        per = connection.execute(
            "SELECT kind, symbol, count(*), min(time)::DATE, max(time)::DATE FROM bars GROUP BY kind, symbol ORDER BY kind, symbol"
        ).fetchall()
        lines += [
            (f"  {symbol}", f"{kind}, {count:,} bars, {first} to {last}")
            for kind, symbol, count, first, last in per[:100]
        ]
        if len(per) > 100:
            lines.append(("  ...", f"and {len(per) - 100:,} more"))
        for kind, count in connection.execute(
            "SELECT kind, count(*) FROM actions GROUP BY kind ORDER BY kind"
        ).fetchall():
            lines.append((f"{kind}s", f"{count:,}"))
        for name, table in (
            ("tickers", "tickers"),
            ("delisted", "listings"),
            ("revised bars", "revised_bars"),
            ("revised actions", "revised_actions"),
        ):
            if count := connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]:
                lines.append((name, f"{count:,}"))
        adjusted = [
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT symbol FROM bases WHERE basis = 'adjusted' ORDER BY 1"
            ).fetchall()
        ]
        if adjusted:
            lines.append(
                (
                    "adjusted",
                    f"{', '.join(adjusted[:20])}: not raw, as of when they were loaded; later files rescale them",
                )
            )
        lines.append(("hash", digest(connection)))
    return lines


def store_faults(path: str | Path) -> list[Fault]:
    """The quality report of all that a store holds."""
    import polars as pl

    faults: list[Fault] = []
    with reading(path) as connection:
        known = meta(connection)
        actions = frame(connection, "SELECT symbol, time, kind, value FROM actions ORDER BY ALL")
        sessions = (
            frame(connection, "SELECT time FROM sessions ORDER BY ALL")["time"].to_numpy().astype("datetime64[D]")
        )
        bases = dict(connection.execute("SELECT symbol || ' ' || kind, basis FROM bases").fetchall())
        for kind in BARS:
            bars = _bars(connection, path, None, kind, None, None, empty=True)
            if not bars.height:
                continue
            for basis in ("raw", "adjusted"):
                own = [s for s in bars["symbol"].unique().sort().to_list() if bases.get(f"{s} {kind}", "raw") == basis]
                part = bars.filter(pl.col("symbol").is_in(own))
                faults += range_faults(part)
                faults += quality(part, actions, basis)[0]
            faults += calendar.session_faults(bars, sessions, known.get("calendar", ""), known.get("time_zone"))
    return faults


def _bars(
    connection: Any,
    path: str | Path,
    symbols: Sequence[str] | None,
    kind: str,
    since: Date,
    until: Date,
    empty: bool = False,
) -> "pl.DataFrame":
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
