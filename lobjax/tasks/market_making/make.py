"""From a configuration to an environment for market making."""

import jax.numpy as jnp

from lobjax.env import Environment
from lobjax.tasks.config import EnvConfig
from lobjax.tasks.market import Role, limits, on_market
from lobjax.tasks.market_making.config import MakingConfig
from lobjax.tasks.market_making.task import MakingParams, MakingTask


def make_making(config: EnvConfig) -> Environment:
    """The environment; InputError as `lobjax.tasks.market.ground`."""
    task: MakingConfig = config.task
    params = MakingParams(
        jnp.int32(task.quote_lots), jnp.int32(task.inventory_limit_lots), jnp.int32(task.decisions),
        jnp.asarray(task.offsets_ticks, jnp.int32), jnp.float32(task.inventory_penalty), jnp.float32(1 / task.price_scale_ticks),
        jnp.float32(1 / task.quote_lots), jnp.float32(1 / task.inventory_limit_lots), jnp.float32(1 / task.decisions),
    )  # fmt: skip
    offsets = ", ".join(f"{ticks:+d}" for ticks in task.offsets_ticks)
    role = Role(
        task=MakingTask(len(task.offsets_ticks), config.market.levels),
        params=params,
        limits=limits(-task.inventory_limit_lots, task.inventory_limit_lots, 0),
        actions=f"quotes at {offsets} ticks behind the best",
    )
    return on_market(config, role)
