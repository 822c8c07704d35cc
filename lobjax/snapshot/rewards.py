"""Looking ahead and holding on: weighted future rewards, and what buy-and-hold and sell-and-hold are worth. Pure, for one account.

`future_reward` reads snapshots that come after the trade. It is a target to train on and nothing else: no figure of an evaluation may
contain it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.snapshot.account import Account, Costs, liquidation_value, opened, settled
from lobjax.snapshot.fills import fill
from lobjax.snapshot.money import is_positive
from lobjax.wide import Wide, minus, to_float


def relative_values(
    before: Account, after: Account, bids: jax.Array, asks: jax.Array, costs: Costs
) -> tuple[Wide, Wide]:
    """At one snapshot: what the trade from `before` to `after` changed in liquidation value, and the value without it (10^-4)."""
    without = liquidation_value(before, bids, asks, costs)
    return minus(liquidation_value(after, bids, asks, costs), without), without


def future_reward(
    before: Account,
    after: Account,
    bids: jax.Array,
    asks: jax.Array,
    row: jax.Array,
    last: jax.Array,
    horizon: int,
    discount: jax.Array | float,
    costs: Costs,
) -> jax.Array:
    """sum over i = 1..n of discount^i f_i / n, float32: what a trade on snapshot `row` is worth in hindsight.

    f_i is how much larger the liquidation value is at snapshot row + i with the trade (`after`) than without it (`before`), as a share
    of the latter, nothing else being traded; so no trade is worth exactly 0. n is `horizon`, or what is left until `last`; 0 without any.
    Where the value without the trade is not positive, f_i is 0.
    """
    steps = jnp.arange(1, horizon + 1, dtype=jnp.int32)
    at = row + steps
    inside = at <= last

    def one(at: jax.Array) -> jax.Array:
        change, without = relative_values(before, after, bids[at], asks[at], costs)
        return jnp.where(is_positive(without), to_float(change) / jnp.maximum(to_float(without), 1), 0)

    relative = jax.vmap(one)(jnp.minimum(at, last))
    weights = jnp.where(inside, jnp.asarray(discount, jnp.float32) ** steps.astype(jnp.float32), 0)
    return jnp.sum(weights * relative) / jnp.maximum(jnp.sum(inside, dtype=jnp.int32), 1).astype(jnp.float32)


class _Held(NamedTuple):
    account: Account
    leftover: jax.Array


def hold_values(
    cash: Wide,
    bids: jax.Array,
    asks: jax.Array,
    row: jax.Array,
    size: jax.Array,
    patience: int,
    count: int,
    costs: Costs,
) -> Wide:
    """Buy (size > 0) or sell (size < 0) on snapshot `row`, hold, and be valued on each of `count` snapshots after it.

    Liquidation values `[count + 1]` in 10^-4 ticks x lots; the first is that of the cash alone. What is left over goes on at up to
    `patience` further snapshots. A day must have them all: row + count < T.
    """

    def one(held: _Held, k: jax.Array) -> tuple[_Held, Wide]:
        at = row + k
        got = fill(bids[at], asks[at], jnp.where(k <= patience, held.leftover, 0))
        account = settled(held.account, got.cash, got.filled, costs)
        held = _Held(account, held.leftover - got.filled)
        return held, liquidation_value(account, bids[at + 1], asks[at + 1], costs)

    start = _Held(opened(cash), jnp.asarray(size, jnp.int32))
    values = jax.lax.scan(one, start, jnp.arange(count, dtype=jnp.int32))[1]
    first = liquidation_value(start.account, bids[row], asks[row], costs)
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, values)
