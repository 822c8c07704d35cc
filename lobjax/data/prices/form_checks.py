"""Faults of form, which can be told of a file without knowing the market: order, rows that stand twice, offsets, high and low."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lobjax.data.prices.faults import Fault
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.times import offset_text
from lobjax.errors import InputError

if TYPE_CHECKING:
    import polars as pl

_SUMMER_MIN = 60  # by which summer time moves a clock
_NOISE = 1e-6  # relative: a high that was rounded otherwise than its close


def check_form(path: str, frame: "pl.DataFrame", offsets: Sequence[int]) -> tuple["pl.DataFrame", list[Fault]]:
    """The rows sorted by symbol and time, each bar once, and the faults found.

    InputError where two zones are mixed, a bar stands twice with different values, or two symbols differ in their case alone.
    """
    faults = [*_offsets(path, frame, offsets)]
    _check_symbols(path, frame)
    faults += _order(frame)
    frame = frame.drop("offset", strict=False).sort("symbol", "time", "row")
    frame, twice = _once(path, frame)
    return frame, [*faults, *twice, *range_faults(frame)]


def range_faults(frame: "pl.DataFrame") -> list[Fault]:
    """Bars whose high is below, or low above, another of their prices: one fault a symbol."""
    import polars as pl

    high, low = pl.col("high"), pl.col("low")
    top, bottom = pl.max_horizontal("open", "low", "close"), pl.min_horizontal("open", "high", "close")
    outside = ((high < top * (1 - _NOISE)) | (low > bottom * (1 + _NOISE))).fill_null(False)
    faults = []
    for (symbol,), bars in frame.filter(outside).group_by(["symbol"], maintain_order=True):
        bar = bars.row(0, named=True)
        shown = ", ".join(f"{name} {bar[name]:.9g}" for name in FIELDS[:4] if bar[name] is not None)
        row = f"row {bar['row']:,}: " if "row" in bars.columns else ""
        when = text_of(bars["time"])
        faults.append(
            Fault(
                "high or low outside", str(symbol), when[0], when[-1], bars.height, f"{row}{symbol} {when[0]}: {shown}"
            )
        )
    return faults


def text_of(times: "pl.Series") -> list[str]:
    """Dates, or times in UTC to the minute."""
    import polars as pl

    return times.dt.strftime("%Y-%m-%d" if times.dtype == pl.Date else "%Y-%m-%d %H:%M").to_list()


def _offsets(path: str, frame: "pl.DataFrame", offsets: Sequence[int]) -> list[Fault]:
    if len(offsets) < 2:
        return []
    own = frame["offset"]
    other = (own != own[0]).arg_max() or 0
    first, second = (f"{offset_text(own[at])} at row {frame['row'][at]:,}" for at in (0, other))
    if max(offsets) - min(offsets) > _SUMMER_MIN:
        raise InputError(
            f"{path}: two time zones, {first} and {second}; split the file by zone, or write all times in UTC"
        )
    when = text_of(frame["time"].sort())
    count = int((own != own[0]).sum())
    detail = f"{first} and {second}, as with summer time"
    repair = "every time is taken by its own offset, every date as written"
    return [Fault("mixed UTC offsets", frame["symbol"][0], when[0], when[-1], count, detail, repair, "offsets")]


def _check_symbols(path: str, frame: "pl.DataFrame") -> None:
    seen: dict[str, str] = {}
    for symbol in frame["symbol"].unique().sort().to_list():
        if (other := seen.setdefault(symbol.casefold(), symbol)) != symbol:
            raise InputError(f"{path}: symbols '{other}' and '{symbol}' differ in their case alone; write one of them")


def _order(frame: "pl.DataFrame") -> list[Fault]:
    import polars as pl

    before = pl.col("time").shift(1).over("symbol")
    back = frame.with_columns(before.alias("before")).filter(pl.col("time") < pl.col("before"))
    if not back.height:
        return []
    row = back.row(0, named=True)
    at, after = text_of(back["time"])[0], text_of(back["before"])[0]
    steps = frame.height - frame["symbol"].n_unique()
    whole = (
        "descending" if back.height >= steps - int((frame["time"] == frame["time"].shift(1)).sum()) else "out of order"
    )
    detail = f"row {row['row']:,}: {row['symbol']} {at} comes after {after}; the file is {whole}"
    when = text_of(frame["time"].sort())
    return [
        Fault(
            "wrong order",
            row["symbol"],
            when[0],
            when[-1],
            back.height,
            detail,
            "rows are sorted by their time",
            "order",
        )
    ]


def _once(path: str, frame: "pl.DataFrame") -> tuple["pl.DataFrame", list[Fault]]:
    import polars as pl

    twice = frame.filter(pl.struct("symbol", "time").is_duplicated())
    if not twice.height:
        return frame, []
    others = [name for name in frame.columns if name not in ("row", "symbol", "time")]
    for name in others:
        told = twice.filter(pl.col(name).n_unique().over("symbol", "time") > 1)
        if told.height:
            one, two = told.row(0, named=True), told.row(1, named=True)
            when = text_of(told["time"])[0]
            raise InputError(
                f"{path}: row {two['row']:,}: {one['symbol']} {when} stands twice, {name} {_shown(one[name])} in row {one['row']:,} and "
                f"{_shown(two[name])} here; keep one"
            )
    when = text_of(twice["time"])
    one, two = twice.row(0, named=True), twice.row(1, named=True)
    frame = frame.unique(["symbol", "time"], keep="first", maintain_order=True)
    detail = f"row {two['row']:,}: {two['symbol']} {when[0]} stands in row {one['row']:,} too, with the same values"
    count = twice.height - twice.select("symbol", "time").n_unique()
    return frame, [
        Fault("duplicate rows", one["symbol"], when[0], when[-1], count, detail, "one of them is kept", "duplicates")
    ]


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.15g}"
