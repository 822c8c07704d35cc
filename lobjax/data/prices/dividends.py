"""Dividends of a file against the adjusted close that it has beside them: one of the two is wrong where they disagree."""

from typing import TYPE_CHECKING

import numpy as np

from lobjax.data.prices.faults import Fault
from lobjax.data.prices.form_checks import text_of

if TYPE_CHECKING:
    import polars as pl

_SLACK = 2e-3  # of a factor
_LARGE = 0.25  # share of the price that a dividend seldom is


def check_dividends(frame: "pl.DataFrame", basis: str | None = None) -> tuple[list[Fault], "pl.DataFrame"]:
    """The faults of bars with columns `dividend` and maybe `split`, `adj_close`; and the bars with dividends repaired where certain."""
    import polars as pl

    if "dividend" not in frame.columns:
        return [], frame
    faults, parts = [], []
    for (symbol,), bars in frame.sort("symbol", "time").group_by(["symbol"], maintain_order=True):
        found, paid = _of_symbol(str(symbol), bars, basis)
        faults += found
        parts.append(bars.with_columns(pl.Series("dividend", paid)))
    return faults, pl.concat(parts)


def _of_symbol(symbol: str, bars: "pl.DataFrame", basis: str | None) -> tuple[list[Fault], np.ndarray]:
    times, close = text_of(bars["time"]), bars["close"].cast(float).to_numpy()
    paid = bars["dividend"].to_numpy().copy()
    split = bars["split"].to_numpy() if "split" in bars.columns else np.ones(len(bars))
    adjusted = bars["adj_close"].cast(float).to_numpy() if "adj_close" in bars.columns else np.full(len(bars), np.nan)
    share = adjusted / close
    faults = []

    def add(at: int, name: str, detail: str, repair: str = "", option: str = "") -> None:
        faults.append(Fault(name, symbol, times[at], times[at], 1, detail, repair, option))

    for at in range(1, len(bars)):
        # What the adjusted close says that the dividend leaves; a raw close has splits beside it.
        implied = share[at - 1] / share[at] * (split[at] if basis == "raw" else 1.0)
        if paid[at] > 0:
            stated = 1 - paid[at] / close[at - 1]
            if np.isfinite(implied) and abs(implied - stated) > _SLACK:
                _disagree(at, paid, split[at], close[at - 1], implied, add)
            elif not np.isfinite(implied) and paid[at] > _LARGE * close[at - 1]:
                add(at, "wrong dividend", f"{paid[at]:.9g} of a close of {close[at - 1]:.9g} before; look it up")
        elif np.isfinite(implied) and abs(implied - 1) > _SLACK and abs(np.log(implied)) < 0.5:
            add(
                at,
                "missing dividend",
                f"the adjusted close says one of about {(1 - implied) * close[at - 1]:.4g}, and there is none",
            )
    return faults, paid


def _disagree(at: int, paid: np.ndarray, split: float, before: float, implied: float, add) -> None:  # type: ignore[no-untyped-def]
    fits = (1 - implied) * before
    if abs(implied - 1) < _SLACK:
        detail = f"the adjusted close does not know the dividend of {paid[at]:.9g}"
        add(at, "missing dividend adjustment", detail, "the adjusted close follows from the dividend, and is not kept")
        return
    detail = f"{paid[at]:.9g}, and the adjusted close says about {fits:.4g}"
    for factor, why in ((split, f"the split of {split:g} that day"), (100.0, "a unit of 100")):
        if factor != 1 and abs(1 - paid[at] / factor / before - implied) < _SLACK:
            repaired = paid[at] / factor
            add(at, "wrong dividend", f"{detail}: not divided by {why}", f"the dividend is {repaired:.9g}", "dividends")
            paid[at] = repaired
            return
    add(at, "wrong dividend", detail)
