"""Seats without margin: no order leaves that could bring cash below zero, whatever fills.

A broker's check at the moment of the decision. Resting bids count at their prices, fees at the dearer of maker's and taker's, rounded up
to a tick a lot; orders that are taken off with the same decision still count. Market orders to buy become IOC at the worst price that
the depth shows, so that their cost is bounded.
"""

import jax
import jax.numpy as jnp

from lobjax.arena.wealth import MILLI
from lobjax.kinds import KNOWN, Kind, Trait, has, is_known, mask
from lobjax.market import MarketParams, MarketState
from lobjax.types import Message, Side
from lobjax.wide import Wide, minus, plus, product

_BUYS = KNOWN & ~mask(Trait.NEVER_ADDS)
_MOST = (1 << 30) - 1


def budget(available: Wide, markets: MarketState, account: jax.Array) -> jax.Array:
    """Ticks x lots that may still be spent, int32, at most 2^30 - 1. available: capital and cash after fees, in milliticks x lots."""
    price, size, owner = (field[:, Side.BID] for field in (markets.book.price, markets.book.size, markets.book.owner))
    mine = jnp.where(owner == account, size, 0)
    tied = product(mine, price)
    low = jnp.sum(tied.low >> 15, dtype=jnp.int32), jnp.sum(tied.low & 0x7FFF, dtype=jnp.int32)
    spent = plus(
        Wide(jnp.sum(tied.high, dtype=jnp.int32), jnp.int32(0)),
        plus(product(low[0], jnp.int32(1 << 15)), Wide(jnp.int32(0), low[1])),
    )
    left = minus(_over_thousand(available), spent)
    return jnp.where(left.high < 0, 0, jnp.where(left.high > 0, _MOST, left.low))


def affordable(
    messages: Message, left: jax.Array, markets: MarketState, params: MarketParams, account: jax.Array
) -> Message:
    """Messages `[V, K]` of one seat, each buy cut to what `left` (int32, ticks x lots) pays for, venue after venue."""
    fees = jnp.maximum(jnp.maximum(params.fees.maker, params.fees.taker)[:, account], 0)  # [V]
    fee = (fees + MILLI - 1) // MILLI
    asks = markets.depth.price_ticks[:, Side.ASK]  # [V, L]
    worst = jnp.max(asks, axis=1)

    def one(left: jax.Array, item: tuple[Message, jax.Array, jax.Array]) -> tuple[jax.Array, Message]:
        message, fee, worst = item
        buys = has(message.kind, _BUYS) & is_known(message.kind) & (message.side == Side.BID) & (message.size > 0)
        at_market = buys & (message.kind == Kind.MARKET)
        price = jnp.where(at_market, worst, message.price)
        each = jnp.maximum(price, 1) + fee
        size = jnp.where(buys, jnp.minimum(message.size, left // each), message.size)
        nothing = buys & ((size <= 0) | (price <= 0))
        kind = jnp.where(nothing, Kind.NOOP, jnp.where(at_market, Kind.IOC, message.kind))
        left -= jnp.where(buys & ~nothing, size * each, 0)
        return left, message._replace(
            kind=kind, price=jnp.where(at_market, price, message.price), size=jnp.where(nothing, 0, size)
        )

    width = messages.kind.shape[1]
    rows = jax.tree.map(lambda x: x.reshape(-1), messages)
    _, cut = jax.lax.scan(one, left, (rows, jnp.repeat(fee, width), jnp.repeat(worst, width)))
    return jax.tree.map(lambda x: x.reshape(messages.kind.shape), cut)


def _over_thousand(amount: Wide) -> Wide:
    """Divided by a thousand, rounded down."""
    high, rest = amount.high // MILLI, amount.high % MILLI
    # rest * 2^30 + low, below 1000 * 2^30: long division by ten bits a digit.
    low = jnp.int32(0)
    for shift in (20, 10, 0):
        rest = (rest << 10) | ((amount.low >> shift) & 1023)
        low = (low << 10) | (rest // MILLI)
        rest = rest % MILLI
    return Wide(high, low)
