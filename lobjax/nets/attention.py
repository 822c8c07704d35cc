"""Causal attention over a window of environment steps, and the ring of keys and values that carries it between steps.

Positions are relative: what a query sees of a key is its distance in steps, as a learned number for each head and distance
(so slots of the ring need no order). A query sees keys of its own episode at distances `0 .. window - 1`.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
from flax import struct
from jax.typing import DTypeLike

from lobjax.nets.precision import product


@struct.dataclass
class Cache:
    """Keys and values of the last `window` steps of every layer.

    One write position serves the batch, since all environments step together; episodes are told apart by `valid`.
    """

    keys: tuple[
        jax.Array, ...
    ]  # one per layer, [B, heads, window, width / heads], in the type that the network computes in
    values: tuple[jax.Array, ...]  # likewise
    valid: jax.Array  # bool[B, window]: the slot holds a step of the running episode
    position: jax.Array  # int32[]: the slot that the next step writes


def empty_cache(
    n_envs: int, layers: int, heads: int, window: int, head_size: int, dtype: DTypeLike = jnp.float32
) -> Cache:
    """A cache that holds nothing, for `n_envs` environments."""
    blank = tuple(jnp.zeros((n_envs, heads, window, head_size), dtype) for _ in range(layers))
    return Cache(keys=blank, values=blank, valid=jnp.zeros((n_envs, window), bool), position=jnp.zeros((), jnp.int32))


def open_slot(cache: Cache, reset: jax.Array) -> Cache:
    """Make the slot at `position` valid for the step to come, after forgetting the episodes that ended (`reset` bool[B])."""
    valid = cache.valid & ~reset[:, None]
    return replace(cache, valid=valid.at[:, cache.position].set(True))


def write(ring: jax.Array, position: jax.Array, entry: jax.Array) -> jax.Array:
    """Write `entry` [B, heads, 1, size] into slot `position` of a ring [B, heads, window, size]."""
    return jax.lax.dynamic_update_slice_in_dim(ring, entry, position, axis=2)


def step_view(cache: Cache) -> tuple[jax.Array, jax.Array]:
    """Distances int32[1, window] and mask bool[B, 1, window] of one step over the ring, its own slot open and written."""
    window = cache.valid.shape[1]
    distance = (cache.position - jnp.arange(window, dtype=jnp.int32)) % window
    return distance[None], cache.valid[:, None]


def sequence_view(cache: Cache, reset: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Distances int32[T, window + T] and mask bool[B, T, window + T] of a trajectory over the ring before it and itself.

    `reset` is bool[T, B]. A step's episode is the count of resets up to it; what is in the ring belongs to episode 0.
    """
    window, length = cache.valid.shape[1], reset.shape[0]
    time = jnp.arange(length, dtype=jnp.int32)
    age = 1 + (cache.position - 1 - jnp.arange(window, dtype=jnp.int32)) % window  # steps before the trajectory's first
    distance = time[:, None] - jnp.concatenate([-age, time])[None]
    episode = jnp.cumsum(reset, axis=0, dtype=jnp.int32).T
    same = jnp.concatenate(
        [cache.valid[:, None] & (episode == 0)[:, :, None], episode[:, :, None] == episode[:, None, :]], axis=2
    )
    return distance, same & ((distance >= 0) & (distance < window))[None]


def attend(
    q: jax.Array,
    keys: tuple[jax.Array, ...],
    values: tuple[jax.Array, ...],
    bias: jax.Array,
    distance: jax.Array,
    mask: jax.Array,
) -> jax.Array:
    """Attention of queries [B, heads, T, size]; returns [B, heads, T, size] of their type.

    Keys and values come in parts [B, heads, S_i, size], S in all: no gradient is spent on a part that needs none. `bias`
    f32[heads, window] is added by distance int32[T, S]; what `mask` bool[B, T, S] leaves out has no weight. The softmax is float32.
    """
    relative = bias[:, jnp.clip(distance, 0, bias.shape[1] - 1)]
    products = [product("bhtd,bhsd->bhts", q, k) for k in keys]
    scores = jnp.concatenate(products, axis=-1).astype(jnp.float32) * q.shape[-1] ** -0.5 + relative[None]
    weights = jax.nn.softmax(jnp.where(mask[:, None], scores, jnp.finfo(scores.dtype).min), axis=-1).astype(q.dtype)
    ends = [sum(k.shape[2] for k in keys[: i + 1]) for i in range(len(keys) - 1)]
    shares = jnp.split(weights, ends, axis=-1)
    parts = [product("bhts,bhsd->bhtd", share, v) for share, v in zip(shares, values, strict=True)]
    return sum(parts[1:], parts[0])
