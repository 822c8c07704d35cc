"""Prices of many symbols: a store of raw bars and actions, readers, calendar, quality, and the dense panel that a portfolio is run on."""

from lobjax.data.prices.panel import PricePanel
from lobjax.data.prices.panel_files import panel_from_csv

__all__ = ["PricePanel", "panel_from_csv"]
