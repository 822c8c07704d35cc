"""Small day files and environments for tests."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env import Environment
from lobjax.snapshot import Snapshots, write_npz
from lobjax.tasks import EnvConfig, MarketConfig, RecordedConfig, SnapshotConfig, make
from tests.compiling import quick_jit
from tests.snapshot.random_books import walk

FROM_S = 34_200  # 09:30
COUNT = 400
LEVELS = 3


def day(count: int = COUNT, seed: int = 5, levels: int = LEVELS) -> Snapshots:
    """A day of one snapshot a second from 09:30 on."""
    return Snapshots(*walk(count, seed, levels), (FROM_S + np.arange(count)) * 10**9)


def flat(count: int = COUNT, bid: int = 10_000, ask: int = 10_002, lots: int = 50) -> Snapshots:
    """A day on which nothing ever happens: one level a side."""
    sides = [np.tile(np.array([[price, lots]], np.int32), (count, 1, 1)) for price in (bid, ask)]
    return Snapshots(*sides, (FROM_S + np.arange(count)) * 10**9)


def environment(
    path: Path, snapshots: Snapshots | None = None, *, until="09:36:39", fee_milliticks=0, every_s=1.0, **task
):
    """An environment on a day that is written to `path` first; `task` replaces values of its task."""
    if snapshots is not None:
        write_npz(path, snapshots)
    levels = LEVELS if snapshots is None else snapshots.bids.shape[1]
    return make(
        EnvConfig(
            task=SnapshotConfig(**{"decisions": 8, "price_scale_ticks": 5.0, "horizon": 16, **task}),
            flow=RecordedConfig(path=path, from_time="09:30", until_time=until, start_every_s=every_s),
            market=MarketConfig(levels=levels, taker_fee_milliticks=fee_milliticks),
        )
    )


@functools.cache
def _programs(task, market):
    """Of all environments that differ in numbers only."""
    env = Environment(market=market, task=task, default_params=None, decisions=0, actions="")
    return quick_jit(env.reset), quick_jit(env.transition)


def programs(env):
    """(reset, transition) of one environment, compiled once."""
    return _programs(env.task, env.market)


def play(env, lots, start=0, params=None):
    """Send these signed sizes from a numbered start on; [(observation, state, reward, terminated, truncated, info)], the opening first."""
    reset, transition = programs(env)
    params = env.default_params if params is None else params
    observation, state = reset(jax.random.key(0), params, jnp.int32(start))
    rows = [(observation, state, None, False, False, {})]
    for size in lots:
        action = jnp.asarray([size + env.task.most_lots], jnp.int32)
        row = transition(jax.random.key(1), rows[-1][1], action, params)
        rows.append(row)
    return rows
