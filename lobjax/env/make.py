"""From a configuration to an environment."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.clock import NS, Time, from_seconds
from lobjax.env.base import AGENT, Environment, EnvParams
from lobjax.env.config import EnvConfig, MarketConfig, RecordedConfig
from lobjax.env.execution import ExecutionConfig, ExecutionParams, ExecutionTask
from lobjax.env.execution_paper import PaperParams, PaperView
from lobjax.env.flows import flow_of
from lobjax.env.making import MakingConfig, MakingParams, MakingTask
from lobjax.env.snapshot import SnapshotConfig
from lobjax.env.snapshot_make import make_snapshot
from lobjax.errors import InputError
from lobjax.market import Fees, Limits, Market, MarketParams
from lobjax.types import Side

_FAR_S = 10**9  # later than any message, and far from the end of int32


def make(config: EnvConfig) -> Environment:
    """The environment that a configuration describes. InputError if its parts do not fit each other or a file is bad."""
    task_config, market_config = config.task, config.market
    if isinstance(task_config, SnapshotConfig):
        return make_snapshot(config, task_config)
    _check_step(task_config, market_config)
    flow, flow_params, warm_up_s = flow_of(config)
    warm_up = _warm_up(task_config, warm_up_s)
    opening_lots = jnp.zeros((2,), jnp.int32)
    if len(warm_up) == 1:
        opening_lots = flow.open(jax.random.key(0), flow_params).book.size.sum(axis=1)
    task, task_params, limits = _task(task_config, market_config, opening_lots)
    market = Market(
        flow=flow,
        capacity=market_config.capacity,
        accounts=AGENT,
        queue_places=market_config.queue_places,
        max_messages=market_config.max_messages,
        levels=market_config.levels,
        step_messages=task_config.step_messages,
        engine=market_config.engine,
    )
    params = EnvParams(
        market=MarketParams(flow_params, _fees(market_config), *_delays(market_config), limits),
        task=task_params,
        step_time=from_seconds(_FAR_S if task_config.step_messages else task_config.step_s),
        warm_up=Time(*jnp.asarray([divmod(ns, NS) for ns in warm_up], jnp.int32).reshape(-1, 2).T),
    )
    return Environment(
        market=market,
        task=task,
        default_params=params,
        decisions=task_config.decisions,
        actions=_meaning(task_config),
        starts=len(flow_params.first) if isinstance(config.flow, RecordedConfig) else 0,
        warm_up_steps=len(warm_up),
    )


def _check_step(task: ExecutionConfig | MakingConfig, market: MarketConfig) -> None:
    """Orders must have arrived before the next decision, and the messages of a step must fit its bound."""
    delay_s = (market.feed_delay_ns + market.order_delay_ns) * 1e-9
    if task.step_messages and delay_s:
        raise InputError(
            "env.market: steps counted in messages may be shorter than any delay; set feed_delay_ns and order_delay_ns to 0, "
            "or env.task.step_messages to 0"
        )
    if delay_s >= task.step_s:
        raise InputError(
            f"env.market: feed and order delay together ({delay_s:g} s) must be shorter than a step "
            f"({task.step_s:g} s), so that orders have arrived before the next decision; lengthen env.task.step_s"
        )
    if task.step_messages and task.step_messages + market.queue_places > market.max_messages:
        raise InputError(
            f"env.market.max_messages: {market.max_messages} are too few for {task.step_messages} messages of the flow and "
            f"{market.queue_places} in flight; set it to {task.step_messages + market.queue_places} or more"
        )


def _warm_up(task: ExecutionConfig | MakingConfig, warm_up_s: float) -> list[int]:
    """Nanoseconds of each step of the warm-up: those of the task, and one for what is left over.

    It comes last; but where the task looks back over one step, first, so that there is a whole step before the first decision.
    """
    steps = math.ceil(warm_up_s / task.step_s - 1e-9)
    if steps > 10_000:
        raise InputError(
            f"env: a warm-up of {warm_up_s:g} s takes {steps} steps of {task.step_s:g} s; lengthen env.task.step_s"
        )
    total, each = round(warm_up_s * NS), round(task.step_s * NS)
    lengths = [min(each, total - each * k) for k in range(steps)]
    looks_back = isinstance(task, ExecutionConfig) and task.observation == "paper"
    return lengths[::-1] if looks_back else lengths


def _task(
    config: ExecutionConfig | MakingConfig, market: MarketConfig, opening_lots: jax.Array
) -> tuple[Any, Any, Limits]:
    """The task, its numbers and limits. opening_lots: int32 [2], of the book that opened a step before the first decision, or 0."""
    offsets = jnp.asarray(config.offsets_ticks, jnp.int32)
    decisions, per_tick = jnp.int32(config.decisions), jnp.float32(1 / config.price_scale_ticks)
    if isinstance(config, ExecutionConfig):
        side = Side.ASK if config.side == "sell" else Side.BID
        levels = len(config.offsets_ticks)
        paper, numbers = None, None
        if config.observation == "paper":
            paper, numbers = PaperView(side, levels, config.lots, AGENT), _paper(config, market, opening_lots)
        task = ExecutionTask(side, levels, config.reference == "opposite", market.levels, paper)
        per = (per_tick, jnp.float32(1 / config.lots), jnp.float32(1 / config.decisions))
        params = ExecutionParams(jnp.int32(config.lots), decisions, offsets, *per, paper=numbers)
        target = -config.lots if side == Side.ASK else config.lots
        return task, params, _limits(min(target, 0), max(target, 0), target)
    task = MakingTask(len(config.offsets_ticks), market.levels)
    params = MakingParams(
        jnp.int32(config.quote_lots), jnp.int32(config.inventory_limit_lots), decisions, offsets,
        jnp.float32(config.inventory_penalty), per_tick, jnp.float32(1 / config.quote_lots),
        jnp.float32(1 / config.inventory_limit_lots), jnp.float32(1 / config.decisions),
    )  # fmt: skip
    return task, params, _limits(-config.inventory_limit_lots, config.inventory_limit_lots, 0)


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


def _meaning(config: ExecutionConfig | MakingConfig) -> str:
    offsets = ", ".join(f"{ticks:+d}" for ticks in config.offsets_ticks)
    if isinstance(config, ExecutionConfig):
        return f"{config.side}, levels at {offsets} ticks from the {config.reference} best"
    return f"quotes at {offsets} ticks behind the best"


def _limits(low: int, high: int, target: int) -> Limits:
    return Limits(*(jnp.asarray([0, value], jnp.int32) for value in (low, high, target)))


def _fees(config: MarketConfig) -> Fees:
    charged = (config.maker_fee_milliticks, config.taker_fee_milliticks)
    return Fees(*(jnp.asarray([0, fee], jnp.int32) for fee in charged))


def _delays(config: MarketConfig) -> tuple[Time, Time]:
    def rows(ns: int) -> Time:
        s, rest = divmod(ns, 1_000_000_000)
        return Time(jnp.asarray(np.array([0, s]), jnp.int32), jnp.asarray(np.array([0, rest]), jnp.int32))

    return rows(config.feed_delay_ns), rows(config.order_delay_ns)
