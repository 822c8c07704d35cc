"""What a signed size gets from the visible book: pure, for one book, in exact integers.

A side is int32 `[levels, 2]` (price in ticks, size in lots), best first, a size of 0 where there is no level. What a trade takes is
not missing from the next snapshot: the record goes on as it was, and nobody in it answers.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.snapshot.money import choose, negative, total
from lobjax.wide import Wide, plus, product, wide


class Fill(NamedTuple):
    """What one snapshot gave. Signed: bought lots are positive and their cash negative."""

    cash: Wide  # ticks x lots, before fees
    filled: jax.Array  # int32
    leftover: jax.Array  # int32, filled + leftover is what was asked for


class Trade(NamedTuple):
    """What an order got on the snapshots that it was worked on."""

    cash: Wide
    filled: jax.Array
    leftover: jax.Array
    snapshots: jax.Array  # int32, snapshots that it was worked on


def find_fill_price(side: jax.Array, size: jax.Array) -> Fill:
    """Sweep one side for `size` lots, |size| <= 2^30: the asks where it is positive, the bids where it is negative.

    No price is too bad; what the visible levels do not hold is left over. Exact within `lobjax.snapshot.bounds`.
    """
    price, lots = side[:, 0], side[:, 1]
    ahead = jnp.cumsum(lots, dtype=jnp.int32) - lots
    taken = jnp.clip(jnp.abs(size) - ahead, 0, lots)
    filled = jnp.sign(size) * jnp.sum(taken, dtype=jnp.int32)
    paid = total(product(price, taken))
    return Fill(choose(size > 0, negative(paid), paid), filled, size - filled)


def fill(bids: jax.Array, asks: jax.Array, size: jax.Array) -> Fill:
    """`find_fill_price` on the side that a signed size trades with."""
    return find_fill_price(jnp.where(size > 0, asks, bids), size)


def execute_trade(
    bids: jax.Array, asks: jax.Array, row: jax.Array, size: jax.Array, patience: int, last: jax.Array
) -> Trade:
    """Trade `size` lots on snapshot `row` of a day `[T, levels, 2]` a side; what is left over goes on at up to `patience` further ones.

    Never beyond snapshot `last`, which ends the day. The fee is not in `cash`: it is due on `filled` (`account.settled`).
    """

    def look(trade: Trade, k: jax.Array) -> tuple[Trade, None]:
        at = row + k
        works = (trade.leftover != 0) & (at <= last)
        got = fill(bids[at], asks[at], jnp.where(works, trade.leftover, 0))
        filled, snapshots = trade.filled + got.filled, trade.snapshots + works.astype(jnp.int32)
        return Trade(plus(trade.cash, got.cash), filled, size - filled, snapshots), None

    blank = Trade(wide(), jnp.int32(0), jnp.asarray(size, jnp.int32), jnp.int32(0))
    return jax.lax.scan(look, blank, jnp.arange(patience + 1, dtype=jnp.int32))[0]
