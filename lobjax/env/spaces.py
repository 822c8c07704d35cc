"""Action spaces: what an environment accepts."""

from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp

from lobjax.settings import drawing, key_of, narrowed


@dataclass(frozen=True)
class Simplex:
    """Shares of a whole: f32[n], none negative, summing to 1."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ValueError(f"a simplex of {self.n} parts leaves nothing to choose; n must be 2 or more")

    @drawing
    def sample(self, key: jax.Array) -> jax.Array:
        """A uniform point of the simplex."""
        waits = jax.random.exponential(key, (self.n,), jnp.float32)
        return waits / waits.sum()

    def contains(self, x: jax.Array) -> jax.Array:
        """Whether `x` f32[n] lies on the simplex, to single precision."""
        return jnp.all(x >= 0) & (jnp.abs(x.sum() - 1) < 1e-5)


@dataclass(frozen=True)
class Box:
    """Any finite numbers: f32[n]. Draws are uniform from -1 to 1."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"a box of {self.n} numbers leaves nothing to choose; n must be 1 or more")

    @drawing
    def sample(self, key: jax.Array) -> jax.Array:
        """Uniform in [-1, 1)^n."""
        return jax.random.uniform(key, (self.n,), jnp.float32, -1.0, 1.0)

    def contains(self, x: jax.Array) -> jax.Array:
        """Whether every number of `x` f32[n] is finite."""
        return jnp.isfinite(x).all()


@dataclass(frozen=True)
class MultiDiscrete:
    """Independent choices: int32[len(nvec)], the i-th in 0..nvec[i]-1."""

    nvec: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.nvec or min(self.nvec) < 1:
            raise ValueError(f"nvec is {self.nvec}; it needs at least one dimension, each with 1 choice or more")

    @drawing
    def sample(self, key: jax.Array) -> jax.Array:
        """A uniform choice in every dimension."""
        return jax.random.randint(key, (len(self.nvec),), 0, jnp.asarray(self.nvec, jnp.int32), jnp.int32)

    def contains(self, x: jax.Array) -> jax.Array:
        """Whether every choice in `x` int32[len(nvec)] exists."""
        return jnp.all((x >= 0) & (x < jnp.asarray(self.nvec, jnp.int32)))


def as_action(space: Any, action: Any) -> jax.Array:
    """One action as an array of 32 bits. AssertionError, while it is traced, where it has not the shape of the space's, or is of floats
    where choices are meant."""
    wanted, action = jax.eval_shape(space.sample, key_of(0)), jnp.asarray(narrowed(action))
    chex.assert_shape(action, wanted.shape, custom_message=f"an action in {space}")
    if jnp.issubdtype(wanted.dtype, jnp.integer):
        chex.assert_type(action, int)
    return action
