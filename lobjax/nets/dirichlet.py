"""The Dirichlet distribution as an action head."""

from dataclasses import dataclass
from math import expm1, log
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
from jax.scipy.special import digamma, gammaln

from lobjax.ranges import Length, Range, check

FLOOR = 1e-6  # added to every concentration: the softplus underflows to 0, where the density ends


@dataclass(frozen=True, kw_only=True)
class DirichletConfig:
    """Where the concentrations start: `initial_concentrations` has n positive numbers (none: ones, the uniform density)."""

    kind: Literal["dirichlet"] = "dirichlet"
    initial_concentrations: Annotated[tuple[Annotated[float, Range(1e-3, 1e4)], ...], Length(0, 4096)] = ()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Dirichlet:
    """The Dirichlet distribution on the simplex of `n` parts; its concentrations are the softplus of the outputs.

    Raw actions are the logarithms of the shares, since shares themselves underflow to 0 where concentrations are below 1, and densities
    are those of the shares over the simplex (the Jacobian between the two does not depend on the parameters). In single precision a
    log-density is good to 3e-6 of the sum of the concentrations, its gradient to rounding.
    """

    n: int
    config: DirichletConfig = DirichletConfig()

    def __post_init__(self) -> None:
        given = self.config.initial_concentrations
        if given and len(given) != self.n:
            raise ValueError(f"initial_concentrations has {len(given)} numbers; the action needs {self.n}")

    @property
    def bias(self) -> tuple[float, ...]:
        return tuple(_inverse_softplus(c - FLOOR) for c in self.config.initial_concentrations or (1.0,) * self.n)

    def init(self):
        return ()

    def inputs(self, params, outputs, progress) -> jax.Array:
        """Concentrations f32[..., n]."""
        return jax.nn.softplus(outputs) + FLOOR

    def sample(self, key, inputs: jax.Array) -> jax.Array:
        gammas = jax.random.loggamma(key, inputs, dtype=inputs.dtype)
        return jax.nn.log_softmax(gammas, axis=-1)

    def mode(self, inputs: jax.Array) -> jax.Array:
        """The mean (the density has no mode inside the simplex where a concentration is below 1)."""
        return jnp.log(inputs) - jnp.log(inputs.sum(axis=-1, keepdims=True))

    def log_prob(self, inputs: jax.Array, raw: jax.Array) -> jax.Array:
        return jnp.sum((inputs - 1) * raw, axis=-1) - _log_beta(inputs)

    def action_log_prob(self, inputs: jax.Array, raw: jax.Array) -> jax.Array:
        """The same as `log_prob`."""
        return self.log_prob(inputs, raw)

    def entropy(self, inputs: jax.Array) -> jax.Array:
        total = inputs.sum(axis=-1)
        spread = (total - self.n) * digamma(total) - jnp.sum((inputs - 1) * digamma(inputs), axis=-1)
        return _log_beta(inputs) + spread

    def to_action(self, raw: jax.Array) -> jax.Array:
        return jnp.exp(raw)

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        return {"mean": self.to_action(raw).reshape(-1, self.n).mean(axis=0)}


def _log_beta(concentrations: jax.Array) -> jax.Array:
    """The logarithm of the multivariate beta function."""
    return gammaln(concentrations).sum(axis=-1) - gammaln(concentrations.sum(axis=-1))


def _inverse_softplus(y: float) -> float:
    return y + log(-expm1(-y)) if y > 1 else log(expm1(y))
