"""A panel straight from files of raw bars and actions, without a store."""

from pathlib import Path

from lobjax.data.prices.actions import by_kind, delistings, read_actions, read_listings
from lobjax.data.prices.dense import dense
from lobjax.data.prices.faults import refuse
from lobjax.data.prices.panel import PricePanel
from lobjax.data.prices.reader import Choices, read_bars


def panel_from_csv(
    panel: str | Path, actions: str | Path | None = None, listings: str | Path | None = None
) -> PricePanel:
    """The panel of a file of raw daily bars (`date,symbol,open,high,low,close,volume`, or as `read_bars` guesses), and of one of actions.

    Actions: `date,symbol,split,dividend_factor`; listings: `symbol,delisted_on` and maybe `delist_return`. CSV, gzipped or not, or Parquet.
    InputError, by row and column, where a file is not that, its rows go back in time or stand twice, or a high is below another price.
    """
    choices = Choices(prices="raw")
    bars = read_bars(panel, choices)
    refuse(bars.path, bars.faults, choices.repair, choices.accept)
    found = by_kind(read_actions(actions)) if actions is not None else None
    return dense(bars.frame, found, delistings(read_listings(listings) if listings is not None else None))
