"""A venue's safeguards: a band around a reference price, and a halt when the mid has come to its edge.

In the band: an order that could trade or rest beyond it on its aggressive side (a bid above, an ask below) is refused; one that takes any
price takes prices up to the edge instead, and what is left is discarded. Where the mid stands at the edge, or beyond, as a step ends,
the venue halts for so many steps: it refuses every kind that may add to a position, the flow's and its own closing orders too. When the
halt is over, the mid is the new reference. A market without safeguards keeps nothing and checks nothing.
"""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.kinds import KNOWN, Kind, Trait, has, is_known, mask
from lobjax.types import Message, Side

PRICED, ANY_PRICE = mask(Trait.PRICED), mask(Trait.ANY_PRICE)
HALTED = KNOWN & ~mask(
    Trait.NEVER_ADDS
)  # a kind that does not say that it never adds to a position is refused in a halt
MOST_BAND = 1 << 28  # ticks; the edges of a band around any reference are int32
MOST_REFERENCE2 = 1 << 30


class Safeguards(flax.struct.PyTreeNode):
    """The numbers of a venue's safeguards, int32 scalars."""

    band: jax.Array  # ticks from the reference to either edge, 1 to `MOST_BAND`
    halt: jax.Array  # steps that a halt lasts, 1 or more


class Halting(flax.struct.PyTreeNode):
    """Where a venue with safeguards stands, int32 scalars."""

    reference2: jax.Array  # twice the reference price in ticks; 0 while there has been no mid: then there is no band
    left: jax.Array  # steps that the halt goes on for, the next one included; 0 where the venue trades
    halts: jax.Array  # that began
    refused_by_band: jax.Array  # messages, of agents and of the flow
    refused_by_halt: jax.Array


def without_halts(safeguards: Safeguards) -> Safeguards:
    """The same with a band that nothing leaves."""
    return safeguards.replace(band=jnp.full_like(safeguards.band, MOST_BAND))


def open_halting(mid2: jax.Array) -> Halting:
    """A venue that trades, with the mid (doubled) as its reference."""
    zero = jnp.int32(0)
    return Halting(_reference2(zero, mid2), zero, zero, zero, zero)


def guard(halting: Halting, message: Message, safeguards: Safeguards) -> tuple[Halting, Message]:
    """What the venue lets through of a message (scalars), a NOOP where it is refused, and the count of that."""
    kind, price = message.kind, message.price
    buys, sells = message.side == Side.BID, message.side == Side.ASK
    checked = is_known(kind) & has(kind, HALTED)
    halted = checked & (halting.left > 0)
    banded = checked & (buys | sells) & (halting.reference2 > 0) & ~halted
    highest = (halting.reference2 >> 1) + safeguards.band
    lowest = jnp.maximum(((halting.reference2 + 1) >> 1) - safeguards.band, 1)
    # Logic, not a select of bools, which the kernel's compiler gets wrong.
    beyond = buys & (price > highest) | sells & (price > 0) & (price < lowest)
    refused = banded & has(kind, PRICED) & beyond
    at_edge = banded & has(kind, ANY_PRICE)
    kind = jnp.where(halted | refused, Kind.NOOP, jnp.where(at_edge, Kind.IOC, kind))
    price = jnp.where(at_edge, jnp.where(buys, highest, lowest), price)
    halting = halting.replace(
        refused_by_band=halting.refused_by_band + refused.astype(jnp.int32),
        refused_by_halt=halting.refused_by_halt + halted.astype(jnp.int32),
    )
    return halting, message._replace(kind=kind, price=price)


def end_step(halting: Halting, mid2: jax.Array, safeguards: Safeguards) -> Halting:
    """A step ended with this mid (doubled; 0 where the book is empty, which is no price to halt at)."""
    left = jnp.maximum(halting.left - 1, 0)
    resumes = (halting.left > 0) & (left == 0) | (halting.reference2 == 0)
    away = mid2 - halting.reference2
    apart = (mid2 > 0) & (halting.reference2 > 0) & (halting.left == 0)
    begins = apart & ((away >= 2 * safeguards.band) | (away <= -2 * safeguards.band))
    return halting.replace(
        reference2=jnp.where(resumes, _reference2(halting.reference2, mid2), halting.reference2),
        left=jnp.where(begins, safeguards.halt, left),
        halts=halting.halts + begins.astype(jnp.int32),
    )


def _reference2(before: jax.Array, mid2: jax.Array) -> jax.Array:
    return jnp.where(mid2 > 0, jnp.minimum(mid2, MOST_REFERENCE2), before)
