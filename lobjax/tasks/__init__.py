"""Tasks: what an agent is to do in a market. One folder each, and `TASKS`, which has them by the kind that a configuration names.

A task of your own is a module that calls `register(TaskSpec(...))`; name it under `plugins` in a configuration.
"""

from lobjax.flow import RecordedConfig
from lobjax.tasks.config import EnvConfig, MarketConfig
from lobjax.tasks.execution import ExecutionConfig
from lobjax.tasks.make import for_evaluation, make
from lobjax.tasks.market_making import MakingConfig
from lobjax.tasks.portfolio import PortfolioConfig
from lobjax.tasks.registry import TASKS, Field, Report, Strategies, TaskSpec, known_measures, register
from lobjax.tasks.snapshot import SnapshotConfig
from lobjax.tasks.strategies import strategies
from lobjax.tasks.words import Words

__all__ = [
    "TASKS",
    "EnvConfig",
    "ExecutionConfig",
    "Field",
    "MakingConfig",
    "MarketConfig",
    "PortfolioConfig",
    "RecordedConfig",
    "Report",
    "SnapshotConfig",
    "Strategies",
    "TaskSpec",
    "Words",
    "for_evaluation",
    "known_measures",
    "make",
    "register",
    "strategies",
]
