"""A market of messages from moment to moment with nobody who decides: warm-ups, market statistics, samples between two decisions.

Where somebody decides at every moment, `lobjax.playing` is the loop.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.clock import Time
from lobjax.kinds import Kind
from lobjax.market import Market, MarketParams, MarketState, Orders
from lobjax.settings import settled

Record = Callable[..., Any]


@settled
def unattended(
    market: Market,
    keys: jax.Array,
    state: MarketState,
    orders: Orders,
    params: MarketParams,
    *,
    until: Time | None = None,
    lasts: Time | None = None,
    record: Record = lambda before, after: None,
    also: tuple[Any, ...] = (),
) -> tuple[MarketState, Any]:
    """Step one market T times, with `keys` `[T]`: to the moments `until` `[T]`, or each time for as long as `lasts` `[T]` says.

    `orders.sent` go out at the beginning and `orders.closing` are applied at the end; in between nothing is sent. Returns the last state
    and what `record(before, after, *also[t])` saw of each step, stacked `[T, ...]`; leaves of `also` lead with `[T]`.
    """
    if (until is None) == (lasts is None):
        raise ValueError("say either until when each step goes or how long it lasts")
    count = keys.shape[0]

    def one(before: MarketState, now: tuple[Any, ...]) -> tuple[MarketState, Any]:
        part, key, moment, length, seen_too = now
        end = moment if length is None else clock.plus(before.now, length)
        sent = orders.sent._replace(kind=jnp.where(part == 0, orders.sent.kind, jnp.int32(Kind.NOOP)))
        closing = orders.closing._replace(kind=jnp.where(part == count - 1, orders.closing.kind, jnp.int32(Kind.NOOP)))
        after = market.step(key, before, Orders(sent, closing), end, params)
        return after, record(before, after, *seen_too)

    return jax.lax.scan(one, state, (jnp.arange(count, dtype=jnp.int32), keys, until, lasts, also))
