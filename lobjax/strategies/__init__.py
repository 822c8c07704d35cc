"""Rule-based strategies: what one is, and the closed forms and schedules that tasks take theirs from (`lobjax.tasks.strategies`)."""

from lobjax.players import Strategy
from lobjax.strategies.almgren_chriss import ImpactConfig
from lobjax.strategies.depths import DepthQuoter, depth_quoter
from lobjax.strategies.models import ModelsConfig, QuotingConfig, execution_model, quoting_models
from lobjax.strategies.schedules import (
    Scheduled,
    immediate,
    scheduled,
    submit_and_leave,
    twap,
    volume_profile,
    vwap,
    why_same,
)  # fmt: skip

__all__ = [
    "DepthQuoter", "ImpactConfig", "ModelsConfig", "QuotingConfig", "Scheduled", "Strategy", "depth_quoter", "execution_model", "immediate",
    "quoting_models", "scheduled", "submit_and_leave", "twap", "volume_profile", "vwap", "why_same",
]  # fmt: skip
