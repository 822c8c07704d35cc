"""Rewards in units of what an episode brings: divided by the running deviation of discounted returns, merged over devices.

The return of a step is G_t = r_t + discount * G_(t-1) within its episode, as in the reward scaling of Engstrom et al. (arXiv 2005.12729).
Only the scale changes, never the sign or the mean: what is best stays best. Metrics show rewards as the environment pays them.
"""

import jax
import jax.numpy as jnp

from lobjax.nets.statistics import CLIP, Statistics


def unit_scale() -> Statistics:
    """The statistics f32[] of no return at all: variance 1."""
    return Statistics(count=jnp.float32(0), mean=jnp.float32(0), variance=jnp.float32(1))


def discounted(so_far: jax.Array, r_t: jax.Array, done: jax.Array, discount: float) -> tuple[jax.Array, jax.Array]:
    """Discounted returns f32[T, B] of rewards [T, B], begun at `so_far` f32[B]; and what the next step goes on from, f32[B].

    `done` bool[T, B] is true where an episode ended with that reward, however it ended.
    """

    def step(so_far, now):
        reward, done = now
        so_far = discount * so_far + reward
        return jnp.where(done, 0.0, so_far), so_far

    return jax.lax.scan(step, so_far, (r_t, done))


def scaled(statistics: Statistics, r_t: jax.Array) -> jax.Array:
    """Rewards over the deviation of returns, clipped to +-10."""
    return jnp.clip(r_t * jax.lax.rsqrt(statistics.variance + 1e-8), -CLIP, CLIP)
