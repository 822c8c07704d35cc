"""Time as two int32 numbers, seconds and nanoseconds, so that a day of nanoseconds fits and no engine needs 64 bits."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

NS = 1_000_000_000


class Time(NamedTuple):
    """A moment or a duration: whole seconds (may be negative) and 0 <= ns < 1e9; int32 scalars or arrays of one shape."""

    s: jax.Array
    ns: jax.Array


def from_seconds(seconds: float) -> Time:
    """A host number in seconds as a Time, rounded to the nanosecond."""
    s, ns = divmod(round(seconds * NS), NS)
    return Time(jnp.int32(s), jnp.int32(ns))


def to_seconds(time: Time) -> jax.Array:
    """float32 seconds; good for features and figures, not for ordering."""
    return time.s.astype(jnp.float32) + time.ns.astype(jnp.float32) * jnp.float32(1e-9)


def plus(a: Time, b: Time) -> Time:
    """a + b."""
    ns = a.ns + b.ns  # at most 2e9 - 2, inside int32
    carry = ns >= NS
    return Time(a.s + b.s + carry.astype(jnp.int32), jnp.where(carry, ns - NS, ns))


def minus(a: Time, b: Time) -> Time:
    """a - b."""
    ns = a.ns - b.ns
    borrow = ns < 0
    return Time(a.s - b.s - borrow.astype(jnp.int32), jnp.where(borrow, ns + NS, ns))


def before(a: Time, b: Time) -> jax.Array:
    """Whether a < b."""
    return (a.s < b.s) | (a.s == b.s) & (a.ns < b.ns)


def at_or_before(a: Time, b: Time) -> jax.Array:
    """Whether a <= b."""
    return ~before(b, a)


def choose(condition: jax.Array, a: Time, b: Time) -> Time:
    """a where the condition holds, else b."""
    return Time(jnp.where(condition, a.s, b.s), jnp.where(condition, a.ns, b.ns))


def never(shape: tuple[int, ...] = ()) -> Time:
    """A time later than any other."""
    return Time(jnp.full(shape, 2**31 - 1, jnp.int32), jnp.zeros(shape, jnp.int32))
