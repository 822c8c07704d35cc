"""How an order comes to rest: found its place among the ordered slots, the others move by at most one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Slots(NamedTuple):
    """One side of a book: int32 [N] each, in order of priority, holes allowed."""

    price: jax.Array
    size: jax.Array
    order_id: jax.Array
    owner: jax.Array


class Placed(NamedTuple):
    """Whether a newcomer cost someone a place."""

    displaced: jax.Array  # bool: the last order of a full side made room
    refused: jax.Array  # bool: the side was full and the newcomer would have been last


def insert(slots: Slots, order: Slots, sign: jax.Array) -> tuple[Slots, Placed]:
    """Put `order` (scalars; does nothing at size <= 0) behind every live order whose price is as good or better.

    sign: +1 where a lower price ranks first (asks), -1 where a higher one does (bids). The orders between its place and the
    nearest hole shift by one; on a full side the last order is displaced, or the newcomer refused if it would be last.
    """
    n = slots.size.shape[0]
    index = jnp.arange(n, dtype=jnp.int32)
    live = slots.size > 0
    wanted = order.size > 0
    ranks_before = live & (slots.price * sign <= order.price * sign)
    place = jnp.max(jnp.where(ranks_before, index + 1, 0))
    hole_right = jnp.min(jnp.where(~live & (index >= place), index, n))
    hole_left = jnp.max(jnp.where(~live & (index < place), index, -1))
    to_right = hole_right < n
    full = ~to_right & (hole_left < 0)
    refused = wanted & full & (place == n)
    displaced = wanted & full & (place < n)
    to_right = to_right | displaced
    go = wanted & ~refused
    position = jnp.where(to_right, place, place - 1)
    from_left = go & to_right & (index > position) & (index <= hole_right)
    from_right = go & ~to_right & (index < position) & (index >= hole_left)
    here = go & (index == position)

    def place_in(old: jax.Array, new: jax.Array) -> jax.Array:
        previous = jnp.concatenate([old[:1], old[:-1]])
        following = jnp.concatenate([old[1:], old[-1:]])
        moved = jnp.where(from_left, previous, jnp.where(from_right, following, old))
        return jnp.where(here, new, moved)

    return Slots(*(place_in(o, m) for o, m in zip(slots, order, strict=True))), Placed(displaced, refused)
