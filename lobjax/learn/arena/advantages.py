"""Advantages of seats that decide by clocks of their own.

A decision's reward is all that the seat is paid until its next one. The discount and the decay of traces count the seat's own decisions,
not the arena's: what is paid in between is not discounted. Where a rollout ends, the value of what is seen then stands for what comes,
whether or not the seat decides then; what is paid before its first decision in a rollout is the earlier rollout's, and not learned from.
"""

import jax
import jax.numpy as jnp

from lobjax.learn.gae import gae


def seat_advantages(
    reward: jax.Array,
    value: jax.Array,
    next_value: jax.Array,
    acts: jax.Array,
    terminated: jax.Array,
    truncated: jax.Array,
    done: jax.Array,
    discount: float,
    trace_decay: float,
) -> jax.Array:
    """f32[T, B, S], all arguments but the last two likewise; they mean something where `acts` is true.

    `value`: of what is seen before a decision; `next_value`: after it, in the same episode; `acts`: whether the seat decides; `done`:
    whether the arena's episode ended with that decision, for seats that had ended before it too.
    """
    decides_next = jnp.concatenate([acts[1:], jnp.ones_like(acts[:1])])
    ended = terminated | (done & ~truncated)
    own_step = decides_next | truncated
    return gae(
        reward,
        jnp.where(acts, value, 0.0),
        jnp.where(own_step, next_value, 0.0),
        ended,
        truncated,
        jnp.where(own_step, jnp.float32(discount), 1.0),
        jnp.where(decides_next, jnp.float32(trace_decay), 1.0),
    )
