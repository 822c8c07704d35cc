"""Environments: a market, a task, and the contract that learners know."""

from lobjax.env.base import Environment, EnvParams, EnvState
from lobjax.env.config import EnvConfig, MarketConfig, RecordedConfig
from lobjax.env.execution import ExecutionConfig
from lobjax.env.make import make
from lobjax.env.making import MakingConfig
from lobjax.env.snapshot import SnapshotConfig
from lobjax.env.spaces import MultiDiscrete, Simplex

__all__ = [
    "EnvConfig",
    "EnvParams",
    "EnvState",
    "Environment",
    "ExecutionConfig",
    "MakingConfig",
    "MarketConfig",
    "MultiDiscrete",
    "RecordedConfig",
    "Simplex",
    "SnapshotConfig",
    "make",
]
