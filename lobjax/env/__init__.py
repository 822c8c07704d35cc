"""Environments: a market, a task, and the contract that learners know. From a configuration to one: `lobjax.tasks.make`."""

from lobjax.env.base import Environment, EnvParams, EnvState, Task
from lobjax.env.measures import Measures, Metric
from lobjax.env.spaces import Box, MultiDiscrete, Simplex

__all__ = ["Box", "EnvParams", "EnvState", "Environment", "Measures", "Metric", "MultiDiscrete", "Simplex", "Task"]
