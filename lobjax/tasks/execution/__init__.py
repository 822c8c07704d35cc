"""Optimal execution: sell (or buy) a parent order by a deadline."""

from lobjax.tasks.execution.config import ExecutionConfig
from lobjax.tasks.execution.make import make_execution
from lobjax.tasks.execution.metrics import MEASURES
from lobjax.tasks.execution.strategies import STRATEGIES
from lobjax.tasks.execution.task import ExecutionTask
from lobjax.tasks.execution.words import WORDS
from lobjax.tasks.registry import TaskSpec, register

__all__ = ["SPEC", "ExecutionConfig", "ExecutionTask"]

SPEC = register(
    TaskSpec(config=ExecutionConfig, make=make_execution, measures=MEASURES, strategies=STRATEGIES, words=WORDS),
)
