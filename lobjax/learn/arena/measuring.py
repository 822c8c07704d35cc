"""What an update tells: moments over what is learned from, and figures of the episodes that ended."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax.learn import collapse, devices
from lobjax.learn.arena.acting import Brain
from lobjax.learn.arena.casting import Cast
from lobjax.nets.statistics import Statistics, merge


def moments(x: jax.Array, weight: jax.Array, axis_name: str | None) -> tuple[jax.Array, jax.Array]:
    """Mean and variance of `x` [T, B, S, ...] by `weight` f32[T, B, S], of mean 1 over all devices; two passes, for precision."""

    def mean(x: jax.Array) -> jax.Array:
        own = weight.reshape(*weight.shape, *(1,) * (x.ndim - weight.ndim))
        return devices.mean((x * own).mean(axis=(0, 1, 2)), axis_name)

    first = mean(x)
    return first, mean((x - first) ** 2)


def describe(cast: Cast, sums: dict[str, Any]) -> dict[str, jax.Array]:
    """Metrics of the episodes that ended: means over seats, by group; of a group that learns, over those that its policy played."""
    found: dict[str, jax.Array] = {"episode/count": sums["count"]}
    for group in cast.arena.groups:
        own = dict(sums[group.name])
        seats = jnp.maximum(own.pop("seats"), 1).astype(jnp.float32)
        own.pop("squared_return", None)
        found |= {f"{group.name}/episode/{name}": total / seats for name, total in own.items()}
    return found


def habits_of(
    brain: Brain, idle: int | tuple[int, ...], raw_action: jax.Array, weight: jax.Array, axis_name: str | None
) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
    """What the decisions say that are learned from: the share that does nothing, and what the head tells of its actions."""
    rows = raw_action.reshape(-1, raw_action.shape[-1])

    def one(raw: jax.Array) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        found = collapse.habits(idle, brain.head.to_action(raw))
        return found.scalars, brain.head.summary(raw) | found.vectors

    each = jax.vmap(one)(rows)
    mean = lambda x: jnp.tensordot(weight.reshape(-1), x, 1) / weight.size  # noqa: E731
    return devices.mean(jax.tree.map(mean, each), axis_name)


def seen_more(old: Statistics, x: jax.Array, weight: jax.Array, share: jax.Array, axis_name: str | None) -> Statistics:
    """Statistics of `x` [T, B, S, ...] too, as far as it is learned from."""
    mean, variance = moments(x, weight, axis_name)
    count = devices.total(jnp.float32(weight.size), axis_name) * share
    together = merge(old, Statistics(count=jnp.maximum(count, 1e-9), mean=mean, variance=variance))
    return jax.tree.map(lambda new, before: jnp.where(count > 0, new, before), together, old)
