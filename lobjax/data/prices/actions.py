"""Corporate actions, dated tickers and delistings from CSV files; and the actions that a file of bars carries in its own columns."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lobjax.data.prices import values
from lobjax.data.prices.text import ROW, Table, read_texts
from lobjax.data.prices.times import parse_times
from lobjax.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

KINDS = ("split", "dividend_factor")
NO_ACTION = 1.0
_CLOSE_DIGITS, _FACTOR_DECIMALS = 7, 7  # beyond which files of float32 say nothing


def read_actions(path: str | Path, dates: str | None = None) -> "pl.DataFrame":
    """Rows (symbol, time: Date, kind: split or dividend_factor, value) of a CSV `date,symbol,split,dividend_factor`; ones are left out.

    A split is new shares for an old one; a factor is what the dividend leaves of the price. InputError where a kind stands twice on a date.
    """
    import polars as pl

    table = read_texts(path)
    _need(table, ("date", "symbol"), "date,symbol,split,dividend_factor")
    kinds = [kind for kind in KINDS if kind in table.frame.columns]
    if not kinds:
        raise InputError(
            f"{path}: row 1: has neither a column 'split' nor 'dividend_factor'; {nearest('split', table.frame.columns)}"
        )
    base = pl.DataFrame(
        {
            "symbol": values.texts(table, "symbol"),
            "time": parse_times(table, "date", dates).date,
            "row": table.frame[ROW],
        }
    )
    parts = []
    for kind in kinds:
        found = values.factors(table, kind)
        if kind == "dividend_factor" and (over := found > 1.5).any():
            at = int(over.arg_max() or 0)
            raise InputError(
                f"{table.where(table.frame[ROW][at], kind)}: {found[at]:.9g}; a factor leaves less of the price, not more: correct it"
            )
        parts.append(base.with_columns(kind=pl.lit(kind), value=found).filter(pl.col("value") != NO_ACTION))
    actions = pl.concat(parts)
    twice = actions.filter(pl.struct("symbol", "time", "kind").is_duplicated())
    different = twice.filter(pl.col("value").n_unique().over("symbol", "time", "kind") > 1)
    if different.height:
        row = different.row(1, named=True)
        raise InputError(
            f"{table.where(row['row'])}: {row['symbol']} {row['time']} has two values of {row['kind']}; keep one"
        )
    return (
        actions.unique(["symbol", "time", "kind"], keep="first")
        .select("symbol", "time", "kind", "value")
        .sort("symbol", "time", "kind")
    )


def actions_of(frame: "pl.DataFrame", basis: str | None = None) -> "pl.DataFrame":
    """The actions in columns `split` and `dividend` of sorted bars (cash, on the scale of split-adjusted prices) as of `read_actions`.

    The factor of a dividend is 1 less its share of the last close; of one without a close before there is none.
    """
    import polars as pl

    date = pl.col("time").cast(pl.Date)
    parts = [pl.DataFrame(schema={"symbol": pl.String, "time": pl.Date, "kind": pl.String, "value": pl.Float64})]
    if "split" in frame.columns:
        told = frame.filter(pl.col("split").fill_null(1.0) != 1)
        parts.append(told.select("symbol", date, kind=pl.lit("split"), value=pl.col("split")))
    if "dividend" in frame.columns:
        paying = frame.filter((pl.col("dividend").fill_null(0.0) > 0).any().over("symbol"))
        for (_,), bars in paying.group_by(["symbol"], maintain_order=True):
            factor = bars.with_columns(value=pl.Series(_factors(bars, basis))).filter(pl.col("value") != 1)
            parts.append(factor.select("symbol", date, kind=pl.lit("dividend_factor"), value="value"))
    return (
        pl.concat(parts)
        .group_by("symbol", "time", "kind")
        .agg(pl.col("value").product())
        .sort("symbol", "time", "kind")
    )


def _factors(bars: "pl.DataFrame", basis: str | None) -> np.ndarray:
    """What each bar's dividend left of the close before it, of one symbol [T]."""
    paid = bars["dividend"].fill_null(0.0).to_numpy()
    close = bars["close"].cast(float).round_sig_figs(_CLOSE_DIGITS).to_numpy()
    factors, later = np.ones(len(bars)), 1.0
    for at in np.flatnonzero(paid > 0)[::-1]:
        if at and np.isfinite(close[at - 1]):
            # An adjusted close has all later dividends in it, and this one: it is what remained of the close.
            value = 1 / (1 + paid[at] * later / close[at - 1]) if basis == "adjusted" else 1 - paid[at] / close[at - 1]
            if value > 0:
                factors[at] = round(float(value), _FACTOR_DECIMALS)
                later *= factors[at]
    return factors


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


