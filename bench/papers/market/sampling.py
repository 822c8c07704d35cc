"""Markets without an agent over many episodes, looked at on a grid of times: what market statistics are made of.

The grid begins at a random moment of its first interval, another in every episode. So the mean over the grid is an unbiased estimate of
the time average, also in a market with a rhythm (the strategic trader's); episodes are independent, which gives standard errors.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.papers.market.setting import (
    OnBatch,
    Setting,
    in_batches,
    noise_messages,
    quietly,
    times,
    warm_up_ends,
    went_wrong,
    wrong_counts,
)
from lobjax import clock
from lobjax.book import lots_from
from lobjax.clock import Time
from lobjax.env.unattended import unattended
from lobjax.env.views import mid2_ticks
from lobjax.market import MarketState
from lobjax.types import Side

LEVELS = 30  # distances from the opposite best at which lots are counted
DEPTH_EVERY_S = 10  # they are counted more seldom, since it takes as long as all else


class Paths(NamedTuple):
    """What n episodes of `seconds` showed at the P points of a grid: NumPy arrays, prices in ticks, volumes in lots."""

    seconds: int
    direction: np.ndarray  # [n], of the strategic trader: 1 buys, -1 sells; 0 where there is none
    mid_first: np.ndarray  # [n], at 0 s, before what comes at that moment
    mid_last: np.ndarray  # [n], at the end, after what comes at that moment
    mid: np.ndarray  # [n, P]
    spread: np.ndarray  # [n, P]
    bid_lots: np.ndarray  # [n, P], at the best bid
    depth: np.ndarray  # [n, LEVELS], mean over every tenth point and both sides, by distance from the opposite best
    noise_events: np.ndarray  # [n, P + 1], of the noise trader: from 0 s to the first point, between points, to the end
    bought: np.ndarray  # [n], lots of all market orders to buy, as sent
    sold: np.ndarray  # [n]
    wrong: dict[str, int]  # counts that must be 0


def episode_bytes(seconds: int) -> int:
    """Of what is kept of an episode: three figures a second and the noise trader's events, lots by distance, and about ten numbers."""
    return 4 * (4 * seconds + 1 + LEVELS + 10)


def play(of: Setting, episodes: int, seed: int, *, seconds: int = 150, on_batch: OnBatch = quietly) -> Paths:
    """Play `episodes`, each `seconds` from the end of its warm-up, and look once a second."""
    run = jax.jit(jax.vmap(partial(_episode, of, seconds, jax.random.key(seed))))
    found = in_batches(run, episodes, on_batch)
    wrong = wrong_counts(found.pop("wrong"))
    return Paths(seconds=seconds, wrong=wrong, **found)


def _episode(of: Setting, seconds: int, key: jax.Array, index: jax.Array) -> dict[str, Any]:
    key_open, key_offset, key_steps = jax.random.split(jax.random.fold_in(key, index), 3)
    offset = (jax.random.uniform(key_offset) * clock.NS).astype(jnp.int32)  # `randint` is not uniform over so many
    # The warm-up, the points of the grid, then a nanosecond past the end, for what comes at the very end.
    warm_up = warm_up_ends(of.config)
    steps, warm = len(warm_up) + seconds + 1, len(warm_up)
    whole = jnp.arange(-warm, seconds + 1, dtype=jnp.int32)
    grid = Time(whole, jnp.where(whole == seconds, 1, offset))
    ends = jax.tree.map(lambda before, after: jnp.concatenate([before, after[warm:]]), times(warm_up), grid)
    sampled = (whole % DEPTH_EVERY_S == 0) & (whole >= 0) & (whole < seconds)

    def record(before: MarketState, after: MarketState, counts: jax.Array) -> dict[str, jax.Array]:
        depth = jax.lax.cond(counts, both_sides, lambda _: jnp.zeros((LEVELS,), jnp.int32), after)
        return {**_look(of, before, after), "depth": depth}

    state = of.market.open(key_open, of.params)
    keys = jax.random.split(key_steps, steps)
    state, seen = unattended(of.market, keys, state, of.nothing, of.params, until=ends, record=record, also=(sampled,))
    seen = jax.tree.map(lambda x: x[warm:], seen)
    lots = seen["market_lots"].sum(axis=0)
    return {
        **{name: seen[name][:-1] for name in ("mid", "spread", "bid_lots")},
        "noise_events": seen["noise_events"],
        "direction": getattr(state.flow, "direction", jnp.int32(0)),
        "mid_first": seen["mid_before"][0],
        "mid_last": seen["mid"][-1],
        "depth": seen["depth"].sum(axis=0) / (2 * sampled.sum()),
        "bought": lots[Side.BID],
        "sold": lots[Side.ASK],
        "wrong": went_wrong(state),
    }


def _look(of: Setting, before: MarketState, state: MarketState) -> dict[str, jax.Array]:
    """Prices in ticks and lots at the end of a step, and what came in it."""
    (bid, bid_lots), ask = _best(state, Side.BID), _best(state, Side.ASK)[0]
    return {
        "mid": 0.5 * mid2_ticks(state).astype(jnp.float32),
        "mid_before": 0.5 * state.tape.opening_mid2_ticks.astype(jnp.float32),
        "spread": ask - bid,
        "bid_lots": bid_lots,
        "noise_events": noise_messages(of.config, before, state),
        "market_lots": state.tape.market_lots,
    }


def _best(state: MarketState, side: Side) -> tuple[jax.Array, jax.Array]:
    """Best price and the lots there, from the depth that the market's step left."""
    return state.depth.price_ticks[side, 0], state.depth.size_lots[side, 0]


def both_sides(state: MarketState) -> jax.Array:
    """Lots int32 `[LEVELS]` by distance from the opposite best, both sides together."""
    bid, ask = (_best(state, side)[0] for side in Side)
    count = partial(lots_from, state.book, count=LEVELS, width=LEVELS)
    return count(Side.BID, ask) + count(Side.ASK, bid)
