"""What can be read off a book: best prices, depth by level, queue position, and the canonical order-by-order listing.

A price of 0 means "none": live prices are positive, so 0 is never a value. The views take any book that has the properties of
`Book`. Those that a flow needs inside a GPU kernel (`best_prices`, `mid2`, `lots_from`) ask a book that has its own way.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from lobjax.book.state import Book
from lobjax.types import Side


class BySide(Protocol):
    """Any form of a book: int32 arrays by side, `[2, N]` or a pair of `[N]`, as of `Book`."""

    @property
    def price(self) -> Any: ...
    @property
    def size(self) -> Any: ...
    @property
    def order_id(self) -> Any: ...
    @property
    def owner(self) -> Any: ...


@runtime_checkable
class OwnViews(Protocol):
    """A form of a book with its own way to views."""

    def best_prices(self) -> tuple[jax.Array, jax.Array]: ...
    def lots_from(self, side: Side, anchor: jax.Array, count: int, width: int) -> jax.Array: ...


class Depth(NamedTuple):
    """Price levels, best first; price 0 and size 0 where a side has fewer levels."""

    price_ticks: jax.Array  # int32 [2, L]
    size_lots: jax.Array  # int32 [2, L], resting lots of all owners (a level must hold fewer than 2^31)


def best_prices(book: BySide) -> tuple[jax.Array, jax.Array]:
    """Best bid and best ask in ticks, int32 scalars; 0 where the side is empty."""
    if isinstance(book, OwnViews):
        return book.best_prices()
    bid = jnp.max(jnp.where(book.size[Side.BID] > 0, book.price[Side.BID], 0))
    # Asks less 2^31, so that all of them are below the 0 that stands for none.
    ask = jnp.min(jnp.where(book.size[Side.ASK] > 0, book.price[Side.ASK] ^ jnp.int32(-(2**31)), 0))
    return bid, jnp.where(ask < 0, ask ^ jnp.int32(-(2**31)), 0)


def mid2(book: BySide) -> jax.Array:
    """Twice the mid price in ticks, an integer; from the one side alone (doubled) where the other is empty, 0 where both are."""
    bid, ask = best_prices(book)
    return jnp.where(bid == 0, ask, bid) + jnp.where(ask == 0, bid, ask)


def depth(book: Book, levels: int) -> Depth:
    """The best `levels` price levels of both sides."""
    book = book.ordered()

    def one_side(price: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
        live = size > 0
        # The nearest live price before each slot: a slot opens a level if its own differs.
        last_live = jax.lax.cummax(jnp.where(live, jnp.arange(price.shape[0], dtype=jnp.int32), -1))
        before = jnp.concatenate([jnp.full((1,), -1, jnp.int32), last_live[:-1]])
        opens = live & ((before < 0) | (price != price[jnp.maximum(before, 0)]))
        rank = jnp.cumsum(opens, dtype=jnp.int32) - 1
        at = (rank[None] == jnp.arange(levels, dtype=jnp.int32)[:, None]) & live[None]
        return jnp.max(jnp.where(at, price[None], 0), axis=1), jnp.sum(
            jnp.where(at, size[None], 0), axis=1, dtype=jnp.int32
        )

    return Depth(*jax.vmap(one_side)(book.price, book.size))


def volume_at(
    book: BySide, side: int | jax.Array, prices: jax.Array, owner: int | jax.Array | None = None
) -> jax.Array:
    """Resting lots int32 `[L]` at each of `prices` `[L]`, of everybody or of one owner."""
    price, size = book.price[side], book.size[side]
    if owner is not None:
        size = jnp.where(book.owner[side] == owner, size, 0)
    return jnp.sum(jnp.where(price[None] == prices[:, None], size[None], 0), axis=1, dtype=jnp.int32)


def lots_from(book: BySide, side: Side, anchor: jax.Array, count: int, width: int) -> jax.Array:
    """Resting lots of one side at 1 to `count` ticks from an anchor price, bids below it, asks above it: int32 `[width]`, then zeros."""
    if isinstance(book, OwnViews):
        return book.lots_from(side, anchor, count, width)
    away = 1 + jnp.arange(count, dtype=jnp.int32)
    lots = volume_at(book, side, anchor - away if side == Side.BID else anchor + away)
    return jnp.pad(lots, (0, width - count))


def lots_ahead(book: Book, side: int | jax.Array, order_id: int | jax.Array) -> jax.Array:
    """Lots that must trade or go before this order is first: all better prices and the queue before it; -1 if it is not live."""
    book = book.ordered()
    size = book.size[side]
    named = (size > 0) & (book.order_id[side] == order_id)
    place = jax.lax.argmax(named, 0, jnp.int32)
    ahead = jnp.sum(jnp.where(jnp.arange(size.shape[0], dtype=jnp.int32) < place, size, 0), dtype=jnp.int32)
    return jnp.where(named.any(), ahead, -1)


def listing(book: Book) -> tuple[jax.Array, jax.Array]:
    """The canonical form: bids and asks, int32 `[N, 4]` (price, size, order id, owner), best first, zero padded."""
    book = book.ordered()
    live = book.size > 0
    _, order = jax.lax.sort((~live, book.rank), dimension=1, is_stable=True, num_keys=1)
    rows = jnp.stack([book.price, book.size, book.order_id, book.owner], axis=-1)
    rows = jnp.where(live[..., None], rows, 0)
    rows = jnp.take_along_axis(rows, order[..., None], axis=1)
    return rows[Side.BID], rows[Side.ASK]
