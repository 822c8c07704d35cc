"""From rows of bars and actions to the dense arrays of a panel."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lobjax.data.prices.panel import FIELDS, PricePanel

if TYPE_CHECKING:
    import polars as pl


def dense(
    bars: "pl.DataFrame",
    actions: "pl.DataFrame | None" = None,
    delisted: Mapping[str, tuple[np.datetime64, float]] | None = None,
    symbols: Sequence[str] | None = None,
) -> PricePanel:
    """The panel of `bars` (symbol, time as Date or Datetime in UTC, open, high, low, close, volume: one row a bar).

    `actions` (date as `time`, symbol, split, dividend_factor) take effect at the first session not before their date; those of other
    symbols, before the first session or after the last, have none. `delisted`: the date from which on a symbol is not traded, and the
    return on its last close. `symbols`: which, in what order; by default all, by name.
    """
    chosen = tuple(symbols) if symbols is not None else tuple(sorted(bars["symbol"].unique().to_list()))
    places = {symbol: k for k, symbol in enumerate(chosen)}
    unit = "D" if str(bars["time"].dtype) == "Date" else "m"
    times = bars["time"].to_numpy().astype(f"datetime64[{unit}]")
    column = np.array([places.get(symbol, -1) for symbol in bars["symbol"].to_list()], np.int64)
    wanted = column >= 0
    sessions, row = np.unique(times[wanted], return_inverse=True)
    shape = (len(sessions), len(chosen))
    arrays = {name: np.full(shape, np.nan) for name in FIELDS}
    for name, array in arrays.items():
        array[row, column[wanted]] = bars[name].cast(float).to_numpy()[wanted]
    split, factor = np.ones(shape), np.ones(shape)
    if actions is not None and len(sessions):
        when = actions["time"].to_numpy().astype(f"datetime64[{unit}]")
        rows = np.searchsorted(sessions, when)
        known = np.array([places.get(symbol, -1) for symbol in actions["symbol"].to_list()], np.int64)
        inside = (known >= 0) & (when >= sessions[0]) & (rows < len(sessions))
        for target, name in ((split, "split"), (factor, "dividend_factor")):
            np.multiply.at(target, (rows[inside], known[inside]), actions[name].to_numpy()[inside])
    at, returns = np.full(len(chosen), -1, np.int32), np.zeros(len(chosen))
    for symbol, (date, value) in (delisted or {}).items():
        if symbol in places and (found := int(np.searchsorted(sessions, date.astype(sessions.dtype)))) < len(sessions):
            at[places[symbol]], returns[places[symbol]] = found, value
    return PricePanel(
        sessions=sessions,
        symbols=chosen,
        split=split,
        dividend_factor=factor,
        delisted_at=at,
        delist_return=returns,
        **arrays,
    )
