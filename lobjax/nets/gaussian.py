"""The diagonal normal under the heads that draw one, and the width it is given."""

from math import log, pi
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from lobjax.ranges import Length, Range

LOG_2PI = log(2 * pi)
Std = Annotated[float, Range(1e-6, 1e3)]
Mean = Annotated[tuple[Annotated[float, Range(-100.0, 100.0)], ...], Length(0, 4096)]  # where outputs start


class Gaussian(NamedTuple):
    """A diagonal normal: f32[..., m] both."""

    mean: jax.Array
    log_std: jax.Array


class Width(Protocol):
    """What a configuration says of the standard deviation; see `LogisticNormalConfig`."""

    @property
    def std(self) -> Literal["scheduled", "learned"]: ...

    @property
    def initial_std(self) -> float: ...

    @property
    def final_std(self) -> float: ...


def init_width(config: Width, m: int) -> Any:
    """Parameters of the standard deviation: none, or one logarithm for each of `m` dimensions."""
    if config.std == "scheduled":
        return ()
    return {"log_std": jnp.full((m,), log(config.initial_std), jnp.float32)}


def gaussian(config: Width, params: Any, mean: jax.Array, progress: jax.Array | float) -> Gaussian:
    """The normal around `mean` f32[..., m], as wide as `config` says after a fraction `progress` of training."""
    if config.std == "scheduled":
        first, last = config.initial_std, config.final_std
        log_std = jnp.log(first + (last - first) * jnp.asarray(progress, jnp.float32))
    else:
        log_std = params["log_std"]
    return Gaussian(mean, jnp.broadcast_to(log_std, mean.shape))


def sample(key: jax.Array, inputs: Gaussian) -> jax.Array:
    """A draw f32[..., m]."""
    return inputs.mean + jnp.exp(inputs.log_std) * jax.random.normal(key, inputs.mean.shape, jnp.float32)


def log_prob(inputs: Gaussian, x: jax.Array) -> jax.Array:
    """The log-density f32[...] at `x` f32[..., m]."""
    z = (x - inputs.mean) * jnp.exp(-inputs.log_std)
    return jnp.sum(-0.5 * z**2 - inputs.log_std - 0.5 * LOG_2PI, axis=-1)


def entropy(inputs: Gaussian) -> jax.Array:
    """The differential entropy f32[...]."""
    return jnp.sum(inputs.log_std + 0.5 * (1 + LOG_2PI), axis=-1)
