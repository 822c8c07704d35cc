"""Generalised advantage estimation, with the two ways an episode ends told apart."""

import jax
import jax.numpy as jnp


def gae(
    r_t: jax.Array,
    v_tm1: jax.Array,
    v_t: jax.Array,
    terminated: jax.Array,
    truncated: jax.Array,
    discount: float | jax.Array,
    trace_decay: float | jax.Array,
) -> jax.Array:
    """Advantages f32[T, ...] of a trajectory (Schulman et al., arXiv 1506.02438, equation 16). All arguments are [T, ...].

    `r_t` is the reward of a step, `v_tm1` the value before it, `v_t` the value after it in the same episode: where the episode was
    cut short (`truncated`) that of its final observation, which bootstraps; where it ended (`terminated`) it is
    worth nothing. No trace crosses either end. `discount` and `trace_decay` may differ from step to step, f32[T, ...].
    """
    delta = r_t + discount * jnp.where(terminated, 0.0, v_t) - v_tm1
    decay = jnp.where(terminated | truncated, 0.0, jnp.asarray(discount * trace_decay, jnp.float32))

    def backward(advantage, step):
        delta_t, decay_t = step
        advantage = delta_t + decay_t * advantage
        return advantage, advantage

    return jax.lax.scan(backward, jnp.zeros_like(delta[0]), (delta, decay), reverse=True)[1]
