"""Risk: value at risk and its backtests, limits before an order leaves, a circuit breaker. NumPy in float64, or JAX, alike."""

from lobjax.risk.breaker import Breaker, BreakerConfig, Reason, State, Tick, allowed, reset, start, step
from lobjax.risk.exceptions import acerbi_szekely, christoffersen, coverage, kupiec, tuff, zone
from lobjax.risk.limits import Counts, Limits, Refusal, Situation, judge, no_counts
from lobjax.risk.measures import (
    MODELS,
    Risk,
    ewma,
    ewma_deviation,
    ewma_deviations,
    filtered_historical,
    historical,
    normal,
)

__all__ = [
    "MODELS", "Breaker", "BreakerConfig", "Counts", "Limits", "Reason", "Refusal", "Risk", "Situation", "State", "Tick",
    "acerbi_szekely", "allowed", "christoffersen", "coverage", "ewma", "ewma_deviation", "ewma_deviations", "filtered_historical",
    "historical", "judge", "kupiec", "no_counts", "normal", "reset", "start", "step", "tuff", "zone",
]  # fmt: skip
