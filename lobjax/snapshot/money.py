"""Sums and multiples of integers of two limbs (`lobjax.wide`), as money needs them."""

import jax
import jax.numpy as jnp

from lobjax.wide import LIMB, LIMB_BITS, Wide, add, minus, product, wide

_HALF_BITS = LIMB_BITS // 2
_HALF = (1 << _HALF_BITS) - 1


def total(amounts: Wide) -> Wide:
    """The exact sum over the last axis, of fewer than 2^15 amounts, where it stays below 2^61."""
    upper = jnp.sum(amounts.low >> _HALF_BITS, axis=-1, dtype=jnp.int32)
    lower = jnp.sum(amounts.low & _HALF, axis=-1, dtype=jnp.int32)
    high = jnp.sum(amounts.high, axis=-1, dtype=jnp.int32) + (upper >> _HALF_BITS)
    return add(Wide(high, (upper & _HALF) << _HALF_BITS), lower)


def times(amount: Wide, factor: jax.Array | int) -> Wide:
    """amount * factor exactly, for an int32 factor, where it stays below 2^61."""
    factor = jnp.asarray(factor, jnp.int32)
    low = product(amount.low, jnp.broadcast_to(factor, amount.low.shape))
    return Wide(amount.high * factor + low.high, low.low)


def negative(amount: Wide) -> Wide:
    """-amount."""
    return minus(wide(amount.low.shape), amount)


def choose(condition: jax.Array, a: Wide, b: Wide) -> Wide:
    """a where the condition holds, else b."""
    return Wide(jnp.where(condition, a.high, b.high), jnp.where(condition, a.low, b.low))


def is_positive(amount: Wide) -> jax.Array:
    """Whether amount > 0."""
    return (amount.high > 0) | (amount.high == 0) & (amount.low > 0)


def from_int(value: int) -> Wide:
    """A Python integer below 2^61."""
    high, low = divmod(value, LIMB)
    return Wide(jnp.int32(high), jnp.int32(low))
