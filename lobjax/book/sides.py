"""A book as an order sees it: the side that it belongs to, and the other one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.book.state import Book


class Slots(NamedTuple):
    """One side of a book: int32 [N] each, in order of priority, holes allowed. Or one order: int32 scalars."""

    price: jax.Array
    size: jax.Array
    order_id: jax.Array
    owner: jax.Array


def sides(book: Book, is_bid: jax.Array) -> tuple[Slots, Slots]:
    """Own side and other side of a bid, or of an ask."""
    rows = (book.price, book.size, book.order_id, book.owner)
    own = Slots(*(jnp.where(is_bid, row[0], row[1]) for row in rows))
    other = Slots(*(jnp.where(is_bid, row[1], row[0]) for row in rows))
    return own, other


def is_own(is_bid: jax.Array) -> jax.Array:
    """Bool `[2, 1]`: which row of a book's arrays is a bid's own side, or an ask's."""
    return (jnp.arange(2, dtype=jnp.int32) == 0)[:, None] == is_bid
