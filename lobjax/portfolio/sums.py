"""Sums in one stated order: XLA adds up a row of a batch in another order than a row alone, which would differ in the last bit."""

import jax
import jax.numpy as jnp


def total(values: jax.Array) -> jax.Array:
    """The sum of `values` [n], by halves."""
    while values.shape[0] > 1:
        half = (values.shape[0] + 1) // 2
        rest = values[half:]
        values = values[:half] + jnp.pad(rest, (0, half - rest.shape[0]))
    return values[0]
