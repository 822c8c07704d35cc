"""Bars as QuantConnect's LEAN keeps them: zips of CSVs without a header, prices in 1/10,000 dollar, raw, by New York's clock.

A zip of daily or hourly bars holds one file of `yyyymmdd hh:mm,open,high,low,close,volume`; one of minutes (`20131007_trade.zip`) a day of
`milliseconds after midnight,open,...`. CSVs that were cut from these, with a header, are read as any CSV: `--format lean` says of them that
they are raw and New York's.
"""

import dataclasses
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from lobjax.data.prices.naming import Layout
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.reader import Bars, Choices, bars_of, read_bars
from lobjax.data.prices.text import Table, table_from
from lobjax.errors import InputError
from lobjax.reading import Unpacked, check_method, most_for, opened, parsing

if TYPE_CHECKING:
    import polars as pl

ZONE = "America/New_York"
_ADVICE = "give a zip of LEAN's daily, hourly or minute bars"
_MINUTE = re.compile(r"(\d{8})_([a-z0-9.]+)_minute_trade(_bar)?\.csv", re.IGNORECASE)
_BARS = re.compile(r"([a-z0-9.]+)\.csv", re.IGNORECASE)
_UNITS = 10_000.0


def read_lean(path: str | Path, choices: Choices) -> Bars:
    """The raw bars of a zip, or of a CSV with a header that was cut from such."""
    choices = dataclasses.replace(choices, prices=choices.prices or "raw", time_zone=choices.time_zone or ZONE)
    if not str(path).lower().endswith(".zip"):
        bars = read_bars(path, choices)
        bars.basis = choices.prices
        return bars
    member, data = _member(path)
    minute, whole = _MINUTE.fullmatch(member), _BARS.fullmatch(member)
    if "tick" in member.lower() or "quote" in member.lower() or not (minute or whole):
        raise InputError(f"{path}: holds '{member}', no bars of trades; {_ADVICE}")
    symbol = choices.symbol or (minute[2] if minute else whole[1] if whole else "").upper()
    table = _table(path, data, minute[1] if minute else None)
    layout = Layout({"time": "time", **dict(zip(FIELDS, FIELDS, strict=True))} | ({"ms": "ms"} if minute else {}))
    kind = "minute" if minute else "daily" if str(table.frame["time"][0]).strip().endswith(" 00:00") else "hour"
    bars = bars_of(table, layout, dataclasses.replace(choices, symbol=symbol, bars=choices.bars or kind))
    bars.basis = choices.prices
    bars.said[-2:-2] = ["prices in 1/10,000 dollar"]
    return bars


def _member(path: str | Path) -> tuple[str, bytes]:
    with (
        opened(path, what="file of prices", advice=_ADVICE) as stream,
        parsing(path, "a zip that can be unpacked", _ADVICE),
    ):
        limit = most_for(stream)
        with zipfile.ZipFile(stream) as archive:
            members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
            if len(members) != 1:
                raise InputError(f"{path}: holds {len(members)} CSV files; {_ADVICE}")
            check_method(members[0])
            with archive.open(members[0]) as packed:
                unpacked = Unpacked(packed, limit)
                return Path(members[0].filename).name, b"".join(iter(lambda: unpacked.read(1 << 22), b""))


def _table(path: str | Path, data: bytes, day: str | None) -> Table:
    import polars as pl

    first = "time" if day is None else "ms"
    table = table_from(f"{first},{','.join(FIELDS)}\n".encode() + data, str(path))
    frame = table.frame.with_columns(pl.col("row of the file") - 1)
    scaled = [_scaled(frame[name]) for name in FIELDS[:4]]
    frame = frame.with_columns(scaled)
    if day is not None:
        frame = frame.with_columns(pl.lit(day).alias("time"))
    return dataclasses.replace(table, frame=frame)


def _scaled(column: "pl.Series") -> "pl.Series":
    """In dollars, where it is a number; else as it is, for the check that names the row."""
    import polars as pl

    number = column.str.strip_chars().cast(pl.Float64, strict=False)
    if number.null_count():
        return column
    return (number / _UNITS).alias(column.name)
