"""Running mean and variance of observations, and normalisation by them."""

import jax
import jax.numpy as jnp
from flax import struct

CLIP = 10.0


@struct.dataclass
class Statistics:
    """Count, mean and variance of all observations so far (Chan, Golub and LeVeque's merge of two samples)."""

    count: jax.Array  # f32[]
    mean: jax.Array  # f32[D]
    variance: jax.Array  # f32[D]


def unit_statistics(size: int) -> Statistics:
    """Mean 0 and variance 1 from no observation at all: the identity, up to clipping."""
    return Statistics(
        count=jnp.zeros((), jnp.float32), mean=jnp.zeros(size, jnp.float32), variance=jnp.ones(size, jnp.float32)
    )


def merge(old: Statistics, new: Statistics) -> Statistics:
    """The statistics of both samples together."""
    count = old.count + new.count
    share = new.count / count
    shift = new.mean - old.mean
    variance = old.variance + (new.variance - old.variance) * share + shift**2 * share * (1 - share)
    return Statistics(count=count, mean=old.mean + shift * share, variance=variance)


def normalise(statistics: Statistics, observation: jax.Array) -> jax.Array:
    """`observation` f32[..., D] at mean 0 and variance 1, clipped to +-10; a component that never varied stays near 0."""
    lead = (None,) * (observation.ndim - 1)
    scaled = (observation - statistics.mean[lead]) * jax.lax.rsqrt(statistics.variance + 1e-6)[lead]
    return jnp.clip(scaled, -CLIP, CLIP)
