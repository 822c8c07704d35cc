"""Rules that decide weights, in NumPy: online ones on relatives (`ONLINE`), baselines on a panel (`BASELINES`), the best in hindsight."""

from lobjax.portfolio.rules.baselines import BASELINES
from lobjax.portfolio.rules.online import ONLINE

__all__ = ["BASELINES", "ONLINE"]
