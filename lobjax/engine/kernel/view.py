"""A book on flat slots as the views of `lobjax.book` take it inside a GPU kernel: what a flow and the limits look at."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.engine.kernel.book import Sides, ask_key, bid_key
from lobjax.engine.kernel.moves import slot_index
from lobjax.types import Side

_FIELD_BITS = 10  # three fit in a word below its sign
_FIELD = 1 << _FIELD_BITS


class FlatView:
    """Sides at one moment; the best prices are found once. Properties are by side, int32 `[S]` each."""

    def __init__(self, sides: Sides) -> None:
        self._slots = (sides.bids, sides.asks)
        bid, ask = (jnp.min(slots.key) for slots in self._slots)
        self._best = jnp.where(bid < 0, bid_key(bid), 0), jnp.where(ask < 0, ask_key(ask), 0)

    @property
    def price(self) -> tuple[jax.Array, jax.Array]:
        """Ticks; meaningless where the size is 0."""
        bids, asks = self._slots
        return bid_key(bids.key), ask_key(asks.key)

    @property
    def size(self) -> tuple[jax.Array, ...]:
        """Lots."""
        return tuple(slots.size for slots in self._slots)

    @property
    def order_id(self) -> tuple[jax.Array, ...]:
        """Ids, of slots with lots."""
        return tuple(slots.order_id for slots in self._slots)

    @property
    def owner(self) -> tuple[jax.Array, ...]:
        """Owners, of slots with lots."""
        return tuple(slots.owner for slots in self._slots)

    def best_prices(self) -> tuple[jax.Array, jax.Array]:
        """As the view of that name."""
        return self._best

    def lots_from(self, side: Side, anchor: jax.Array, count: int, width: int) -> jax.Array:
        """As the view of that name; `width` is a power of two of at most 64."""
        slots, price = self._slots[side], self.price[side]
        place = (anchor - price if side == Side.BID else price - anchor) - 1
        near = (place >= 0) & (place < count)
        place, lots = jnp.where(near, place, 0), jnp.where(near, slots.size, 0)
        few = jnp.sum(jnp.minimum(lots, _FIELD), dtype=jnp.int32) < _FIELD
        packed, plain = (partial(sums, count=count, width=width) for sums in (_packed_sums, _sums))
        return jax.lax.cond(few, packed, plain, place, lots)


def _packed_sums(place: jax.Array, lots: jax.Array, *, count: int, width: int) -> jax.Array:
    """Sums of lots by place 0 to count - 1, three to a word and so to a reduction; all lots together are fewer than `_FIELD`."""
    word = _third(place)
    lots = lots << (_FIELD_BITS * (place - 3 * word))
    level = slot_index(width)
    level_word, sums = _third(level), jnp.zeros((width,), jnp.int32)
    for at in range(-(-count // 3)):
        total = jnp.sum(jnp.where(word == at, lots, 0), dtype=jnp.int32)
        sums = jnp.where(level_word == at, total, sums)
    return (sums >> (_FIELD_BITS * (level - 3 * level_word))) & (_FIELD - 1)


def _sums(place: jax.Array, lots: jax.Array, *, count: int, width: int) -> jax.Array:
    """The same of any lots, a reduction for each place."""

    def one(at: jax.Array, sums: jax.Array) -> jax.Array:
        there = jnp.sum(jnp.where(place == at, lots, 0), dtype=jnp.int32)
        return jnp.where(slot_index(width) == at, there, sums)

    return jax.lax.fori_loop(np.int32(0), np.int32(count), one, jnp.zeros((width,), jnp.int32))


def _third(place: jax.Array) -> jax.Array:
    """place // 3, for 0 to 63, without a division."""
    return (place * 43) >> 7
