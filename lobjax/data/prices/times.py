"""Dates and times of a table: their form is found, days of daily bars are dates, bars of a part of a day are stamped in UTC.

A time without an offset is local to a zone that must be told. Times with offsets are certain each; but a file whose offsets differ may hold
two zones, or one with summer time, which `Times.offsets` tells.
"""

import re
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lobjax.data.prices.text import ROW, Table
from lobjax.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

_ISO = r"^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[T ]+(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d{1,9})?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
_OTHER = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?)?$"
_EPOCH = re.compile(r"^(\d{10}|\d{13}|\d{16}|\d{19})$")
_DAY_US = 86_400 * 1_000_000
ORDERS = ("dmy", "mdy")
_NAMED = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")  # months by their names


@dataclass
class Times:
    """`date` and microseconds after its midnight as written; minutes that the writer was ahead of UTC, where he says so."""

    date: "pl.Series"  # Date
    clock_us: "pl.Series"  # int64
    offset_min: "pl.Series | None"  # int32

    @property
    def is_daily(self) -> bool:
        """Whether all times are midnights."""
        return not (self.clock_us != 0).any()

    def offsets(self) -> list[int]:
        """The different offsets."""
        return [] if self.offset_min is None else sorted(self.offset_min.unique().to_list())


def check_zone(name: str | None) -> None:
    """InputError unless this is a zone of the IANA's list, or None."""
    if name is not None and name not in zoneinfo.available_timezones():
        raise InputError(f"--time-zone: unknown zone '{name}'; {_near(name)}")


def parse_times(table: Table, column: str, order: str | None = None, ms: "pl.Series | None" = None) -> Times:
    """The times in a column of texts, dates or times. `order`: dmy or mdy, of 03/04/2020. `ms`: after midnight, beside a date."""
    import polars as pl

    given = table.frame[column]
    if given.dtype == pl.Date:
        times = Times(given, pl.zeros(len(given), pl.Int64, eager=True), None)
    elif isinstance(given.dtype, pl.Datetime):
        times = _of_stamps(given)
    else:
        times = _of_texts(table, column, given.cast(pl.String).str.strip_chars(), order)
    wrong = times.date.is_null() | times.clock_us.is_null()
    if wrong.any():
        raise _no_time(table, column, int(wrong.arg_max() or 0))
    years = times.date.dt.year()
    if (odd := (years < 1800) | (years > 2200)).any():
        raise _no_time(table, column, int(odd.arg_max() or 0))
    if ms is not None:
        if not times.is_daily:
            raise InputError(f"{table.path}: column '{column}' has times and another column milliseconds; keep one")
        if (odd := (ms < 0) | (ms >= 86_400_000) | ms.is_null()).any():
            raise InputError(
                f"{table.where(table.frame[ROW][int(odd.arg_max() or 0)])}: its milliseconds are not within a day"
            )
        times.clock_us = (ms * 1000).cast(pl.Int64)
    return times


def utc_of(table: Table, times: Times, zone: str | None) -> "pl.Series":
    """Datetime in UTC, without saying so, of each time: by its own offset, else as local to `zone`."""
    import polars as pl

    local = (times.date.cast(pl.Datetime("us")).cast(pl.Int64) + times.clock_us).cast(pl.Datetime("us"))
    if times.offset_min is not None:
        return (local.cast(pl.Int64) - times.offset_min.cast(pl.Int64) * 60_000_000).cast(pl.Datetime("us"))
    if zone is None:
        raise InputError(f"{table.path}: its times say no zone; give --time-zone America/New_York (or another)")
    found = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    if (wrong := found.is_null()).any():
        at = int(wrong.arg_max() or 0)
        raise InputError(
            f"{table.where(table.frame[ROW][at])}: {local[at]} comes twice or never in {zone}, at a change of its clock; write "
            "times with offsets"
        )
    return found.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def of_zone(table: Table, times: Times, zone: str) -> None:
    """InputError unless every offset is the one that `zone` had at that time."""
    import polars as pl

    assert times.offset_min is not None
    utc = utc_of(table, times, None).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    there = (utc.dt.base_utc_offset() + utc.dt.dst_offset()).dt.total_minutes().cast(pl.Int32)
    if (wrong := there != times.offset_min).any():
        at = int(wrong.arg_max() or 0)
        raise InputError(
            f"{table.where(table.frame[ROW][at])}: its offset {offset_text(times.offset_min[at])} is not that of {zone} "
            f"({offset_text(there[at])}) then; split the file by zone"
        )


