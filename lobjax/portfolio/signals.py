"""Signals: target weights by date and symbol, as a table. With prices they are all that a backtest needs.

`date, symbol, signal`: the close that was decided at, one row for each symbol of the universe, zeros included, cash implied. A date that is
absent holds.
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lobjax.errors import InputError, nearest
from lobjax.files import whole_file
from lobjax.reading import MiB, read_table, read_text

COLUMNS = ("date", "symbol", "signal")
_MOST = 512 * MiB
_MOST_WEIGHT = 10.0
_ADVICE = "give rows of date, symbol, signal"


def write_signals(path: Path, dates: np.ndarray, symbols: Sequence[str], targets: np.ndarray) -> None:
    """Targets [K, N] decided at the closes of `dates` [K] (rows of NaN hold, and are left out), sorted, so that they read back the same."""
    order = np.argsort(np.array(symbols), kind="stable")
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for date, row in zip(dates, targets, strict=True):
            if np.isfinite(row).all():
                writer.writerows((str(date), symbols[k], format(row[k], ".17g")) for k in order)


def read_signals(path: Path, sessions: np.ndarray, symbols: Sequence[str]) -> np.ndarray:
    """Targets [S, N] by session, rows of NaN where none was decided, of a CSV or Parquet file.

    InputError names the row: a date that is no session, an unknown symbol, one twice or missing on a date, no number.
    """
    places = {symbol: k for k, symbol in enumerate(symbols)}
    times = {str(session): t for t, session in enumerate(sessions)}
    found = np.full((len(sessions), len(symbols)), np.nan)
    last = -1
    for number, date, symbol, signal in _rows(path):
        where = f"{path}, row {number}"
        if date not in times:
            raise InputError(f"{where}: '{date[:40]}' is no session of the prices; {_nearest_session(date, times)}")
        if symbol not in places:
            raise InputError(f"{where}: unknown symbol '{symbol[:40]}'; {nearest(symbol, symbols)}")
        t, k = times[date], places[symbol]
        if not math.isnan(found[t, k]):
            raise InputError(f"{where}: {symbol} has {date} twice; keep one row")
        if not abs(signal) <= _MOST_WEIGHT:
            raise InputError(
                f"{where}: signal {signal:g} is no share of wealth; give one from -{_MOST_WEIGHT:g} to {_MOST_WEIGHT:g}"
            )
        found[t, k], last = signal, number
    if last < 0:
        raise InputError(f"{path}: holds no signal; {_ADVICE}")
    some = ~np.isnan(found)
    torn = np.flatnonzero(some.any(1) & ~some.all(1))
    if len(torn):
        missing = symbols[int(np.flatnonzero(~some[torn[0]])[0])]
        raise InputError(
            f"{path}: {sessions[torn[0]]} has no row for {missing}; write one for each symbol, zeros included"
        )
    return found


def _rows(path: Path):
    """(row, date, symbol, signal), rows counted as a spreadsheet does, the header being 1."""
    if path.suffix == ".parquet":
        import polars as pl

        table = read_table(path, {"date": pl.Date, "symbol": pl.String, "signal": pl.Float64}, advice=_ADVICE)
        for number, (date, symbol, signal) in enumerate(table.select(COLUMNS).iter_rows(), 2):
            yield number, str(date), symbol, signal
        return
    lines = read_text(path, most=_MOST, advice=_ADVICE).splitlines()
    names = [name.strip().lower() for name in lines[0].removeprefix("\ufeff").split(",")] if lines else []
    if names != list(COLUMNS):
        raise InputError(
            f"{path}: its first row is '{lines[0][:60] if lines else ''}', not {','.join(COLUMNS)}; {_ADVICE}"
        )
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(",")]
        try:
            if len(parts) != 3:
                raise ValueError
            yield number, parts[0], parts[1], float(parts[2])
        except ValueError:
            raise InputError(f"{path}, row {number}: '{line[:60]}' is not date,symbol,signal; {_ADVICE}") from None


def _nearest_session(date: str, times: dict[str, int]) -> str:
    later = [session for session in times if session >= date]
    return f"the next one is {later[0]}" if later else f"the last one is {next(reversed(times))}"
