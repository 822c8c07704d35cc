"""What an agent sees of a market: features that do not depend on the price level or the currency, float32.

Features are products with constants that the host divided once: XLA turns a division by a shared number into a product where it
sees a batch, and not where it does not, so dividing here would make a batch differ from its members in the last bit.
"""

import jax
import jax.numpy as jnp

from lobjax.book import best_prices
from lobjax.kinds import Trait, has, mask
from lobjax.market import MarketState
from lobjax.types import INT32_MAX

_TAKES_OR_RESTS = mask(Trait.TAKES) | mask(Trait.RESTS)

# The market's part of every observation, for L depth levels.


def market_names(levels: int) -> tuple[str, ...]:
    """Names of the entries of `market_features`."""
    pairs = [f"{side}_{what}_{level}" for what in ("lots", "gap") for side in ("bid", "ask") for level in range(levels)]
    return (
        "spread", "best_imbalance", "depth_imbalance", "market_order_imbalance", "limit_order_imbalance", "trade_imbalance", "mid_change",
        *pairs,
    )  # fmt: skip


def market_features(market: MarketState, per_tick: jax.Array) -> jax.Array:
    """Spread, imbalances, the last step's flow and mid change, and depth by level: float32 `[7 + 4 L]`.

    Price distances are multiplied by `per_tick`, lots are log(1 + lots); a ratio without a denominator is 0.
    """
    bid, ask = best_prices(market.book)
    both = (bid > 0) & (ask > 0)
    lots = market.depth.size_lots.astype(jnp.float32)  # [2, L]
    price = market.depth.price_ticks
    inner = jnp.stack([bid, ask])[:, None]
    gap = jnp.where(price > 0, jnp.abs(price - inner).astype(jnp.float32), 0) * per_tick
    mid_change = (mid2_ticks(market) - market.tape.opening_mid2_ticks).astype(jnp.float32) * (0.5 * per_tick)
    spread = jnp.where(both, (ask - bid).astype(jnp.float32), 0) * per_tick
    first = [
        spread,
        imbalance(lots[:, 0]),
        imbalance(lots.sum(1)),
        imbalance(market.tape.market_lots.astype(jnp.float32)),
        imbalance(market.tape.limit_lots.astype(jnp.float32)),
        imbalance(market.tape.traded_lots.astype(jnp.float32)),
        mid_change,
    ]
    return jnp.concatenate([jnp.stack(first), jnp.log1p(lots).reshape(-1), gap.reshape(-1)])


def best_of_others(market: MarketState, owner: int | jax.Array) -> tuple[jax.Array, jax.Array]:
    """Best bid and ask without an account's own orders, so that it never measures its quotes against themselves.

    A side that is empty is taken to be a tick from the other one.
    """
    others = market.book.replace(size=jnp.where(market.book.owner == owner, 0, market.book.size))
    bid, ask = best_prices(others)
    return jnp.where(bid > 0, bid, jnp.maximum(ask - 1, 1)), jnp.where(ask > 0, ask, bid + 1)


def mid2_ticks(market: MarketState) -> jax.Array:
    """Twice the mid of the depth snapshot: as `lobjax.book.mid2`, without looking through the book again."""
    bid, ask = market.depth.price_ticks[0, 0], market.depth.price_ticks[1, 0]
    return jnp.where(bid == 0, ask, bid) + jnp.where(ask == 0, bid, ask)


def resting_lots(market: MarketState, side: jax.Array, owner: int | jax.Array) -> jax.Array:
    """Lots that an account has resting on one side, int32."""
    size, owners = market.book.size, market.book.owner
    return jnp.sum(jnp.where(owners[side] == owner, size[side], 0), dtype=jnp.int32)


def queue_ahead(market: MarketState, side: jax.Array, prices: jax.Array, owner: int | jax.Array) -> jax.Array:
    """Lots before an account's first order at each of `prices` `[L]`, int32 `[L]`; 0 where it has none."""
    book = market.book
    price, size, owners, rank = book.price[side], book.size[side], book.owner[side], book.rank[side]
    at = (price[None] == prices[:, None]) & (size > 0)[None]
    mine = at & (owners == owner)[None]
    first = jnp.min(jnp.where(mine, rank[None], INT32_MAX), axis=1, keepdims=True)
    ahead = jnp.sum(jnp.where(at & (rank[None] < first), size[None], 0), axis=1, dtype=jnp.int32)
    return jnp.where(mine.any(1), ahead, 0)


def lots_in_flight(market: MarketState, owner: int | jax.Array) -> jax.Array:
    """Lots of an account's new orders that are still on the wire, int32."""
    queue = market.in_flight
    kind = queue.message.kind
    opens = has(kind, _TAKES_OR_RESTS)
    waiting = (jnp.arange(kind.shape[0], dtype=jnp.int32) >= queue.head) & opens & (queue.message.owner == owner)
    return jnp.sum(jnp.where(waiting, queue.message.size, 0), dtype=jnp.int32)


def imbalance(pair: jax.Array) -> jax.Array:
    """(a - b) / (a + b) of a pair of lots, float32; 0 where both are 0."""
    total = pair.sum()
    return jnp.where(total > 0, (pair[0] - pair[1]) / jnp.maximum(total, 1), 0.0)
