"""What drives a Poisson market from outside: informed traders who know the fundamental value, and events that scale market orders.

Informed traders buy at `rate` times the half ticks by which the value is more than `threshold` beyond the mid, up to `cap` half ticks,
and sell where it is below; their sizes are the noise trader's. Events multiply the rate of market orders of each side and the size of
all market orders. Integer arithmetic, as everywhere in flows. An arena writes these numbers anew at every decision; the value stays in
between.
"""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.flow.fixed import FRACTION_BITS, MAX_TOTAL_RATE, times
from lobjax.types import Side

ONE = 1 << FRACTION_BITS
MOST_GAP2 = (1 << 20) - 1  # half ticks


class DrivenParams(flax.struct.PyTreeNode):
    """The numbers on the device; multipliers are in 2^-16."""

    push: jax.Array  # uint32 [2], rates of market orders that buy and that sell, times this
    size: jax.Array  # uint32, sizes of market orders, times this; at least one lot
    value2: jax.Array  # int32, the fundamental value in half ticks
    threshold2: jax.Array  # int32, half ticks that keep informed traders out
    cap2: jax.Array  # int32, half ticks beyond the threshold that count at most
    rate: jax.Array  # uint32, of informed market orders for each half tick, in 2^-18 per second


def nothing_driven() -> DrivenParams:
    """Multipliers of one, and nobody informed: the market as it is without."""
    one, zero = jnp.uint32(ONE), jnp.int32(0)
    return DrivenParams(jnp.full((2,), one), one, zero, zero, zero, jnp.uint32(0))


def driven_rate(rate: jax.Array, side: Side, mid2_ticks: jax.Array, params: DrivenParams) -> jax.Array:
    """The rate of market orders of one side, uint32, from what it is without (uint32, below 2^24)."""
    beyond = params.value2[...] - mid2_ticks
    gap2 = (beyond if side == Side.BID else -beyond) - params.threshold2[...]
    each = params.rate[...]
    most = jnp.uint32(MAX_TOTAL_RATE) // jnp.maximum(each, 1)
    excess2 = jnp.minimum(jnp.clip(gap2, 0, params.cap2[...]).astype(jnp.uint32), most)
    return times(jnp.minimum(rate, MAX_TOTAL_RATE), params.push[int(side)]) + each * excess2


def driven_size(size: jax.Array, params: DrivenParams) -> jax.Array:
    """The size of a market order, int32, from what it is without (below 2^11)."""
    return jnp.maximum((size.astype(jnp.uint32) * params.size[...]) >> FRACTION_BITS, 1).astype(jnp.int32)
