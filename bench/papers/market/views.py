"""Two views of a market: what an order does to the mid price, and how deep the book is when nothing else is left of its opening.

Impact. An episode is played with an order to sell at 0 s and without it, with the same random words, second by second; the figure is
the difference of the mid prices. What else comes at 0 s comes just after the order. A limit order rests until it is filled: nobody
takes it back.
"""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.papers.market.sampling import both_sides
from bench.papers.market.setting import (
    STEP_S,
    Setting,
    in_batches,
    setting,
    times,
    warmed_up,
    went_wrong,
    wrong_counts,
)
from lobjax.book import best_prices
from lobjax.clock import never
from lobjax.env.base import AGENT
from lobjax.env.messages import fresh_ids
from lobjax.env.unattended import unattended
from lobjax.env.views import mid2_ticks
from lobjax.flow import PoissonConfig
from lobjax.kinds import Kind
from lobjax.types import Message, Side

AT_MARKET, INSIDE, BEST, BEHIND = range(4)
PLACES = (
    "at market",
    "a tick above the best bid, where the spread is wider",
    "at the best ask",
    "a tick behind the best ask",
)
IMPACT_S = 60
IMPACT_BATCH = 128
DEPTH_CAPACITY, DEPTH_EVERY = 512, 100  # orders a side, and events from one look to the next


class Order(NamedTuple):
    """An order to sell."""

    place: int  # of PLACES
    lots: int


ORDERS = (
    *(Order(AT_MARKET, lots) for lots in (1, 2, 5, 10, 20)),
    *(Order(place, lots) for place in (INSIDE, BEST, BEHIND) for lots in (5, 20)),
)


class Impact(NamedTuple):
    """The mid price after each order less the mid without it, in ticks, at moments `[T]` after it: NumPy arrays."""

    at_s: np.ndarray  # [T]; the first is just after the order
    change: np.ndarray  # [n, O, T]
    counts: (
        np.ndarray
    )  # bool [n, O], whether the episode has a place for the order: an inside one needs a spread of two ticks
    wrong: dict[str, int]


def impact(
    of: Setting, episodes: int, seed: int, orders: tuple[Order, ...] = ORDERS, seconds: int = IMPACT_S
) -> Impact:
    """Play `episodes` without an order and with each of `orders`."""
    run = jax.jit(jax.vmap(partial(_impact, of, orders, seconds, jax.random.key(seed))))
    found = in_batches(run, episodes, batch=IMPACT_BATCH)
    mid = 0.5 * found["mid2"].astype(np.float64)
    at_s = np.concatenate([[0.0], np.arange(1, seconds + 1) * STEP_S])
    return Impact(at_s, mid[:, 1:] - mid[:, :1], found["counts"], wrong_counts(found["wrong"].sum(axis=1)))


def _impact(of: Setting, orders: tuple[Order, ...], seconds: int, key: jax.Array, index: jax.Array) -> dict[str, Any]:
    key_open, key_steps = jax.random.split(jax.random.fold_in(key, index))
    opened = warmed_up(of, key_open)
    bid, ask = best_prices(opened.book)
    prices = jnp.stack([jnp.int32(0), bid + 1, ask, ask + 1])
    # A nanosecond for the order itself, then by the second.
    ends = times(np.concatenate([[1e-9], np.arange(1, seconds + 1) * STEP_S]))
    keys = jax.random.split(key_steps, seconds + 1)

    def path(place: jax.Array, lots: jax.Array) -> tuple[jax.Array, jax.Array]:
        order = _sale(jnp.where(place == AT_MARKET, Kind.MARKET, Kind.LIMIT), prices[place], lots)
        sent = of.nothing._replace(sent=order)
        state, mid2 = unattended(
            of.market, keys, opened, sent, of.params, until=ends, record=lambda before, after: mid2_ticks(after)
        )
        return mid2, went_wrong(state)

    tried = (Order(AT_MARKET, 0), *orders)
    places, lots = (jnp.asarray(column, jnp.int32) for column in zip(*tried, strict=True))
    mid2, wrong = jax.vmap(path)(places, lots)
    return {"mid2": mid2, "wrong": wrong, "counts": (places[1:] != INSIDE) | (ask - bid > 1)}


def _sale(kind: jax.Array, price: jax.Array, lots: jax.Array) -> Message:
    """One message int32 `[1]`; a NOOP where lots is 0."""
    fields = (
        jnp.where(lots > 0, kind, Kind.NOOP),
        jnp.int32(Side.ASK),
        price,
        lots,
        fresh_ids(AGENT, jnp.int32(0), 1)[0],
    )
    return Message(*(jnp.asarray(field, jnp.int32)[None] for field in (*fields, AGENT)))


def stationary_depth(
    config: PoissonConfig, books: int, seed: int, *, burn_in: int = 20, samples: int = 80
) -> np.ndarray:
    """Mean lots of one side by distance from the opposite best, float64 `[books, LEVELS]`, seen every `DEPTH_EVERY` events.

    The opening book is the noise trader's own here, so that its cancellations reach it. Busy moments count for more than in an average
    over time, since it is events that are counted. `burn_in` samples are left out.
    """
    of = setting(config, capacity=DEPTH_CAPACITY)
    opening = of.params.flow.opening
    flow = of.params.flow.replace(opening=opening.replace(owner=jnp.zeros_like(opening.owner)))
    counted = replace(of.market, step_messages=DEPTH_EVERY, max_messages=DEPTH_EVERY + of.market.queue_places)
    of = replace(of, market=counted, params=of.params.replace(flow=flow))

    def book(index: jax.Array) -> jax.Array:
        key_open, key_steps = jax.random.split(jax.random.fold_in(jax.random.key(seed), index))

        state, count = of.market.open(key_open, of.params), burn_in + samples
        _, lots = unattended(
            of.market, jax.random.split(key_steps, count), state, of.nothing, of.params,
            until=never((count,)), record=lambda before, after: both_sides(after),
        )  # fmt: skip
        return lots[burn_in:].sum(axis=0)

    return in_batches(jax.jit(jax.vmap(book)), books) / (2.0 * samples)
