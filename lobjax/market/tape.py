"""The tape of one step: what was sent and traded since the last decision, summed while the messages go by."""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.kinds import Kind, Trait, has, is_known, mask
from lobjax.types import Fills, Message, Side

RESTS, ONLY_TAKES = mask(Trait.RESTS), mask(Trait.TAKES, without=Trait.RESTS)


class Tape(flax.struct.PyTreeNode):
    """Sums over one step; lots are int32 `[2]` by side of the sender (0 buys)."""

    messages: jax.Array  # int32 scalar
    market_lots: jax.Array  # submitted by orders that cannot rest (MARKET, IOC, FOK)
    limit_lots: jax.Array  # submitted by orders that can (LIMIT, POST_ONLY, REPLACE)
    traded_lots: jax.Array  # executed, by side of the taker
    closing_lots: jax.Array  # the part of traded_lots that closing messages executed
    last_price_ticks: jax.Array  # int32, of the last fill; 0 before the first
    opening_mid2_ticks: jax.Array  # int32, twice the mid when the step began
    flow_mid2_ticks: (
        jax.Array
    )  # int32, twice the mid just before the flow's first message (after what agents sent at once); 0 before it


def blank_tape(mid2_ticks: jax.Array) -> Tape:
    """The tape at the beginning of a step."""
    zero, pair = jnp.int32(0), jnp.zeros((2,), jnp.int32)
    return Tape(zero, pair, pair, pair, pair, zero, mid2_ticks, zero)


def last_price(fills: Fills) -> jax.Array:
    """The price of the last of a message's fills `[N]`, int32; 0 if there is none."""
    last = jnp.max(jnp.where(fills.lots > 0, jnp.arange(1, fills.lots.shape[0] + 1, dtype=jnp.int32), 0))
    return jnp.where(last > 0, fills.price[jnp.maximum(last - 1, 0)], 0)


def record(
    tape: Tape,
    message: Message,
    traded: jax.Array,
    price: jax.Array,
    mid2_ticks: jax.Array,
    *,
    flow_begins: jax.Array,
    closing: bool | jax.Array,
) -> Tape:
    """Add one message, the lots that it traded and its last price. mid2_ticks: twice the mid before it.

    `flow_begins` where it is the flow's first of the step, `closing` where the venue sent it as the step ended.
    """
    kind = message.kind
    known = is_known(kind)
    side = jax.lax.broadcasted_iota(jnp.int32, (len(Side),), 0) == message.side
    size = jnp.where(side, message.size, 0)
    traded = jnp.where(side, traded, 0)
    return tape.replace(
        messages=tape.messages + (kind != Kind.NOOP).astype(jnp.int32),
        market_lots=tape.market_lots + jnp.where(known & has(kind, ONLY_TAKES), size, 0),
        limit_lots=tape.limit_lots + jnp.where(known & has(kind, RESTS), size, 0),
        traded_lots=tape.traded_lots + traded,
        closing_lots=tape.closing_lots + jnp.where(closing, traded, 0),
        last_price_ticks=jnp.where(price > 0, price, tape.last_price_ticks),
        flow_mid2_ticks=jnp.where(flow_begins, mid2_ticks, tape.flow_mid2_ticks),
    )
