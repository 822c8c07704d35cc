"""A market's flow event by event: how often each kind comes, and how long the noise trader waits."""

import math
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.papers.market.setting import Setting, in_batches, noise_messages, times, warmed_up
from lobjax import clock
from lobjax.clock import Time
from lobjax.env.unattended import unattended
from lobjax.market import MarketState
from lobjax.types import Side

KINDS = ("market buy", "market sell", "limit buy", "limit sell", "cancel")
_CANCEL, _NONE = KINDS.index("cancel"), -1
_BATCH = 64  # states are copied at every message: few enough that they stay in a core's cache
MEAN_PER_S = 10.0  # events that there is room for, on average


class Events(NamedTuple):
    """The noise trader's events in n episodes of `seconds`: NumPy arrays, E places an episode, the last ones empty."""

    seconds: int
    kind: np.ndarray  # int32 [n, E], of `KINDS`, -1 where empty
    at_s: np.ndarray  # float64 [n, E], rising; 0 where empty

    def per_s(self) -> np.ndarray:
        """How often each kind comes, float64 `[n, KINDS]`."""
        return np.stack([(self.kind == k).sum(axis=1) for k in range(len(KINDS))], axis=1) / self.seconds

    def waits_s(self) -> np.ndarray:
        """Times between an event and the next of its episode, all together."""
        both = (self.kind[:, 1:] != _NONE) & (self.kind[:, :-1] != _NONE)
        return np.diff(self.at_s, axis=1)[both]


def play(of: Setting, episodes: int, seed: int, *, seconds: int = 150) -> Events:
    """Play `episodes`, each `seconds` from the end of its warm-up, in steps of one message."""
    run = jax.jit(jax.vmap(partial(_episode, of, seconds, jax.random.key(seed))))
    found = in_batches(run, episodes, batch=_BATCH)
    if not found["over"].all():
        raise RuntimeError(f"{MEAN_PER_S:g} events a second are too few for this market")
    # The strategic trader's events are taken out: the noise trader's move up.
    order = np.argsort(found["kind"] == _NONE, axis=1, kind="stable")
    kind, s, ns = (np.take_along_axis(found[name], order, axis=1) for name in ("kind", "s", "ns"))
    return Events(seconds, kind, np.where(kind == _NONE, 0.0, s + ns / clock.NS))


def _episode(of: Setting, seconds: int, key: jax.Array, index: jax.Array) -> dict[str, Any]:
    key_open, key_steps = jax.random.split(jax.random.fold_in(key, index))
    state = warmed_up(of, key_open)
    one_by_one = replace(of.market, step_messages=1)
    mean = MEAN_PER_S * seconds
    count = math.ceil(mean + 8 * math.sqrt(mean))

    def record(before: MarketState, after: MarketState) -> dict[str, jax.Array]:
        kind = jnp.where(noise_messages(of.config, before, after) > 0, _kind(after), _NONE)
        return {"kind": kind, "s": after.now.s, "ns": after.now.ns}

    keys, ends = jax.random.split(key_steps, count), times(np.full(count, seconds))
    state, seen = unattended(one_by_one, keys, state, of.nothing, of.params, until=ends, record=record)
    return {**seen, "over": ~clock.before(state.due, Time(jnp.int32(seconds), jnp.int32(0)))}


def _kind(state: MarketState) -> jax.Array:
    """Of the one message of a step, int32."""
    tape = state.tape
    sides = (
        tape.market_lots[Side.BID], tape.market_lots[Side.ASK], tape.limit_lots[Side.BID], tape.limit_lots[Side.ASK],
    )  # fmt: skip
    found = jnp.int32(_CANCEL)
    for kind, lots in enumerate(sides):
        found = jnp.where(lots > 0, kind, found)
    return found
