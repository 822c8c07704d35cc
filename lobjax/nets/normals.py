"""Normals pushed onto the simplex: the logistic normal, and a normal under a softmax."""

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp

from lobjax.nets import gaussian
from lobjax.nets.gaussian import LOG_2PI, Gaussian
from lobjax.ranges import check


@dataclass(frozen=True, kw_only=True)
class LogisticNormalConfig:
    """How a policy on the simplex starts and how wide it is.

    `std` "scheduled": from `initial_std` to `final_std` in a straight line over training. "learned": one number for each
    dimension, whatever the observation, from `initial_std`. `initial_mean` has n - 1 numbers (none: zeros).
    """

    kind: Literal["logistic_normal"] = "logistic_normal"
    std: Literal["scheduled", "learned"] = "scheduled"
    initial_std: gaussian.Std = 1.0
    final_std: gaussian.Std = 0.32
    initial_mean: gaussian.Mean = ()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class SoftmaxNormalConfig:
    """As `LogisticNormalConfig`, with a dimension for every part: `initial_mean` has n numbers (none: zeros)."""

    kind: Literal["softmax_normal"] = "softmax_normal"
    std: Literal["scheduled", "learned"] = "scheduled"
    initial_std: gaussian.Std = 1.0
    final_std: gaussian.Std = 0.32
    initial_mean: gaussian.Mean = ()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class LogisticNormal:
    """The logistic normal on the simplex of `n` parts: v ~ N(mean, std^2) in R^(n-1), action = softmax((v, 0)).

    The last part is the reference. Raw actions are v, and densities are those of v: the Jacobian of the map does not depend on the
    parameters, so the policy gradient is that of the density on the simplex (Cheridito and Weiss, arXiv 2507.06345).
    """

    n: int
    config: LogisticNormalConfig = LogisticNormalConfig()

    def __post_init__(self) -> None:
        _check_mean(self.config.initial_mean, self.n - 1)

    @property
    def bias(self) -> tuple[float, ...]:
        return self.config.initial_mean or (0.0,) * (self.n - 1)

    def init(self):
        return gaussian.init_width(self.config, self.n - 1)

    def inputs(self, params, outputs, progress) -> Gaussian:
        return gaussian.gaussian(self.config, params, outputs, progress)

    def sample(self, key, inputs: Gaussian) -> jax.Array:
        return gaussian.sample(key, inputs)

    def mode(self, inputs: Gaussian) -> jax.Array:
        """The image of the mean (the point that the policy aims at; not the mode of the density on the simplex)."""
        return inputs.mean

    def log_prob(self, inputs: Gaussian, raw: jax.Array) -> jax.Array:
        return gaussian.log_prob(inputs, raw)

    def action_log_prob(self, inputs: Gaussian, raw: jax.Array) -> jax.Array:
        """The density of v over the Jacobian of the map, the product of all shares."""
        return gaussian.log_prob(inputs, raw) - jax.nn.log_softmax(_with_reference(raw), axis=-1).sum(axis=-1)

    def entropy(self, inputs: Gaussian) -> jax.Array:
        return gaussian.entropy(inputs)

    def to_action(self, raw: jax.Array) -> jax.Array:
        return jax.nn.softmax(_with_reference(raw), axis=-1)

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        return {"mean": self.to_action(raw).reshape(-1, self.n).mean(axis=0)}


@dataclass(frozen=True)
class SoftmaxNormal:
    """A normal under a softmax, on the simplex of `n` parts: v ~ N(mean, std^2) in R^n, action = softmax(v).

    Raw actions are v, and the density for the gradient (and the entropy) is that of v in R^n. All v that differ by a constant give one
    action, so this is not the density on the simplex, and no Jacobian leads there. The policy gradient is right all the same: v is
    the action, the softmax the first thing that the environment does to it. It has the expectation that
    the density on the simplex would give, and somewhat more variance: that of the constant, which earns nothing.
    """

    n: int
    config: SoftmaxNormalConfig = SoftmaxNormalConfig()

    def __post_init__(self) -> None:
        _check_mean(self.config.initial_mean, self.n)

    @property
    def bias(self) -> tuple[float, ...]:
        return self.config.initial_mean or (0.0,) * self.n

    def init(self):
        return gaussian.init_width(self.config, self.n)

    def inputs(self, params, outputs, progress) -> Gaussian:
        return gaussian.gaussian(self.config, params, outputs, progress)

    def sample(self, key, inputs: Gaussian) -> jax.Array:
        return gaussian.sample(key, inputs)

    def mode(self, inputs: Gaussian) -> jax.Array:
        """The image of the mean, as for the logistic normal."""
        return inputs.mean

    def log_prob(self, inputs: Gaussian, raw: jax.Array) -> jax.Array:
        return gaussian.log_prob(inputs, raw)

    def action_log_prob(self, inputs: Gaussian, raw: jax.Array) -> jax.Array:
        """The density of v integrated over the constant, then the Jacobian, the product of all shares.

        Without the constant, v is a logistic normal whose covariance is diag(std_j^2) + std_n^2 (j, k < n).
        """
        distance, precision = raw - inputs.mean, jnp.exp(-2 * inputs.log_std)
        total = precision.sum(axis=-1, keepdims=True)
        centred = distance - (precision * distance).sum(axis=-1, keepdims=True) / total
        squares = (precision * centred**2).sum(axis=-1)
        scale = inputs.log_std.sum(axis=-1) + 0.5 * jnp.log(total[..., 0]) + 0.5 * (self.n - 1) * LOG_2PI
        return -0.5 * squares - scale - jax.nn.log_softmax(raw, axis=-1).sum(axis=-1)

    def entropy(self, inputs: Gaussian) -> jax.Array:
        return gaussian.entropy(inputs)

    def to_action(self, raw: jax.Array) -> jax.Array:
        return jax.nn.softmax(raw, axis=-1)

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        return {"mean": self.to_action(raw).reshape(-1, self.n).mean(axis=0)}


def _check_mean(initial_mean: tuple[float, ...], wanted: int) -> None:
    if initial_mean and len(initial_mean) != wanted:
        raise ValueError(f"initial_mean has {len(initial_mean)} numbers; the action needs {wanted}")


def _with_reference(raw: jax.Array) -> jax.Array:
    return jnp.concatenate([raw, jnp.zeros((*raw.shape[:-1], 1), raw.dtype)], axis=-1)
