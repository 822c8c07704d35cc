"""The quality report of bars and actions: what each symbol's prices have that they should not, and the repairs that are certain.

Prints that were never traded, jumps without an action, 100-fold units, splits adjusted twice or not, dividends that do not fit, stale and
empty bars. Faults of form come from reading; sessions from the calendar.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from lobjax.data.prices.faults import Fault
from lobjax.data.prices.form_checks import text_of
from lobjax.data.prices.levels import UNIT_SLACK, UNITS, Levels, Run, find_levels, stretches
from lobjax.data.prices.panel import FIELDS

if TYPE_CHECKING:
    import polars as pl

JUMP = 0.25  # |log change| from a close to the next open that asks for an action
PRINT = 0.4  # |log| by which a high or low may leave all prices around it
STALE, STALE_INTRADAY = 5, 30  # bars of one price, and nothing else; in a thin hour many are
_RATIOS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 50)


def quality(
    frame: "pl.DataFrame", actions: "pl.DataFrame", basis: str | None, repair: Collection[str] = ()
) -> tuple[list[Fault], "pl.DataFrame"]:
    """The faults in bars of a basis, and the bars with units and splits repaired where `repair` names these (columns as given).

    `actions` (symbol, time, kind, value) are those of raw prices; on another basis prices do not move at them.
    """
    import polars as pl

    faults: list[Fault] = []
    parts = []
    for (symbol,), bars in frame.sort("symbol", "time").group_by(["symbol"], maintain_order=True):
        own = actions.filter(pl.col("symbol") == symbol)
        found, fixed = _of_symbol(str(symbol), bars, own, basis, repair)
        faults += found
        parts.append(fixed)
    return faults, pl.concat(parts) if parts else frame


def _of_symbol(
    symbol: str, bars: "pl.DataFrame", actions: "pl.DataFrame", basis: str | None, repair: Collection[str]
) -> tuple[list[Fault], "pl.DataFrame"]:
    import polars as pl

    times = text_of(bars["time"])
    prices = np.stack([bars[name].cast(float).to_numpy() for name in FIELDS[:4]], axis=1).astype(np.float64)
    volume = bars["volume"].cast(float).fill_null(np.nan).to_numpy()
    if not np.isfinite(prices[:, 3]).all():  # only some fields are told: nothing to compare
        return [], bars
    splits, factors = per_bar(bars, actions)
    expected = np.zeros(len(bars)) if basis == "adjusted" else np.log(factors)
    if basis in ("raw", None):
        expected = expected - np.log(splits)
    levels = find_levels(prices, volume, expected, splits)
    faults = [_level_fault(symbol, run, times, bars) for run in levels.runs]
    faults += _jumps(symbol, times, levels.prices, expected, factors)
    faults += _prints(symbol, times, levels.prices, expected)
    faults += _still(symbol, times, prices, volume, STALE if bars["time"].dtype == pl.Date else STALE_INTRADAY)
    return faults, _repaired(bars, levels, [run for run in levels.runs if run.option in repair])


def per_bar(bars: "pl.DataFrame", actions: "pl.DataFrame") -> tuple[np.ndarray, np.ndarray]:
    """Split and dividend factor [T] of the actions of one symbol, at its first bar that is not before their date."""
    days = bars["time"].to_numpy().astype("datetime64[D]")
    split, factor = np.ones(len(days)), np.ones(len(days))
    when = actions["time"].to_numpy().astype("datetime64[D]")
    for at, kind, value in zip(np.searchsorted(days, when), actions["kind"], actions["value"], strict=True):
        if 0 < at < len(days):
            (split if kind == "split" else factor)[at] *= value
    return split, factor


def _level_fault(symbol: str, run: Run, times: list[str], bars: "pl.DataFrame") -> Fault:
    close = bars["close"][run.first]
    times_off = 1 / run.factor if run.factor < 1 else run.factor
    size = f"{times_off:.6g} times too {'large' if run.factor < 1 else 'small'}"
    beside = "in some fields" if run.partial else "all of the bar" if run.first == run.last else "all of the bars"
    name = "missing split adjustment" if run.split else "100x unit error"
    detail = f"prices are {size} ({beside}), close {close:.9g}, beside the bar that was traded last"
    if run.split:
        detail += f"; the split's ratio is {run.split:.6g}"
    repair = f"prices x {run.factor:.9g}" + (", volumes divided by it" if run.split else "")
    return Fault(name, symbol, times[run.first], times[run.last], run.last - run.first + 1, detail, repair, run.option)


def _repaired(bars: "pl.DataFrame", levels: Levels, runs: list[Run]) -> "pl.DataFrame":
    import polars as pl

    if not runs:
        return bars
    within, shares = np.zeros(len(bars), np.bool_), np.ones(len(bars))
    for run in runs:
        within[run.first : run.last + 1] = True
        if run.split:
            shares[run.first : run.last + 1] /= run.factor
    columns = [
        pl.when(pl.Series(within) & pl.col(name).is_not_null())
        .then(pl.Series(levels.prices[:, k]))
        .otherwise(pl.col(name))
        .alias(name)
        for k, name in enumerate(FIELDS[:4])
    ]
    columns.append((pl.col("volume") * pl.Series(shares)).alias("volume"))
    if "adj_close" in bars.columns:
        columns.append((pl.col("adj_close") * pl.Series(np.where(within, levels.scale[:, 3], 1.0))).alias("adj_close"))
    return bars.with_columns(columns)


def _jumps(symbol: str, times: list[str], prices: np.ndarray, expected: np.ndarray, factors: np.ndarray) -> list[Fault]:
    log = np.log(prices)
    opening = np.where(np.isfinite(log[:, 0]), log[:, 0], log[:, 3])
    moved = opening[1:] - log[:-1, 3] - expected[1:]
    # A price may not follow a dividend, if that is wrong.
    large = np.minimum(np.abs(moved), np.abs(moved + np.log(factors[1:]))) > JUMP
    faults = []
    for at in np.flatnonzero(large) + 1:
        ratio = float(np.exp(moved[at - 1]))
        like = next((r for r in _RATIOS if abs(np.log(max(ratio, 1 / ratio)) - np.log(r)) < 0.04), None)
        hint = (
            f", like a split of {like:g}"
            if like and ratio < 1
            else f", like a reverse split of 1 for {like:g}"
            if like
            else ""
        )
        opened = prices[at, 0] if np.isfinite(prices[at, 0]) else prices[at, 3]
        detail = f"opens at {opened:.9g} after a close of {prices[at - 1, 3]:.9g}, x {ratio:.4g}, and no action explains it{hint}"
        faults.append(Fault("jump without an action", symbol, times[at], times[at], 1, detail))
    return faults


def _prints(symbol: str, times: list[str], prices: np.ndarray, expected: np.ndarray) -> list[Fault]:
    """Highs and lows that no price around them comes near; and closes that the prices before and after leave alone."""
    log = np.log(prices)
    opening = np.where(np.isfinite(log[:, 0]), log[:, 0], log[:, 3])
    before = np.append(np.nan, log[:-1, 3]) + expected
    after = np.append(opening[1:] - expected[1:], np.nan)
    around = np.stack([opening, log[:, 3], before, after])
    faults = []
    for name, column, beyond in (
        ("high", 1, log[:, 1] - np.fmax.reduce(around)),
        ("low", 2, np.fmin.reduce(around) - log[:, 2]),
    ):
        for at in np.flatnonzero(np.nan_to_num(beyond) > PRINT):
            detail = f"{name} {prices[at, column]:.9g}, and the prices around it are {_span(around[:, at])}"
            off = abs(log[at, column] - np.nanmean(around[:, at]))
            if unit := next((unit for unit in UNITS if abs(off - np.log(unit)) < UNIT_SLACK), None):
                detail += f": {unit:g} times off, like a wrong unit"
            faults.append(Fault("print far off", symbol, times[at], times[at], 1, detail))
    close, beside = log[:, 3], np.stack([opening, before, after])
    alone = np.minimum(np.abs(close - opening), np.abs(close - after)) > JUMP
    agree = np.fmax.reduce(beside) - np.fmin.reduce(beside) < JUMP
    for at in np.flatnonzero(alone & agree & np.isfinite(after)):
        detail = f"close {prices[at, 3]:.9g}, and prices before and after it are {_span(beside[:, at])}"
        faults.append(Fault("print far off", symbol, times[at], times[at], 1, detail))
    return faults


def _span(logs: np.ndarray) -> str:
    return f"{np.exp(np.nanmin(logs)):.6g} to {np.exp(np.nanmax(logs)):.6g}"


def _still(symbol: str, times: list[str], prices: np.ndarray, volume: np.ndarray, stale: int) -> list[Fault]:
    faults = []
    for first, last in stretches(volume == 0):
        detail = "no share was traded; not tradable there"
        faults.append(Fault("zero volume", symbol, times[first], times[last], last - first + 1, detail))
    one = np.isclose(np.nanmax(prices, axis=1), np.nanmin(prices, axis=1), rtol=1e-12)
    same = np.append(False, one[1:] & one[:-1] & (prices[1:, 3] == prices[:-1, 3]))
    for first, last in stretches(same):
        if last - first + 2 >= stale:
            detail = f"{prices[first, 3]:.9g} in every field of {last - first + 2} bars"
            faults.append(Fault("stale run", symbol, times[first - 1], times[last], last - first + 2, detail))
    return faults
