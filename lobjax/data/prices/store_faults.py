"""The quality report of all that a price store holds."""

from pathlib import Path

import polars as pl

from lobjax.data.prices import calendar
from lobjax.data.prices.database import frame, meta, reading
from lobjax.data.prices.faults import Fault
from lobjax.data.prices.form_checks import range_faults, text_of
from lobjax.data.prices.quality import quality
from lobjax.data.prices.reader import BARS
from lobjax.data.prices.store import bars_of


def store_faults(path: str | Path) -> list[Fault]:
    """The quality report of all that a store holds."""
    faults: list[Fault] = []
    with reading(path) as connection:
        of_files = (
            "SELECT name, symbol, first, last, count, detail || ' (in ' || path || ')', repair FROM faults ORDER BY ALL"
        )
        faults += [Fault(*row) for row in connection.execute(of_files).fetchall()]
        known = meta(connection)
        actions = frame(connection, "SELECT symbol, time, kind, value FROM actions ORDER BY ALL")
        sessions = (
            frame(connection, "SELECT time FROM sessions ORDER BY ALL")["time"].to_numpy().astype("datetime64[D]")
        )
        delisted = {row[0] for row in connection.execute("SELECT symbol FROM listings").fetchall()}
        bases = dict(connection.execute("SELECT symbol || ' ' || kind, basis FROM bases").fetchall())
        for kind in BARS:
            bars = bars_of(connection, path, None, kind, None, None, empty=True)
            if not bars.height:
                continue
            for basis in ("raw", "adjusted"):
                own = [s for s in bars["symbol"].unique().sort().to_list() if bases.get(f"{s} {kind}", "raw") == basis]
                part = bars.filter(pl.col("symbol").is_in(own))
                faults += range_faults(part)
                faults += quality(part, actions, basis)[0]
            faults += calendar.session_faults(bars, sessions, known.get("calendar", ""), known.get("time_zone"))
            faults += _ended(bars, delisted)
    return faults


def _ended(bars: "pl.DataFrame", delisted: set[str]) -> list[Fault]:
    """Symbols whose bars end a week or more before those of the others, and that are not delisted."""
    last = bars.group_by("symbol").agg(pl.col("time").max(), pl.len().alias("count")).sort("symbol")
    newest = last["time"].max()
    ended = last.filter(
        (pl.lit(newest) - pl.col("time") > pl.duration(days=7)) & ~pl.col("symbol").is_in(sorted(delisted))
    )
    detail = "no bar since, and no delisting"
    return [
        Fault("ends early", row["symbol"], when, when, 1, detail)
        for row, when in zip(ended.iter_rows(named=True), text_of(ended["time"]), strict=True)
    ]
