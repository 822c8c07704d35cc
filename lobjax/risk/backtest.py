"""A model of value at risk played over recorded returns: each day's VaR from the days before it, its exceptions, its tests."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from lobjax.errors import InputError, nearest
from lobjax.reading import Rows, read_csv
from lobjax.risk import exceptions, measures

_NAMES = ("return", "returns", "ret", "r", "log_return", "simple_return")
_CHUNK = 1 << 22  # values of windows held at once
LEAST_WINDOW = measures.START


class Forecasts(NamedTuple):
    """VaR and CVaR of days, float64 [n], and the returns that came."""

    var: np.ndarray
    cvar: np.ndarray
    returns: np.ndarray

    @property
    def hits(self) -> np.ndarray:
        """Whether a day's loss was above its VaR."""
        return -self.returns > self.var


def read_returns(path: str | Path) -> np.ndarray:
    """Returns, float64 [n], oldest first: the column named return (or returns, ret, r, log_return), or the last of one or two columns."""
    rows = read_csv(path, advice="give a CSV file with a column 'return'")
    returns = np.array(rows.numbers(_place(rows)))
    low = int(np.argmin(returns))
    if returns[low] < -1:
        raise InputError(
            f"{path}: line {rows.rows[low][0]}: a return of {returns[low]:g} loses more than everything; give fractions, not percent"
        )
    return returns


def _place(rows: Rows) -> int:
    known = [i for i, name in enumerate(rows.header or []) if name.lower() in _NAMES]
    width = len(rows.rows[0][1])
    if len(known) == 1:
        return known[0]
    if known or width > 2:
        raise InputError(f"{rows.path}: {width} columns, and not one of them is 'return'; name the one that is")
    return width - 1


def forecasts(returns: np.ndarray, level: float, model: str, window: int) -> Forecasts:
    """The VaR of every day from the `window`-th on: from the `window` days before it, or for ewma from all days before it.

    InputError for an unknown model, and where the returns are not longer than the window.
    """
    if model not in measures.MODELS:
        raise InputError(f"--model {model}: unknown; {nearest(model, measures.MODELS)}")
    if len(returns) <= window:
        raise InputError(
            f"{len(returns):,} returns, no more than the window of {window:,}; give more, or lower --window"
        )
    if model in ("ewma", "filtered") and window < LEAST_WINDOW + (model == "filtered"):
        raise InputError(f"--window {window}: {model} starts with the first {LEAST_WINDOW} returns; take a longer one")
    if model == "normal" and window < 2:
        raise InputError(f"--window {window}: normal takes the deviation of two returns at least; take a longer one")
    if model == "ewma":
        deviation = measures.ewma_deviations(returns)[window:-1]
        z = float(ndtri(level))
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        return Forecasts(z * deviation, deviation * (density / (1 - level)), returns[window:])
    windows = np.lib.stride_tricks.sliding_window_view(returns[:-1], window)
    each = max(1, _CHUNK // window)
    parts = [measures.MODELS[model](windows[at : at + each], level) for at in range(0, len(windows), each)]
    var, cvar = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    return Forecasts(var, cvar, returns[window:])


def backtest(returns: np.ndarray, level: float, model: str, window: int) -> dict[str, Any]:
    """The tests of `lobjax.risk.exceptions` on `forecasts`, as numbers for JSON: None for what is undefined."""
    made = forecasts(returns, level, model, window)
    p = round(1 - level, 12)  # as it is meant in decimals
    found = coverage_report(made.hits, p)
    z1, z2 = exceptions.acerbi_szekely(made.returns, made.var, made.cvar, p)
    return {
        **found,
        "zone": exceptions.zone(found["n"], found["exceptions"], p),
        "z1": number(z1),
        "z2": number(z2),
    }


def coverage_report(hits: np.ndarray, p: float) -> dict[str, Any]:
    """Every test of `exceptions.coverage` of hits [n], by the names of the reports."""
    found = exceptions.coverage(hits, p)
    pairs = {name: getattr(found, name) for name in ("uc", "ind", "cc", "tuff")}
    ratios = {f"{part}_{name}": number(getattr(r, part)) for name, r in pairs.items() for part in ("lr", "p")}
    return {"n": found.n, "exceptions": int(found.exceptions), **ratios}


def number(value: Any) -> float | None:
    """A float for JSON; None for what is undefined or infinite."""
    return float(value) if np.isfinite(value) else None
