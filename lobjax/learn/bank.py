"""A bank of starts, drawn once per rollout, from which episodes that end in it go on.

An environment's own reset can cost a warm-up of its market, and under `vmap` an auto-reset would pay that at every step.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Bank(NamedTuple):
    """Starts of episodes."""

    observation: Any  # f32[bank_size, B, D], or a tree of such
    state: Any  # leaves [bank_size, B, ...]


def fill_bank(bank_size: int, env: Any, constants: Any, keys: jax.Array) -> Bank:
    """`bank_size` starts for each of `keys` [B], which belong to environments."""

    def fill(b):
        own = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, b)
        return Bank(*jax.vmap(env.reset, in_axes=(0, None))(own, constants))

    return jax.lax.map(fill, jnp.arange(bank_size, dtype=jnp.int32))


def restart(bank: Bank, endings: jax.Array, done: jax.Array, now: tuple[Any, Any]) -> tuple[Any, Any]:
    """Replace the observation and state of environments that are `done` by the next start in their bank."""
    bank_size, n_envs = jax.tree.leaves(bank)[0].shape[:2]
    turn = endings % bank_size

    def swap(now):
        def choose(starts, present):
            chosen = starts[turn, jnp.arange(n_envs, dtype=jnp.int32)] if bank_size > 1 else starts[0]
            where = done.reshape(-1, *(1,) * (chosen.ndim - 1))
            return jnp.where(where, chosen, present)

        return jax.tree.map(choose, tuple(bank), now)

    return jax.lax.cond(jnp.any(done), swap, lambda now: now, now)
