"""Bars from a CSV or Parquet file: long or wide, daily or parts of a day, as one frame of one form, with what was guessed in words."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lobjax.data.prices import values
from lobjax.data.prices.faults import Fault
from lobjax.data.prices.form_checks import check_form
from lobjax.data.prices.naming import Layout, layout_of, words
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.text import ROW, Table, read_texts
from lobjax.data.prices.times import ORDERS, Times, check_zone, of_zone, parse_times, utc_of
from lobjax.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

BARS = {"daily": 86_400, "hour": 3600, "minute": 60}  # seconds
BASES = ("raw", "split-adjusted", "adjusted")
_NIGHT = 20 * 3600  # seconds from a bar to the next, of a bar a day


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a user says of files that do not say it themselves."""

    prices: str | None = None  # raw, split-adjusted, adjusted
    bars: str | None = None  # daily, hour, minute
    symbol: str | None = None  # of a file without a column of symbols
    field: str | None = None  # of a wide file with a column a symbol
    time_zone: str | None = None
    dates: str | None = None  # dmy, mdy
    repair: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {"prices": BASES, "bars": tuple(BARS), "field": FIELDS, "dates": ORDERS}
        for name, allowed in known.items():
            if (given := getattr(self, name)) is not None and given not in allowed:
                raise InputError(f"--{name}: unknown word '{given}'; {nearest(given, allowed)}")
        check_zone(self.time_zone)


@dataclass
class Bars:
    """`frame`: symbol, time (Date of daily bars, else Datetime in UTC), open, high, low, close, volume, row; sorted, each bar once.

    Also adj_close, dividend and split where the file has them. `basis`: one of `BASES`, None where the file does not tell.
    """

    path: str
    frame: "pl.DataFrame"
    kind: str  # of `BARS`
    basis: str | None = None
    said: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_bars(path: str | Path, choices: Choices) -> Bars:
    """The bars of a file. InputError, by row and column, where a cell cannot be what it should; `Bars.faults` where it can, but is odd."""
    table = read_texts(path)
    layout = layout_of(table, choices.field)
    return bars_of(table, layout, choices)


def bars_of(table: Table, layout: Layout, choices: Choices) -> Bars:
    """The bars of a table of this layout."""
    import polars as pl

    ms = values.numbers(table, layout.roles["ms"]) if "ms" in layout.roles else None
    times = parse_times(table, layout.roles["time"], choices.dates, ms)
    is_daily = times.is_daily and ms is None if choices.bars is None else choices.bars == "daily"
    zone = choices.time_zone or layout.zone
    if is_daily:
        stamp = _dates(table, times, choices.time_zone)
    else:
        if choices.time_zone is not None and times.offset_min is not None and len(times.offsets()) > 1:
            of_zone(table, times, choices.time_zone)
        stamp = utc_of(table, times, zone)
    frame = pl.DataFrame({"row": table.frame[ROW], "time": stamp})
    if times.offset_min is not None:
        frame = frame.with_columns(times.offset_min.alias("offset"))
    said = [*table.said, words(layout)]
    frame = _wide(table, layout, frame) if layout.cells else _long(table, layout, frame, choices, said)
    kind = "daily" if is_daily else choices.bars or _kind(table, frame)
    said.append(f"{kind} bars" + (f", times in {zone}" if zone and not is_daily and times.offset_min is None else ""))
    frame, faults = check_form(table.path, frame, times.offsets() if choices.time_zone is None else [])
    return Bars(table.path, frame, kind, said=said, faults=faults)


def _dates(table: Table, times: Times, zone: str | None) -> "pl.Series":
    """The date of each daily bar: as written at midnight; else of the exchange's zone, which must be told."""
    if times.is_daily and (times.offset_min is None or zone is None or len(times.offsets()) > 1):
        return times.date
    if times.offset_min is None:
        return times.date  # the day as it was there, at whatever time of it
    if zone is None:
        raise InputError(f"{table.path}: daily bars at times other than midnight; give --time-zone of the exchange")
    import polars as pl

    return utc_of(table, times, None).dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date().cast(pl.Date)


