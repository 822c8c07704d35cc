"""Seconds to build a store of prices from CSV and to add a day, on a user's panel or one that is made up."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench import recording
from lobjax.data.prices.loading import Load, load
from lobjax.data.prices.reader import Choices


def made_panel(path: Path, symbols: int, years: int) -> None:
    """A CSV of raw daily bars: a random walk each, a session every weekday."""
    days = np.arange("2006-07-03", np.datetime64("2006-07-03") + 366 * years, dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    generator = np.random.default_rng(0)
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.01, (len(days), symbols)), axis=0))
    opening = close * np.exp(generator.normal(0, 0.003, close.shape))
    frame = pl.DataFrame(
        {
            "date": np.repeat(days, symbols),
            "symbol": [f"S{k:03}" for k in range(symbols)] * len(days),
            "open": opening.ravel().round(2),
            "high": (np.maximum(opening, close) * 1.005).ravel().round(2) + 0.01,
            "low": (np.minimum(opening, close) * 0.995).ravel().round(2) - 0.01,
            "close": close.ravel().round(2),
            "volume": generator.integers(1, 10_000_000, close.size),
        }
    )
    frame.write_csv(path)


def measure(panel: Path | None, actions: Path | None, symbols: int, years: int, runs: int) -> dict[str, Any]:
    """Build and update `runs` times, each in a new folder; a day is the panel's last, dated a day later."""
    built, updated, rows = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        file = panel or here / "panel.csv"
        if panel is None:
            made_panel(file, symbols, years)
        table = pl.read_csv(file, infer_schema=False)
        last = table.filter(pl.col("date") == pl.col("date").max())
        tomorrow = str(np.datetime64(last["date"][0]) + 1)
        last.with_columns(date=pl.lit(tomorrow)).write_csv(here / "day.csv")
        told = Choices(prices="raw")
        for run in range(runs):
            store = here / f"store{run}"
            start = time.perf_counter()
            rows = load(store, Load(files=(file,), actions=actions, choices=told), create=True).merged.added
            built.append(time.perf_counter() - start)
            start = time.perf_counter()
            load(store, Load(files=(here / "day.csv",), choices=told))
            updated.append(time.perf_counter() - start)
    return {
        "bench": "prices",
        "data": panel.name if panel else "made up",
        "symbols": table["symbol"].n_unique(),
        "rows": rows,
        **recording.rates("build_s", built),
        **recording.rates("update_s", updated),
    }
