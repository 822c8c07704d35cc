"""Whether prices are as traded (raw), divided by later splits, or by splits and dividends: known, told, or refused; and back to raw."""

from typing import TYPE_CHECKING

import numpy as np

from lobjax.data.prices.actions import actions_of
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.reader import Bars
from lobjax.errors import InputError

if TYPE_CHECKING:
    import polars as pl

_TELLING = 0.25  # |log| of a split that a day's change cannot hide
_SAME = 1e-6
_DIGITS = 7  # of a price that was divided and is multiplied again: those files hold float32


def settle(bars: Bars, told: str | None, actions: "pl.DataFrame | None" = None, before: str | None = None) -> None:
    """Set `bars.basis`, from what the user says, the columns, or how prices moved at splits; InputError where none of these tells.

    What was found is said. `actions`: as `read_actions` gives them, of all symbols. `before`: the
    basis of what was loaded before, which is taken where nothing speaks against it.
    """
    if bars.basis is not None:
        return
    if told is not None:
        bars.basis = told
        return
    if "adjusted prices" in bars.said:
        bars.basis = "adjusted"
        return
    known = actions_of(bars.frame)
    if actions is not None:
        import polars as pl

        known = pl.concat([known, actions])
    raw, divided = votes(bars.frame, known)
    if raw and divided:
        raise InputError(
            f"{bars.path}: prices moved at {raw} of {raw + divided} splits as raw ones do and not at the others; look at `prices "
            "report`, and say which with --prices raw, split-adjusted or adjusted"
        )
    if raw:
        bars.basis = "raw"
        bars.said.append(f"raw prices: they moved at {raw} split{'s' * (raw > 1)}")
        return
    ends_equal = "adj_close" in bars.frame.columns and _ends_equal(bars.frame)
    if divided and ends_equal:
        bars.basis = "split-adjusted"
        bars.said.append(f"split-adjusted prices: they did not move at {divided} split{'s' * (divided > 1)}")
        return
    if ends_equal and "split" in bars.frame.columns:
        bars.basis = "split-adjusted"
        bars.said.append(
            "split-adjusted prices: an adjusted close that ends equal to the close, and no split that tells"
        )
        return
    if before is not None and not (before == "raw" and divided):
        bars.basis = before
        bars.said.append(f"{before} prices, as those loaded before")
        return
    seen = f"they did not move at {divided} splits, so they are adjusted" if divided else "nothing in it tells"
    raise InputError(
        f"{bars.path}: cannot know whether its prices are raw or adjusted ({seen}); give --prices raw, split-adjusted or adjusted"
    )


def votes(frame: "pl.DataFrame", actions: "pl.DataFrame") -> tuple[int, int]:
    """At how many splits the prices moved as raw ones do, and at how many they did not."""
    import polars as pl

    raw = divided = 0
    splits = actions.filter((pl.col("kind") == "split") & (pl.col("value").log().abs() > _TELLING))
    for (symbol,), dated in splits.group_by(["symbol"]):
        bars = frame.filter(pl.col("symbol") == symbol).sort("time")
        days, close = bars["time"].cast(pl.Date).to_numpy().astype("datetime64[D]"), bars["close"].to_numpy()
        opening = bars["open"].fill_null(bars["close"]).to_numpy()
        at = np.searchsorted(days, dated["time"].to_numpy().astype("datetime64[D]"))
        for place, split in zip(at, dated["value"].to_list(), strict=True):
            if not 0 < place < len(days):
                continue
            moved = np.log(opening[place] / close[place - 1])
            is_raw = abs(moved + np.log(split)) < abs(moved)
            raw, divided = raw + is_raw, divided + (not is_raw)
    return int(raw), int(divided)


def to_raw(bars: Bars, actions: "pl.DataFrame") -> "pl.DataFrame":
    """The bars as traded: prices multiplied, volumes divided, by what `actions` after each bar, up to the last, did to them."""
    import polars as pl

    if bars.basis not in ("split-adjusted", "adjusted") or not actions.height:
        return bars.frame
    kinds = ["split"] if bars.basis == "split-adjusted" else ["split", "dividend_factor"]
    parts = []
    for (symbol,), part in bars.frame.group_by(["symbol"], maintain_order=True):
        until = part["time"].cast(pl.Date).max()
        mine = (pl.col("symbol") == symbol) & pl.col("kind").is_in(kinds) & (pl.col("time") <= until)
        own = actions.filter(mine).sort("time")
        if not own.height:
            parts.append(part)
            continue
        split = np.where(own["kind"].to_numpy() == "split", own["value"].to_numpy(), 1.0)
        factor = np.where(own["kind"].to_numpy() == "split", 1.0, own["value"].to_numpy())
        later = np.searchsorted(
            own["time"].to_numpy().astype("datetime64[D]"),
            part["time"].cast(pl.Date).to_numpy().astype("datetime64[D]"),
            "right",
        )
        shares = np.append(np.cumprod(split[::-1])[::-1], 1.0)[later]
        money = np.append(np.cumprod((split / factor)[::-1])[::-1], 1.0)[later]
        scaled = {name: _rounded(part[name] * pl.Series(money)).alias(name) for name in FIELDS[:4]}
        volume = (part["volume"] / pl.Series(shares)).round(3).alias("volume")
        parts.append(part.with_columns(*scaled.values(), volume))
    return pl.concat(parts)


def _rounded(prices: "pl.Series") -> "pl.Series":
    return prices.round_sig_figs(_DIGITS)


def _ends_equal(frame: "pl.DataFrame") -> bool:
    import polars as pl

    last = frame.sort("time").group_by("symbol").last()
    return bool(last.select(((pl.col("adj_close") / pl.col("close") - 1).abs() < _SAME).all()).item())