def read_segments(path: str | Path) -> "pl.DataFrame":
    """Which symbol a ticker (lower case) was when: rows (symbol, ticker, since: Date or null, until: Date or null, both included).

    InputError where two symbols have one ticker at one time. Columns `symbol,ticker,from,to` (or `vendor_file` for the ticker).
    """
    import polars as pl

    table = read_texts(path)
    if "vendor_file" in table.frame.columns and "ticker" not in table.frame.columns:
        table.frame = table.frame.rename({"vendor_file": "ticker"})
    _need(table, ("symbol", "ticker", "from", "to"), "symbol,ticker,from,to")
    segments = pl.DataFrame(
        {
            "symbol": values.texts(table, "symbol"),
            "ticker": values.texts(table, "ticker").str.to_lowercase(),
            "since": _dates(table, "from"),
            "until": _dates(table, "to"),
            "row": table.frame[ROW],
        }
    )
    low, high = pl.lit(datetime.date.min), pl.lit(datetime.date.max)
    ordered = segments.with_columns(a=pl.col("since").fill_null(low), b=pl.col("until").fill_null(high)).sort(
        "ticker", "a"
    )
    before = pl.col("b").shift(1).over("ticker")
    for wrong, what in (
        (pl.col("b") < pl.col("a"), "ends before it begins"),
        (pl.col("a") <= before, "overlaps another of its ticker"),
    ):
        if (found := ordered.filter(wrong)).height:
            row = found.row(0, named=True)
            raise InputError(
                f"{table.where(row['row'])}: the segment of {row['symbol']} in '{row['ticker']}' {what}; correct its dates"
            )
    return segments.drop("row")


def by_segments(frame: "pl.DataFrame", segments: "pl.DataFrame") -> tuple["pl.DataFrame", int]:
    """Bars whose symbols are tickers, by permanent symbol; and how many rows belong to none (other companies under the ticker)."""
    import polars as pl

    bars = frame.with_columns(
        pl.col("symbol").str.to_lowercase().alias("ticker"), pl.col("time").cast(pl.Date).alias("day")
    )
    low, high = pl.lit(datetime.date.min), pl.lit(datetime.date.max)
    joined = bars.drop("symbol").join(segments, on="ticker", how="inner")
    within = joined.filter(
        (pl.col("day") >= pl.col("since").fill_null(low)) & (pl.col("day") <= pl.col("until").fill_null(high))
    )
    found = within.drop("ticker", "day", "since", "until").select(frame.columns).sort("symbol", "time")
    return found, frame.height - found.height


def read_listings(path: str | Path) -> "pl.DataFrame":
    """Rows (symbol, delisted_on: Date or null, delist_return) of a CSV with `symbol,delisted_on` and maybe `delist_return` (0)."""
    import polars as pl

    table = read_texts(path)
    _need(table, ("symbol", "delisted_on"), "symbol,delisted_on")
    if "delist_return" in table.frame.columns:
        returns = values.numbers(table, "delist_return").fill_null(0.0)
        if (wrong := (returns < -1) | (returns > 10)).any():
            at = int(wrong.arg_max() or 0)
            raise InputError(
                f"{table.where(table.frame[ROW][at], 'delist_return')}: {returns[at]:.9g}; give -1 (all is lost) to 10"
            )
    else:
        returns = pl.zeros(table.frame.height, pl.Float64, eager=True)
    frame = pl.DataFrame(
        {"symbol": values.texts(table, "symbol"), "delisted_on": _dates(table, "delisted_on"), "delist_return": returns}
    )
    if frame["symbol"].is_duplicated().any():
        at = int(frame["symbol"].is_duplicated().arg_max() or 0)
        raise InputError(f"{path}: symbol '{frame['symbol'][at]}' stands twice; keep one row")
    return frame.filter(pl.col("delisted_on").is_not_null())


def delistings(frame: "pl.DataFrame | None") -> dict[str, tuple[np.datetime64, float]]:
    """The same by symbol, as `dense` takes them."""
    rows = frame.iter_rows(named=True) if frame is not None else ()
    return {row["symbol"]: (np.datetime64(row["delisted_on"], "D"), row["delist_return"]) for row in rows}


def _dates(table: Table, column: str) -> "pl.Series":
    """Dates, null where the cell is empty."""
    import polars as pl

    told = table.frame[column].cast(pl.String).str.strip_chars().fill_null("") != ""
    part = Table(table.path, table.frame.filter(told))
    if not part.frame.height:
        return pl.repeat(None, table.frame.height, dtype=pl.Date, eager=True)
    dates = pl.DataFrame({ROW: part.frame[ROW], "date": parse_times(part, column).date})
    return table.frame.select(ROW).join(dates, on=ROW, how="left", maintain_order="left")["date"]


def _need(table: Table, names: tuple[str, ...], form: str) -> None:
    for name in names:
        if name not in table.frame.columns:
            raise InputError(f"{table.path}: row 1: has no column '{name}'; give a CSV of {form}")