def _long(table: Table, layout: Layout, frame: "pl.DataFrame", choices: Choices, said: list[str]) -> "pl.DataFrame":
    import polars as pl

    roles = layout.roles
    if "symbol" in roles:
        if choices.symbol is not None:
            raise InputError(
                f"--symbol: {table.path} has a column of symbols, '{roles['symbol']}'; leave the option away"
            )
        symbol = values.texts(table, roles["symbol"])
    else:
        name = choices.symbol or _stem(table.path)
        if choices.symbol is None:
            said.append(f"symbol '{name}' by the file's name (--symbol for another)")
        symbol = pl.repeat(name, table.frame.height, dtype=pl.String, eager=True)
    columns = {"symbol": symbol}
    only_adjusted = "close" not in roles and "adj_close" in roles
    for name in FIELDS:
        role = f"adj_{name}" if only_adjusted and f"adj_{name}" in roles else name
        if role in roles:
            columns[name] = (values.volumes if name == "volume" else values.prices)(table, roles[role])
        else:
            columns[name] = pl.repeat(None, table.frame.height, dtype=pl.Float64, eager=True)
    if only_adjusted:
        said.append("adjusted prices")
    elif lacking := [name for name in ("open", "close", "volume") if name not in roles]:
        said.append(f"no {' and no '.join(lacking)}, without which a bar cannot be traded")
    if "adj_close" in roles and not only_adjusted:
        columns["adj_close"] = values.prices(table, roles["adj_close"])
    if "dividend" in roles:
        columns["dividend"] = values.volumes(table, roles["dividend"]).fill_null(0.0)
    if "split" in roles:
        columns["split"] = values.factors(table, roles["split"])
    return _with_prices(table, frame.with_columns(**columns), "close" in roles or only_adjusted, said)


def _with_prices(table: Table, frame: "pl.DataFrame", has_close: bool, said: list[str]) -> "pl.DataFrame":
    """Without the rows that have no price at all; InputError where a row has some and no close, in a file of closes."""
    import polars as pl

    none = pl.all_horizontal(pl.col(name).is_null() for name in FIELDS[:4])
    empty = int(frame.select(none.sum()).item())
    frame = frame.filter(~none)
    if empty:
        said.append(f"{empty:,} rows without a price")
    if not frame.height:
        raise InputError(f"{table.path}: no row has a price; give a file of prices")
    if has_close:
        _check_closes(table, frame)
    return frame


def _check_closes(table: Table, frame: "pl.DataFrame") -> None:
    open_ended = frame["close"].is_null() & (
        frame["open"].is_not_null() | frame["high"].is_not_null() | frame["low"].is_not_null()
    )
    if open_ended.any():
        at = int(open_ended.arg_max() or 0)
        raise InputError(
            f"{table.where(frame['row'][at])}: has an open, high or low and no close; complete or remove the row"
        )


def _wide(table: Table, layout: Layout, frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    by_symbol: dict[str, dict[str, str]] = {}
    for column, (symbol, of) in layout.cells.items():
        by_symbol.setdefault(symbol, {})[of] = column
    parts = []
    for symbol, columns in by_symbol.items():
        found = {
            name: (values.volumes if name == "volume" else values.prices)(table, columns[name])
            if name in columns
            else pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
            for name in FIELDS
        }
        if "adj_close" in columns:
            found["adj_close"] = values.prices(table, columns["adj_close"])
        parts.append(frame.with_columns(pl.lit(symbol).alias("symbol"), **found))
        if "close" in columns:
            _check_closes(table, parts[-1])
    whole = pl.concat(parts)
    whole = whole.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in FIELDS))
    if not whole.height:
        raise InputError(f"{table.path}: no cell holds a number; give a file of prices")
    return whole


def _kind(table: Table, frame: "pl.DataFrame") -> str:
    import polars as pl

    steps = frame.sort("symbol", "time").select(pl.col("time").diff().over("symbol").dt.total_seconds()).to_series()
    usual = steps.filter(steps > 0).quantile(0.25)  # nights and holes are among them
    if usual is None:
        raise InputError(
            f"{table.path}: one bar a symbol, which may be of an hour or a minute; give --bars hour or --bars minute"
        )
    if usual >= _NIGHT:
        raise InputError(f"{table.path}: a bar a day, at times other than midnight; give --bars daily")
    return "minute" if usual < 1800 else "hour"


def _stem(path: str) -> str:
    name = Path(path).name
    for ending in (".gz", ".csv", ".parquet", ".txt", ".tsv"):
        name = name.removesuffix(ending)
    return name or path
