"""From a configuration to an environment for optimal execution."""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env import Environment
from lobjax.env.measures import AGENT
from lobjax.errors import InputError
from lobjax.tasks.config import EnvConfig, MarketConfig
from lobjax.tasks.execution.config import ExecutionConfig
from lobjax.tasks.execution.paper import PaperParams, PaperView
from lobjax.tasks.execution.task import ExecutionParams, ExecutionTask
from lobjax.tasks.market import Role, ground, limits, on_market, opening_lots
from lobjax.types import Side


def make_execution(config: EnvConfig) -> Environment:
    """The environment; InputError as `lobjax.tasks.market.ground`, and where the paper's observation wants more depth than is kept."""
    task: ExecutionConfig = config.task
    in_paper = task.observation == "paper"
    found = ground(config, looks_back=in_paper)
    side = Side.ASK if task.side == "sell" else Side.BID
    levels = len(task.offsets_ticks)
    view, numbers = None, None
    if in_paper:
        view = PaperView(side, levels, task.lots, AGENT)
        numbers = _paper(task, config.market, opening_lots(found))
    params = ExecutionParams(
        lots=jnp.int32(task.lots),
        decisions=jnp.int32(task.decisions),
        offsets=jnp.asarray(task.offsets_ticks, jnp.int32),
        per_tick=jnp.float32(1 / task.price_scale_ticks),
        per_lot=jnp.float32(1 / task.lots),
        per_decision=jnp.float32(1 / task.decisions),
        paper=numbers,
    )
    target = -task.lots if side == Side.ASK else task.lots
    offsets = ", ".join(f"{ticks:+d}" for ticks in task.offsets_ticks)
    role = Role(
        task=ExecutionTask(side, levels, task.reference == "opposite", config.market.levels, view),
        params=params,
        limits=limits(min(target, 0), max(target, 0), target),
        actions=f"{task.side}, levels at {offsets} ticks from the {task.reference} best",
    )
    return on_market(config, role, found)


def _paper(config: ExecutionConfig, market: MarketConfig, opening_lots: jax.Array) -> PaperParams:
    """The numbers of the paper's observation; InputError where the depth snapshot is too shallow for it."""
    levels = len(config.offsets_ticks)
    if market.levels < levels:
        raise InputError(
            f"env.market.levels: observation 'paper' with {levels} working levels reads as many levels of depth, "
            f"{market.levels} are kept; set it to {levels} or more"
        )
    per_lot = jnp.asarray(1 / np.asarray(config.volume_scale_lots), jnp.float32)
    return PaperParams(per_lot, jnp.float32(1 / config.queue_scale_lots), opening_lots)
