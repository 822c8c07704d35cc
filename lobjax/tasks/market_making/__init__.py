"""Market making: quote both sides, and end without a position."""

from lobjax.tasks.market_making.config import MakingConfig
from lobjax.tasks.market_making.make import make_making
from lobjax.tasks.market_making.metrics import MEASURES
from lobjax.tasks.market_making.strategies import STRATEGIES
from lobjax.tasks.market_making.task import MakingTask
from lobjax.tasks.market_making.words import WORDS
from lobjax.tasks.registry import TaskSpec, register

__all__ = ["SPEC", "MakingConfig", "MakingTask"]

SPEC = register(
    TaskSpec(config=MakingConfig, make=make_making, measures=MEASURES, strategies=STRATEGIES, words=WORDS),
)
