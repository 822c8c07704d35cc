"""From a configuration to a snapshot environment: a day of snapshots is loaded, checked, and put on the device once."""

import math
from dataclasses import fields

import jax.numpy as jnp
import numpy as np

from lobjax.clock import NS, Time, from_seconds
from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError
from lobjax.flow import RecordedConfig, is_recorded
from lobjax.flow.recorded import seconds_of_day
from lobjax.snapshot import Costs, Snapshots, load_snapshots
from lobjax.snapshot.bounds import check_cash
from lobjax.tasks.config import EnvConfig, MarketConfig
from lobjax.tasks.snapshot.config import SnapshotConfig
from lobjax.tasks.snapshot.market import SnapshotMarket, SnapshotParams
from lobjax.tasks.snapshot.task import SnapshotTask, SnapshotTaskParams

_FAR_S = 10**9  # later than any snapshot: a step is one of them, whatever the clock says
_ACTS = ("levels", "taker_fee_milliticks")  # of env.market, here


def make_snapshot(config: EnvConfig) -> Environment:
    """The environment; InputError where the flow is not recorded, the file is bad, or the hours are too short."""
    task: SnapshotConfig = config.task
    flow = config.flow
    if not is_recorded(flow):
        raise InputError("env.flow: the task snapshot plays a recorded day; set kind to recorded, and a path")
    _check_market(config.market)
    day = load_snapshots(
        flow.path,
        from_s=seconds_of_day(flow.from_time),
        until_s=seconds_of_day(flow.until_time),
        every_s=task.step_s,
        book=flow.book,
        levels=flow.levels,
        instrument=flow.instrument,
    )
    levels = day.bids.shape[1]
    if levels < config.market.levels:
        raise InputError(f"env.market.levels: {config.market.levels} are observed, {flow.path} has {levels}; lower it")
    first = _starts(day, flow, task)
    hindsight = task.reward == "hindsight"
    return Environment(
        market=SnapshotMarket(delay=task.delay_snapshots, horizon=task.horizon if hindsight else 0),
        task=SnapshotTask(task.most_lots, config.market.levels, hindsight),
        default_params=EnvParams(
            market=_params(day, first, config, task),
            task=SnapshotTaskParams(
                jnp.int32(task.decisions), jnp.float32(1 / task.price_scale_ticks), jnp.float32(1 / task.position_limit_lots),
                jnp.float32(1 / task.most_lots), jnp.float32(1 / task.decisions),
            ),
            step_time=from_seconds(_FAR_S),
            warm_up=Time(jnp.zeros((0,), jnp.int32), jnp.zeros((0,), jnp.int32)),
        ),
        decisions=task.decisions,
        actions=f"-{task.most_lots} to +{task.most_lots} lots at market",
        starts=len(first),
    )  # fmt: skip


def _params(day: Snapshots, first: np.ndarray, config: EnvConfig, task: SnapshotConfig) -> SnapshotParams:
    most_lots = (
        task.capital_lots + 2 * (task.decisions + 1) * task.position_limit_lots
    )  # turned over in an episode at most
    most_ticks = int(max(day.bids[:, :, 0].max(), day.asks[:, :, 0].max(), abs(config.market.taker_fee_milliticks)))
    try:
        check_cash(most_ticks, most_lots)
    except ValueError as error:
        raise InputError(f"env.task: {error}") from None
    seconds, rest = np.divmod(day.time_ns, NS)
    return SnapshotParams(
        bids=jnp.asarray(day.bids, jnp.int32),
        asks=jnp.asarray(day.asks, jnp.int32),
        time=Time(jnp.asarray(seconds, jnp.int32), jnp.asarray(rest, jnp.int32)),
        first=jnp.asarray(first, jnp.int32),
        last=jnp.int32(len(day.time_ns) - 1),
        costs=Costs(jnp.int32(config.market.taker_fee_milliticks), jnp.int32(task.fee_bps)),
        capital_lots=jnp.int32(task.capital_lots),
        position_limit=jnp.int32(task.position_limit_lots),
        leverage_limit=jnp.float32(task.leverage_limit),
        patience=jnp.int32(task.patience),
        discount=jnp.float32(task.hindsight_discount),
    )


def _starts(day: Snapshots, flow: RecordedConfig, task: SnapshotConfig) -> np.ndarray:
    """Snapshots that episodes start from: `start_every_s` apart or a little more, each with a whole episode before the last one."""
    count = len(day.time_ns)
    needed = task.decisions + 1 + (task.horizon if task.reward == "hindsight" else 0)
    if count < needed:
        horizon = f", and {task.horizon} of hindsight" if task.reward == "hindsight" else ""
        raise InputError(
            f"{flow.path}: {count} snapshots of {task.step_s:g} s between {flow.from_time} and {flow.until_time}; an episode takes "
            f"{task.decisions + 1}{horizon}: choose longer hours, or lower env.task.decisions or env.task.horizon"
        )
    apart = max(1, math.ceil(flow.start_every_s / task.step_s - 1e-9))
    return np.arange(0, count - task.decisions, apart)


def _check_market(market: MarketConfig) -> None:
    """Every key acts, or is refused: snapshots have no queue, no messages and no resting orders."""
    for field in fields(market):
        if field.name not in _ACTS and getattr(market, field.name) != field.default:
            raise InputError(f"env.market.{field.name}: does nothing with snapshots; leave it out")
