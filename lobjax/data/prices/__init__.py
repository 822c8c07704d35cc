"""Prices of many symbols: a store of raw bars and actions, readers, calendar, quality, and the dense panel that a portfolio is run on."""

from lobjax.data.prices.adjusting import Adjusted, adjusted
from lobjax.data.prices.panel import PricePanel
from lobjax.data.prices.panel_files import panel_from_csv
from lobjax.data.prices.store import panel, read_bars_of

__all__ = ["Adjusted", "PricePanel", "adjusted", "panel", "panel_from_csv", "read_bars_of"]
