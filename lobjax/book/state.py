"""The state of one limit order book: a frozen pytree of int32 arrays, `[2, N]` by side and slot.

Slots of a side stand in order of priority: price first, then arrival. A slot with size 0 is a hole; holes may be anywhere. So a
slot's index is its order's rank, no arrival number is stored, and two orders can never tie. Compare books by `views.listing`, which
leaves the holes out.
"""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.types import MAX_CAPACITY


class Book(flax.struct.PyTreeNode):
    """One book. Row 0 holds bids (highest price first), row 1 asks (lowest first). Write for one, `vmap` over many."""

    price: jax.Array  # int32 [2, N] ticks; meaningless in a hole
    size: jax.Array  # int32 [2, N] lots; 0 marks a hole
    order_id: jax.Array  # int32 [2, N]
    owner: jax.Array  # int32 [2, N]

    @property
    def capacity(self) -> int:
        """N, the most orders a side can hold."""
        return self.size.shape[-1]

    @property
    def rank(self) -> jax.Array:
        """Int32 `[2, N]`: of two orders at one price the smaller came first."""
        return jax.lax.broadcasted_iota(jnp.int32, self.size.shape, self.size.ndim - 1)

    def ordered(self) -> "Book":
        """This book: its slots are in order."""
        return self


def empty_book(capacity: int) -> Book:
    """A book without orders, for at most `capacity` orders a side. Raises ValueError outside 1..512."""
    if not 1 <= capacity <= MAX_CAPACITY:
        raise ValueError(f"capacity {capacity} is outside 1..{MAX_CAPACITY}")
    blank = jnp.zeros((2, capacity), jnp.int32)
    return Book(price=blank, size=blank, order_id=blank, owner=blank)
