"""What seats are worth: exact sums over venues of cash, inventory at mid and fees, per account."""

import jax
import jax.numpy as jnp

from lobjax.env.views import mid2_ticks
from lobjax.market import MarketState
from lobjax.wide import LIMB_BITS, Wide, minus, plus, product, to_float

MILLI = 1000


def wealth(markets: MarketState, accounts: jax.Array) -> Wide:
    """What the accounts gained, in 2^-1 milliticks x lots, `[A]`: cash and inventory at the mid of each venue, less fees, summed.

    markets: `[V]`; accounts: int32 `[A]`. Exact up to 2^50 ticks x lots.
    """
    worth2, fees = _by_venue(markets, accounts)
    total = thousand(worth2)
    return minus(minus(total, fees), fees)


def inventory(markets: MarketState, accounts: jax.Array) -> jax.Array:
    """Net lots int32 `[V, A]`."""
    return markets.accounts.lots[:, accounts]


def cash(markets: MarketState, accounts: jax.Array) -> Wide:
    """Cash after fees, summed over venues, in milliticks x lots, `[A]`."""
    rows = jax.tree.map(lambda x: x[:, accounts], (markets.accounts.cash, markets.accounts.fees))
    received, fees = (_sum(wide) for wide in rows)
    return minus(thousand(received), fees)


def from_host(amount: int) -> Wide:
    """A host integer."""
    return Wide(jnp.int32(amount >> LIMB_BITS), jnp.int32(amount & ((1 << LIMB_BITS) - 1)))


def ticks(amount: Wide, unit: float) -> jax.Array:
    """float32 ticks x lots of an amount in `unit` ticks."""
    return to_float(amount) * jnp.float32(unit)


def _by_venue(markets: MarketState, accounts: jax.Array) -> tuple[Wide, Wide]:
    def one(market: MarketState) -> tuple[Wide, Wide]:
        held = jax.tree.map(lambda x: x[accounts], market.accounts.cash)
        lots = market.accounts.lots[accounts]
        stock2 = product(lots, jnp.broadcast_to(mid2_ticks(market), lots.shape))
        return plus(plus(held, held), stock2), jax.tree.map(lambda x: x[accounts], market.accounts.fees)

    worth2, fees = jax.vmap(one)(markets)
    return _sum(worth2), _sum(fees)


def _sum(rows: Wide) -> Wide:
    """Over the first axis."""
    total = jax.tree.map(lambda x: x[0], rows)
    for row in range(1, rows.high.shape[0]):
        total = plus(total, jax.tree.map(lambda x, row=row: x[row], rows))
    return total


def thousand(amount: Wide) -> Wide:
    """A thousand times as much: ticks to milliticks."""
    low = product(amount.low, jnp.full_like(amount.low, MILLI))
    return Wide(amount.high * MILLI + low.high, low.low)


def is_below(one: Wide, other: Wide) -> jax.Array:
    """Whether one < other."""
    return minus(one, other).high < 0
