"""A backtest of a portfolio from prices and signals alone, and its folder."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from backtest import folder
from lobjax import locks
from lobjax.data.prices import panel_from_csv
from lobjax.errors import InputError, nearest
from lobjax.files import whole_folder
from lobjax.portfolio import Path as Played
from lobjax.portfolio import Tables, play, read_costs, tables
from lobjax.portfolio.figures import figures
from lobjax.portfolio.playing import Decide
from lobjax.portfolio.rules import BASELINES
from lobjax.portfolio.signals import read_signals, write_signals
from lobjax.portfolio.window import Window, window


def run(
    *,
    panel: Path,
    actions: Path | None,
    listings: Path | None,
    symbols: tuple[str, ...],
    baseline: str | None,
    signals: Path | None,
    cost: str,
    since: str | None,
    until: str | None,
    out: Path,
) -> dict[str, Any]:
    """Play a baseline or signals and leave `out`: signals.csv, steps.csv, weights.csv, figures.json. The figures."""
    if (baseline is None) == (signals is None):
        raise InputError("give either --baseline or --signals")
    costs = read_costs(cost)
    maker = BASELINES[baseline] if baseline is not None else None
    folder.check_free(out)
    prices = panel_from_csv(panel, actions, listings)
    for symbol in symbols:
        if symbol not in prices.symbols:
            raise InputError(f"--symbols: {panel} has no '{symbol}'; {nearest(symbol, prices.symbols)}")
    if len(set(symbols)) < len(symbols):
        raise InputError("--symbols names one twice")
    found = tables(prices.select(symbols) if symbols else prices)
    span = window(found.sessions, since, until)
    decide = maker(found, span.first) if maker else _from_signals(signals, found)
    played = play(found.returns, found.tradable, costs.rates(found.sigma), decide, span.first, span.steps)
    result = {**figures(played), "terminated": played.terminated}
    about = {
        "baseline": baseline,
        "signals": str(signals) if signals else None,
        "cost": cost,
        "symbols": list(found.symbols),
    }
    about |= {
        "first_decision": str(found.sessions[span.first]),
        "ends": str(found.sessions[span.first + span.steps + 1]),
    }
    with locks.held(out), whole_folder(out) as temporary:
        dates = found.sessions[span.first : span.first + span.steps]
        write_signals(temporary / "signals.csv", dates, found.symbols, played.targets)
        _write_steps(temporary, found, played, span)
        (temporary / "figures.json").write_text(
            json.dumps({**about, **result}, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
    return result


def _from_signals(path: Path | None, found: Tables) -> Decide:
    assert path is not None
    targets = read_signals(path, found.sessions, found.symbols)

    def decide(t: int, before: np.ndarray) -> np.ndarray | None:
        return None if np.isnan(targets[t, 0]) else targets[t]

    return decide


def _write_steps(folder: Path, found: Tables, played: Played, span: Window) -> None:
    """One row a step: date decided at, of the trade, of the end; and weights before and after each trade."""
    dates = found.sessions[span.first : span.first + span.steps + 2]
    with (folder / "steps.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("date", "traded", "ends", "log_return", "wealth", "kept", "turnover"))
        for k, row in enumerate(zip(played.log_return, played.wealth, played.kept, played.turnover, strict=True)):
            writer.writerow((*map(str, dates[k : k + 3]), *(format(value, ".17g") for value in row)))
    with (folder / "weights.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("date", "symbol", "before", "after"))
        for k in range(span.steps):
            for j, symbol in enumerate(found.symbols):
                pair = (played.before[k, j], played.after[k, j])
                writer.writerow((str(dates[k]), symbol, *(format(value, ".17g") for value in pair)))
