"""A panel straight from files of raw bars and actions, without a store."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from lobjax.data.prices.dense import dense
from lobjax.data.prices.panel import PricePanel
from lobjax.errors import InputError
from lobjax.reading import parsing, read_bytes

if TYPE_CHECKING:
    import polars as pl

_MOST = 1 << 30


def panel_from_csv(panel: str | Path, actions: str | Path | None = None) -> PricePanel:
    """The panel of a CSV `date,symbol,open,high,low,close,volume` (may be gzipped) of raw daily bars, and of one of actions.

    Actions: `date,symbol,split,dividend_factor`. InputError where a file is not that.
    """
    import polars as pl

    bars = _table(panel, ("open", "high", "low", "close", "volume"))
    if bars.select("symbol", "time").is_duplicated().any():
        twice = bars.filter(bars.select("symbol", "time").is_duplicated()).row(0, named=True)
        raise InputError(f"{panel}: {twice['symbol']} has {twice['time']} twice; keep one row")
    found = _table(actions, ("split", "dividend_factor")) if actions is not None else None
    assert bars["time"].dtype == pl.Date
    return dense(bars, found)


def _table(path: str | Path, numbers: tuple[str, ...]) -> "pl.DataFrame":
    import gzip

    import polars as pl

    advice = f"give a CSV of the columns date, symbol, {', '.join(numbers)}"
    data = read_bytes(path, most=_MOST, advice=advice)
    with parsing(path, "a table of prices", advice):
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        kinds = {"date": pl.String, "symbol": pl.String, **dict.fromkeys(numbers, pl.Float64)}
        frame = pl.read_csv(io.BytesIO(data), columns=list(kinds), schema_overrides=kinds)
        return frame.with_columns(pl.col("date").str.to_date("%Y-%m-%d")).rename({"date": "time"})
