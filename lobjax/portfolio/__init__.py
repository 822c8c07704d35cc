"""Portfolios: accounting of weights, costs and drift, twice in NumPy and once on the device; rules; figures.

Session T: features up to its close, a trade at the open of T + 1, what it earns until the open of T + 2.
"""

from lobjax.portfolio.costs import Costs, read_costs
from lobjax.portfolio.playing import Path, play
from lobjax.portfolio.tables import FEATURES, Tables, tables

__all__ = ["FEATURES", "Costs", "Path", "Tables", "play", "read_costs", "tables"]
