"""The pool of past selves of a group: adding one, drawing one for each episode, and keeping how learners fare against each."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from lobjax.learn.arena.groups import OpponentsConfig
from lobjax.learn.arena.state import Agent, Pool
from lobjax.nets.statistics import Statistics, merge

_WEIGHT = 0.1  # of an update's episodes in the average loss against a past self


def open_pool(agent: Agent, size: int) -> Pool:
    """A pool that holds the first self alone."""
    many = lambda x: jnp.broadcast_to(x, (size, *x.shape))  # noqa: E731
    zero = jnp.zeros(size, jnp.float32)
    added = jnp.where(jnp.arange(size, dtype=jnp.int32) == 0, 0, -1).astype(jnp.int32)
    return Pool(jax.tree.map(many, agent.params), jax.tree.map(many, agent.statistics), zero, added, zero)


def add(config: OpponentsConfig, pool: Pool, agent: Agent, progress: jax.Array, update: jax.Array) -> Pool:
    """The pool after `update` int32[] updates: with the agent in the oldest's place, or an empty one, where its turn has come."""
    number = jnp.max(pool.added) + 1
    here = (jnp.arange(config.size, dtype=jnp.int32) == number % config.size) & (update % config.every == 0)

    def put(old: jax.Array, new: Any) -> jax.Array:
        return jnp.where(here.reshape(-1, *(1,) * (old.ndim - 1)), new, old)

    new = Pool(agent.params, agent.statistics, progress, number, jnp.float32(0))
    return jax.tree.map(put, pool, new)


def log_weights(config: OpponentsConfig, pool: Pool) -> jax.Array:
    """Of the past selves, f32[P]; -inf where a place is empty."""
    weights = {
        "uniform": jnp.zeros_like(pool.loss),
        "recent": (pool.added - jnp.max(pool.added)).astype(jnp.float32) * jnp.log(jnp.float32(2)),
        "prioritised": pool.loss,
    }[config.draw]
    return jnp.where(pool.added >= 0, weights, -jnp.inf)


def draw(config: OpponentsConfig, pool: Pool, keys: jax.Array) -> jax.Array:
    """A place of the pool for each of `keys` [B], int32[B]."""
    weights = log_weights(config, pool)
    return jax.vmap(lambda key: jax.random.categorical(key, weights).astype(jnp.int32))(keys)


def learn_losses(pool: Pool, count: jax.Array, losses: jax.Array) -> Pool:
    """Take in what an update's episodes gave: `count` f32[P] episodes against each, and the sum of losses f32[P] in them."""
    mean = losses / jnp.maximum(count, 1)
    return replace(pool, loss=jnp.where(count > 0, pool.loss + _WEIGHT * (mean - pool.loss), pool.loss))


def behind(outcomes: Statistics, returns: jax.Array) -> jax.Array:
    """How many deviations returns f32[...] lie below the mean of all so far; 0 while there are none."""
    below = (outcomes.mean - returns) * jax.lax.rsqrt(outcomes.variance + 1e-8)
    return jnp.where(outcomes.count > 1, jnp.clip(below, -5.0, 5.0), 0.0)


def learn_outcomes(outcomes: Statistics, count: jax.Array, total: jax.Array, squares: jax.Array) -> Statistics:
    """With the returns of an update's episodes: how many, their sum and the sum of squares, f32[] each."""
    mean = total / jnp.maximum(count, 1)
    variance = jnp.maximum(squares / jnp.maximum(count, 1) - mean**2, 0)
    together = merge(outcomes, Statistics(count=jnp.maximum(count, 1), mean=mean, variance=variance))
    return jax.tree.map(lambda new, old: jnp.where(count > 0, new, old), together, outcomes)
