"""Sums over the episodes that end: figures of every group, and how learners fared against past selves."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax.arena import Group
from lobjax.learn.arena import pool
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.state import Shared

FIGURES = (
    "profit_ticks", "fees_ticks", "spread_captured_ticks", "maker_lots", "taker_lots", "messages", "drawdown_ticks", "stopped",
)  # fmt: skip


def seats_of(group: Group) -> slice:
    """Where a group's seats are among the A of an arena."""
    return slice(group.accounts[0] - 1, group.accounts[-1])


def sums_of(
    cast: Cast, shared: Shared, own: dict[str, jax.Array], paid: dict[str, jax.Array], drawn: dict[str, jax.Array], done: jax.Array,
    info: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Sums over the episodes that ended now; of groups that learn, of the seats that the policy played which learns."""
    found: dict[str, Any] = {"count": done.sum(dtype=jnp.int32)}
    for group in cast.arena.groups:
        mine = done[:, None] & own.get(group.name, jnp.ones((*done.shape, group.seats), bool))
        figures = {name: info[name][:, seats_of(group)] for name in FIGURES}
        if group.name in paid:
            figures |= {"return": paid[group.name], "squared_return": paid[group.name] ** 2}
        sums = {name: jnp.where(mine, x, 0).sum(dtype=jnp.float32) for name, x in figures.items()}
        found[group.name] = {"seats": mine.sum(dtype=jnp.int32), **sums}
    if drawn:
        behind, many = 0.0, 0
        for name, amount in paid.items():
            each = pool.behind(shared.outcomes[name], amount)
            behind += jnp.where(own[name], each, 0.0).sum(axis=1)
            many += own[name].sum(axis=1, dtype=jnp.int32)
        loss = behind / jnp.maximum(many, 1)
        for name, source in cast.drawn.items():
            plays = done & ((many > 0) if name in cast.pooled else ~own[name].all(axis=1))
            places = jax.nn.one_hot(drawn[name], shared.pools[source].added.shape[0], dtype=jnp.float32)
            both = jnp.stack([jnp.ones_like(loss), loss])[:, :, None] * jnp.where(plays[:, None], places, 0.0)[None]
            found[f"loss/{source}"] = found.get(f"loss/{source}", 0.0) + both.sum(axis=1)
    return found
