"""A simulated market to be played with no task: its numbers, its warm-up, one step, and many episodes in batches."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.clock import Time
from lobjax.env.base import market_counts
from lobjax.env.messages import no_messages
from lobjax.env.unattended import unattended
from lobjax.flow import PoissonConfig
from lobjax.market import Limits, Market, MarketParams, MarketState, Orders
from lobjax.results.metrics import MUST_NOT_HAPPEN
from lobjax.tasks import EnvConfig, MakingConfig, MarketConfig, make

STEP_S = 1.0
BUSY_PER_S = 12.0  # messages a second of the busiest market that a step has room for, on average
BATCH = 512  # episodes side by side
WIDE_OPEN = 10**6  # lots

OnBatch = Callable[[int], None]


def quietly(done: int) -> None:
    """Say nothing."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A market to play and its numbers. Its clock stands at 0 s after the warm-up."""

    config: PoissonConfig
    market: Market
    params: MarketParams

    @property
    def nothing(self) -> Orders:
        """What an account of it sends."""
        return Orders(no_messages(1), no_messages(1))


def setting(config: PoissonConfig, *, capacity: int = 256, engine: str = "auto") -> Setting:
    """The market of a configuration, with room for steps of up to `STEP_S`; an account in it may trade as it likes."""
    venue = MarketConfig(
        capacity=capacity,
        max_messages=room(STEP_S),
        queue_places=2,
        levels=1,
        engine=engine,  # pyright: ignore[reportArgumentType]
    )
    made = make(EnvConfig(task=MakingConfig(step_s=STEP_S), flow=config, market=venue))
    none = jnp.zeros((2,), jnp.int32)
    limits = Limits(none - WIDE_OPEN, none + WIDE_OPEN, none)
    return Setting(config, cast(Market, made.market), made.default_params.market.replace(limits=limits))


def room(step_s: float) -> int:
    """Messages that a step has room for: the mean of the busiest market, and eight standard deviations more."""
    mean = BUSY_PER_S * step_s
    return math.ceil(mean + 8 * math.sqrt(mean))


def warm_up_ends(config: PoissonConfig) -> np.ndarray:
    """When the steps of the warm-up end, in seconds, the last at 0."""
    steps = math.ceil(config.warm_up_s / STEP_S - 1e-9)
    return np.minimum(np.arange(1, steps + 1) * STEP_S, config.warm_up_s) - config.warm_up_s


def warmed_up(of: Setting, key: jax.Array) -> MarketState:
    """A market at 0 s, before what comes at that moment."""
    key_open, key_steps = jax.random.split(key)
    state, ends = of.market.open(key_open, of.params), warm_up_ends(of.config)

    keys = jax.random.split(key_steps, len(ends))
    state, _ = unattended(of.market, keys, state, of.nothing, of.params, until=times(ends))
    return state.replace(opened=state.now)


def times(seconds: np.ndarray) -> Time:
    """Moments given in seconds, to the nanosecond, in the array's shape."""
    s, ns = np.divmod(np.round(np.asarray(seconds) * clock.NS).astype(np.int64), clock.NS)
    return Time(jnp.asarray(s, jnp.int32), jnp.asarray(ns, jnp.int32))


def noise_messages(config: PoissonConfig, before: MarketState, after: MarketState) -> jax.Array:
    """Messages of the last step that were not the strategic trader's, int32: who counts its own, a market and a limit order by turns."""
    trader = getattr(config, "strategic", None)
    if trader is None:
        return after.tape.messages

    def sent(state: MarketState) -> jax.Array:
        many = state.flow.sent
        return (trader.market_lots > 0) * ((many + 1) // 2) + (trader.limit_lots > 0) * (many // 2)

    return after.tape.messages - (sent(after) - sent(before))


def went_wrong(state: MarketState) -> jax.Array:
    """Counts of what must not happen, int32 `[k]`, in the order of `MUST_NOT_HAPPEN`."""
    counts = market_counts(state)
    return jnp.stack([counts[name] for name in MUST_NOT_HAPPEN])


def wrong_counts(wrong: np.ndarray) -> dict[str, int]:
    """The sums over episodes `[n, k]` of `went_wrong`, those that are not zero, by name."""
    return {name: int(total) for name, total in zip(MUST_NOT_HAPPEN, wrong.sum(axis=0), strict=True) if total}


def in_batches(run: Callable[[jax.Array], Any], episodes: int, on_batch: OnBatch = quietly, batch: int = BATCH) -> Any:
    """`run` on the indices int32 `[B]` of all episodes, a batch at a time; its arrays joined, in NumPy, episodes first."""
    batch = min(batch, episodes)
    parts = []
    for first in range(0, episodes, batch):  # the last batch plays a few more, to keep one shape
        parts.append(jax.tree.map(np.asarray, run(jnp.arange(first, first + batch, dtype=jnp.int32))))
        on_batch(min(first + batch, episodes))
    return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:episodes], *parts)