def offset_text(minutes: int) -> str:
    """+01:00 for 60."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _of_stamps(given: "pl.Series") -> Times:
    import polars as pl

    zone = getattr(given.dtype, "time_zone", None)
    offset = None
    if zone is not None:
        offset = (given.dt.base_utc_offset() + given.dt.dst_offset()).dt.total_minutes().cast(pl.Int32)
        given = given.dt.replace_time_zone(None, ambiguous="earliest")
    stamps = given.cast(pl.Datetime("us")).cast(pl.Int64)
    return Times(given.dt.date(), stamps - stamps // _DAY_US * _DAY_US, offset)


def _of_texts(table: Table, column: str, text: "pl.Series", order: str | None) -> Times:
    import polars as pl

    first = next((value for value in text.head(1000).to_list() if value), "")
    if _EPOCH.match(first):
        unit = {10: 1_000_000, 13: 1000, 16: 1, 19: -1000}[len(first)]
        found = text.set(text.str.len_chars() != len(first), None).cast(pl.Int64, strict=False)
        stamps = found * unit if unit > 0 else found // -unit
        date = (stamps // _DAY_US).cast(pl.Int32).cast(pl.Date)
        zero = pl.zeros(len(text), pl.Int32, eager=True)
        return Times(date, stamps - stamps // _DAY_US * _DAY_US, zero)
    is_iso = re.match(_ISO, first) is not None
    if not is_iso and not re.match(_OTHER, first):
        for form in _NAMED:
            date = text.str.to_date(form, strict=False)
            if date.head(1000).is_not_null().any():
                return Times(date, pl.zeros(len(text), pl.Int64, eager=True), None)
        raise _no_time(table, column, 0)
    parts = text.str.extract_groups(_ISO if is_iso else _OTHER).struct.unnest()
    parts.columns = [f"p{k}" for k in range(len(parts.columns))]
    if is_iso:
        year, month, day = (parts[f"p{k}"] for k in range(3))
    else:
        month, day = _month_day(table, column, parts, order)
        year = parts["p2"]
    written = pl.DataFrame({"y": year, "m": month, "d": day})
    date = written.select(
        pl.concat_str(["y", pl.col("m").str.zfill(2), pl.col("d").str.zfill(2)]).str.to_date("%Y%m%d", strict=False)
    ).to_series()
    clock = [parts[f"p{k}"].cast(pl.Int64).fill_null(0) for k in (3, 4, 5)]
    beyond = (clock[0] > 23) | (clock[1] > 59) | (clock[2] > 59)
    clock_us = (clock[0] * 3600 + clock[1] * 60 + clock[2]) * 1_000_000
    return Times(date, clock_us.set(beyond, None), _offsets(table, column, parts["p6"]) if is_iso else None)


def _offsets(table: Table, column: str, written: "pl.Series") -> "pl.Series | None":
    import polars as pl

    if not (has := written.is_not_null()).any():
        return None
    if not has.all():
        at = int((has != has[0]).arg_max() or 0)
        says = "has an offset" if has[at] else "has none"
        before = "have none" if has[at] else "have one"
        raise InputError(
            f"{table.where(table.frame[ROW][at], column)}: the time {says} to UTC, those before {before}: two time zones; write all "
            "the same way"
        )
    plain = pl.Series(written).replace({"Z": "+00:00", "UTC": "+00:00", "GMT": "+00:00"}).str.replace(":", "")
    hours, minutes = (plain.str.slice(start, 2).cast(pl.Int32) for start in (1, 3))
    return (hours * 60 + minutes) * (1 - 2 * (plain.str.slice(0, 1) == "-").cast(pl.Int32))


def _month_day(table: Table, column: str, parts: "pl.DataFrame", order: str | None) -> tuple["pl.Series", "pl.Series"]:
    import polars as pl

    first, second = parts["p0"], parts["p1"]
    if order is None:
        if (first.cast(pl.Int32).max() or 0) > 12:  # type: ignore[operator]
            order = "dmy"
        elif (second.cast(pl.Int32).max() or 0) > 12:  # type: ignore[operator]
            order = "mdy"
        else:
            raise InputError(
                f"{table.path}: column '{column}': dates like {table.frame[column][0]} may begin with the day or the month; give "
                "--dates dmy or --dates mdy"
            )
    return (second, first) if order == "dmy" else (first, second)


def _no_time(table: Table, column: str, at: int) -> InputError:
    shown = f"'{str(table.frame[column][at] or '')[:40]}'"
    return InputError(
        f"{table.where(table.frame[ROW][at], column)}: {shown} is no date or time of the form of the others; write 2020-01-31, "
        "or 2020-01-31 09:30"
    )


def _near(name: str) -> str:
    zones = zoneinfo.available_timezones()
    hint = nearest(name, zones)
    return hint if hint.startswith("did") else "write one like America/New_York"
