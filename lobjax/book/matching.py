"""What an incoming order does to the side it meets, all resting orders at once.

With the slots in order of priority a sweep is a prefix sum: an order with `ahead` lots before it gives
`clip(qty - ahead, 0, size)`. No loop, so the cost is the same for one fill or for fifty, and a batch never waits for its slowest book.
Where there is nothing to take every sum is 0, and a book that runs alone does not add.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.book.sides import Slots
from lobjax.types import INT32_MAX


def lots_before(lots: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Exclusive prefix sum of non-negative int32 lots `[N]`, and the total, both saturating at 2^31 - 1.

    Saturation is exact enough here: sums are only ever compared with, or subtracted from, one int32 quantity.
    """
    limit = jnp.uint32(INT32_MAX)
    inclusive = jax.lax.associative_scan(lambda a, b: jnp.minimum(a + b, limit), lots.astype(jnp.uint32)).astype(
        jnp.int32
    )
    return jnp.concatenate([jnp.zeros((1,), jnp.int32), inclusive[:-1]]), inclusive[-1]


class Sweep(NamedTuple):
    """What a sweep took, by slot."""

    fill: jax.Array  # int32 [N] lots traded, on the other side
    stp: jax.Array  # bool [N] own resting orders on the other side that the sweep reached and cancelled
    reduced: jax.Array  # int32 [N] lots that a REDUCE took off its owner's orders, on the own side
    traded: jax.Array  # int32 lots, the sum of fill
    unfillable: jax.Array  # bool: a fill-or-kill that could not be filled, and so did nothing


def sweep(
    crosses: jax.Array,
    other: Slots,
    reducible: jax.Array,
    qty: jax.Array,
    taker: jax.Array,
    *,
    fok: jax.Array,
    reduce: jax.Array,
) -> Sweep:
    """Take `qty` lots (int32, 0 for none) for owner `taker` from the other side, or for a REDUCE from the own side.

    crosses: bool [N], live slots of `other` whose price the order meets; reducible: int32 [N], lots of the own side that a REDUCE
    may take. Own orders (taker >= 1) never trade: those reached while lots are left are marked for cancellation.
    A REDUCE is a sweep of the owner's orders newest first, so one prefix sum serves both.
    """
    mine = crosses & (other.owner == taker) & (taker >= 1)
    available = jnp.where(crosses & ~mine, other.size, 0)
    queue = jnp.where(reduce, reducible[::-1], available)
    ahead, total = jax.lax.cond((qty > 0) & jnp.any(queue > 0), lots_before, _nothing_before, queue)
    unfillable = fok & (total < qty)
    qty = jnp.where(unfillable, 0, qty)
    taken = jnp.clip(qty - ahead, 0, queue)
    return Sweep(
        fill=jnp.where(reduce, 0, taken),
        stp=mine & (ahead < qty) & ~reduce,
        reduced=jnp.where(reduce, taken, 0)[::-1],
        traded=jnp.where(reduce, 0, jnp.minimum(qty, total)),
        unfillable=unfillable,
    )


def _nothing_before(lots: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.zeros_like(lots), jnp.int32(0)
