"""Integers wider than a device's int32, in two limbs: what a day of cash or a random product needs, without 64-bit types.

A `Wide` is `high * 2^30 + low` with 0 <= low < 2^30: 61 bits and a sign.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LIMB_BITS = 30
LIMB = 1 << LIMB_BITS


class Wide(NamedTuple):
    """`high * 2^30 + low`; int32 scalars or arrays of one shape."""

    high: jax.Array
    low: jax.Array


def wide(shape: tuple[int, ...] = ()) -> Wide:
    """Zeros."""
    return Wide(jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.int32))


def high_product(a: jax.Array, b: jax.Array) -> jax.Array:
    """The upper 32 bits of the product of two uint32: `floor(a * b / 2^32)`; with a random `a`, uniform on 0..b-1."""
    low = jnp.uint32(0xFFFF)
    a_low, a_high, b_low, b_high = a & low, a >> 16, b & low, b >> 16
    first = a_high * b_low + ((a_low * b_low) >> 16)
    second = a_low * b_high + (first & low)
    return a_high * b_high + (first >> 16) + (second >> 16)


def product(a: jax.Array, b: jax.Array) -> Wide:
    """a * b exactly, for int32 a and b above -2^31."""
    x, y = jnp.abs(a).astype(jnp.uint32), jnp.abs(b).astype(jnp.uint32)
    upper, lower = high_product(x, y), x * y
    high = ((upper << 2) | (lower >> LIMB_BITS)).astype(jnp.int32)
    low = (lower & jnp.uint32(LIMB - 1)).astype(jnp.int32)
    negative = (a < 0) != (b < 0)
    return Wide(
        jnp.where(negative, -high - (low > 0).astype(jnp.int32), high), jnp.where(negative & (low > 0), LIMB - low, low)
    )


def add(total: Wide, amount: jax.Array) -> Wide:
    """total + amount, for int32 |amount| <= 2^30."""
    low = total.low + amount  # below 2^31
    return Wide(total.high + (low >> LIMB_BITS), low & (LIMB - 1))


def plus(a: Wide, b: Wide) -> Wide:
    """a + b."""
    low = a.low + b.low
    return Wide(a.high + b.high + (low >> LIMB_BITS), low & (LIMB - 1))


def minus(a: Wide, b: Wide) -> Wide:
    """a - b."""
    low = a.low - b.low
    return Wide(a.high - b.high + (low >> LIMB_BITS), low & (LIMB - 1))


def to_float(total: Wide) -> jax.Array:
    """The nearest float32, or the one beside it; exact below 2^24. For rewards, which are differences over a step, not for accounts."""
    over = (
        total.low >= LIMB // 2
    )  # a small negative number is high = -1 and a large low: take the remainder nearest zero
    high = total.high + over.astype(jnp.int32)
    low = jnp.where(over, total.low - LIMB, total.low)
    return high.astype(jnp.float32) * jnp.float32(LIMB) + low.astype(jnp.float32)


def to_int(total: Wide) -> np.ndarray:
    """The exact value on the host, int64."""
    return np.asarray(total.high, np.int64) * LIMB + np.asarray(total.low, np.int64)
