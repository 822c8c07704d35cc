"""A book on flat slots, the state of the engine `kernel`: an order stays in whatever slot was free, (price key, arrival) is its priority.

The price key is a price made to rank alike on both sides: negative for every live order, smaller is better (a bid's is -price, an ask's
price - 2^31). So a reduction needs no mask for holes and the step no case for the side; 0 marks a free slot, 1 one that is never used
(the padding of a capacity that is no power of two).
"""

from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book
from lobjax.types import INT32_MAX, MAX_CAPACITY, Side

FREE, CLOSED = 0, 1
INT32_MIN = -(2**31)
MIN_SLOTS = 32  # a warp has 32 lanes


class Slots(NamedTuple):
    """One side of a book: int32 `[S]` each, S slots in no order. Where none is live (`key >= 0`) the size is 0, and the rest nothing."""

    key: jax.Array
    size: jax.Array
    order_id: jax.Array
    owner: jax.Array
    arrival: jax.Array


class Sides(NamedTuple):
    """A book as the step sees it; `next_arrival` is the number that the next order to rest gets, int32."""

    bids: Slots
    asks: Slots
    next_arrival: jax.Array


class FlatBook(flax.struct.PyTreeNode):
    """One book between calls. Row 0 holds bids, row 1 asks. Write for one, `vmap` over many.

    It has what the views of `lobjax.book` read, so they take it as they take a `Book`.
    """

    key: jax.Array  # int32 [2, S]; S is a power of two
    size: jax.Array  # int32 [2, S] lots; 0 marks a hole
    order_id: jax.Array  # int32 [2, S]
    owner: jax.Array  # int32 [2, S]
    arrival: jax.Array  # int32 [2, S]
    next_arrival: jax.Array  # int32
    capacity: int = flax.struct.field(pytree_node=False)  # N, the most orders a side can hold

    @property
    def slots(self) -> Slots:
        """Both sides' slots as one record, int32 `[2, S]` each."""
        return Slots(self.key, self.size, self.order_id, self.owner, self.arrival)

    @property
    def price(self) -> jax.Array:
        """Ticks, int32 `[2, S]`; meaningless in a hole. Any number of axes may come before."""
        return jnp.stack([bid_key(self.key[..., Side.BID, :]), ask_key(self.key[..., Side.ASK, :])], axis=-2)

    @property
    def rank(self) -> jax.Array:
        """Int32 `[2, S]`: of two orders at one price the smaller came first."""
        return self.arrival

    def ordered(self) -> Book:
        """The same book on ordered slots."""
        return to_book(self)


def slots_of(capacity: int) -> int:
    """Slots of a side that holds `capacity` orders: the next power of two, 32 at least. Raises ValueError outside 1..512."""
    if not 1 <= capacity <= MAX_CAPACITY:
        raise ValueError(f"capacity {capacity} is outside 1..{MAX_CAPACITY}")
    return max(MIN_SLOTS, 1 << (capacity - 1).bit_length())


def bid_key(price: jax.Array) -> jax.Array:
    """The key of a bid at a positive price; its own inverse."""
    return -price


def ask_key(price: jax.Array) -> jax.Array:
    """The key of an ask at a positive price: price - 2^31. Its own inverse."""
    return price ^ jnp.int32(INT32_MIN)


def from_book(book: Book) -> FlatBook:
    """Ordered slots to flat ones: an order's slot is its place, and its arrival number too, since places are ranks."""
    capacity = book.capacity
    padding = [(0, 0), (0, slots_of(capacity) - capacity)]
    key = jnp.stack([bid_key(book.price[Side.BID]), ask_key(book.price[Side.ASK])])
    key = jnp.pad(jnp.where(book.size > 0, key, FREE), padding, constant_values=CLOSED)
    size, order_id, owner = (jnp.pad(x, padding) for x in (book.size, book.order_id, book.owner))
    arrival = jnp.broadcast_to(jnp.arange(key.shape[1], dtype=jnp.int32), key.shape)
    return FlatBook(key, size, order_id, owner, arrival, jnp.int32(capacity), capacity)


def to_book(flat: FlatBook) -> Book:
    """Flat slots to ordered ones."""
    columns = (flat.key, flat.arrival, flat.size, flat.order_id, flat.owner)
    key, _, *rest = (x[:, : flat.capacity] for x in jax.lax.sort(columns, num_keys=2))
    live = key < 0
    price = jnp.stack([bid_key(key[Side.BID]), ask_key(key[Side.ASK])])
    return Book(*(jnp.where(live, x, 0) for x in (price, *rest)))


def load_sides(book: FlatBook) -> Sides:
    """A book as the step sees it. In a kernel, from references: two loads of `[S]` a field."""
    bids, asks = (Slots(*(field[side, :] for field in book.slots)) for side in Side)
    return Sides(bids, asks, book.next_arrival[...])


def store_sides(book: FlatBook, sides: Sides) -> None:
    """The way back, in a kernel: `book` holds references."""
    for side, slots in zip(Side, (sides.bids, sides.asks), strict=True):
        for field, values in zip(book.slots, slots, strict=True):
            field[side, :] = values
    book.next_arrival[...] = sides.next_arrival


def renumbered(sides: Sides, coming: int) -> Sides:
    """The same book, its arrival numbers small again if `coming` more would not fit in int32; order is kept.

    Runs in the kernel: a loop of S reductions a side, but once in 2^31 orders.
    """

    def smallest_first(slots: Slots) -> Slots:
        live = slots.key < 0

        def place(rank: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            old, new = carry
            here = live & (old == jnp.min(old)) & (old < INT32_MAX)
            return jnp.where(here, INT32_MAX, old), jnp.where(here, rank, new)

        waiting = jnp.where(live, slots.arrival, INT32_MAX)
        _, arrival = jax.lax.fori_loop(np.int32(0), np.int32(live.shape[0]), place, (waiting, slots.arrival))
        return slots._replace(arrival=arrival)

    def renumber(sides: Sides) -> Sides:
        # A branch may not give back a constant (Triton's lowering).
        first = (sides.next_arrival & 0) + sides.bids.key.shape[0]
        return Sides(smallest_first(sides.bids), smallest_first(sides.asks), first)

    return jax.lax.cond(sides.next_arrival > INT32_MAX - 1 - coming, renumber, lambda same: same, sides)
