"""How an order comes to rest: found its place among the ordered slots, the others move by at most one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.book.sides import Slots, is_own, sides
from lobjax.book.state import Book


class Placed(NamedTuple):
    """Whether a newcomer cost someone a place."""

    displaced: jax.Array  # bool: the last order of a full side made room
    refused: jax.Array  # bool: the side was full and the newcomer would have been last


def insert(book: Book, order: Slots, is_bid: jax.Array) -> tuple[Book, Placed]:
    """Put `order` (int32 scalars; does nothing at size <= 0) behind every live order of its side whose price is as good or better.

    The orders between its place and the nearest hole shift by one; on a full side the last order is displaced, or the newcomer
    refused if it would be last.
    """
    n = book.capacity
    index = jnp.arange(n, dtype=jnp.int32)
    own, _ = sides(book, is_bid)
    live = own.size > 0
    wanted = order.size > 0
    as_good = jnp.where(is_bid, own.price >= order.price, own.price <= order.price)
    place = jnp.max(jnp.where(live & as_good, index + 1, 0))
    hole_right = jnp.min(jnp.where(~live & (index >= place), index, n))
    hole_left = jnp.max(jnp.where(~live & (index < place), index, -1))
    to_right = hole_right < n
    full = ~to_right & (hole_left < 0)
    refused = wanted & full & (place == n)
    displaced = wanted & full & (place < n)
    to_right = to_right | displaced
    position = jnp.where(to_right, place, place - 1)
    row = is_own(is_bid) & wanted & ~refused
    from_left = row & (to_right & (index > position) & (index <= hole_right))[None]
    from_right = row & (~to_right & (index < position) & (index >= hole_left))[None]
    here = row & (index == position)[None]

    def place_in(old: jax.Array, new: jax.Array) -> jax.Array:
        previous = jnp.concatenate([old[:, :1], old[:, :-1]], axis=1)
        following = jnp.concatenate([old[:, 1:], old[:, -1:]], axis=1)
        moved = jnp.where(from_left, previous, jnp.where(from_right, following, old))
        return jnp.where(here, new, moved)

    # Both rows at once: a select of one row and its return would keep XLA from a vectorised loop.
    rows = (book.price, book.size, book.order_id, book.owner)
    return Book(*(place_in(old, new) for old, new in zip(rows, order, strict=True))), Placed(displaced, refused)
