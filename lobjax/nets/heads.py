"""Action heads: from a network's outputs to a distribution over actions.

A head is written for one environment and broadcasts over leading dimensions `[...]`. Its `inputs` joins the network's
outputs, its own parameters and the progress of training (0 to 1) into what the other functions read. Trajectories store the *raw* action,
whose density is taken; `to_action` gives what the environment wants.
"""

from dataclasses import dataclass
from math import log, pi
from typing import Any, Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp


class Head(Protocol):
    """What the learner asks of a distribution over actions."""

    @property
    def bias(self) -> tuple[float, ...]:
        """Where the network's outputs start; its length is the number of outputs."""
        ...

    def init(self) -> Any:
        """Parameters of the head itself (a pytree, possibly empty)."""
        ...

    def inputs(self, params: Any, outputs: jax.Array, progress: jax.Array | float) -> Any: ...

    def sample(self, key: jax.Array, inputs: Any) -> jax.Array: ...

    def mode(self, inputs: Any) -> jax.Array: ...

    def log_prob(self, inputs: Any, raw: jax.Array) -> jax.Array: ...

    def entropy(self, inputs: Any) -> jax.Array: ...

    def to_action(self, raw: jax.Array) -> jax.Array: ...

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        """Means over all leading dimensions that say what the policy does, as named vectors."""
        ...


@dataclass(frozen=True, kw_only=True)
class LogisticNormalConfig:
    """How a policy on the simplex starts and how wide it is.

    `std` "scheduled": from `initial_std` to `final_std` in a straight line over training. "learned": one number for each
    dimension, whatever the observation, from `initial_std`. `initial_mean` has n - 1 numbers (none: zeros).
    """

    kind: Literal["logistic_normal"] = "logistic_normal"
    std: Literal["scheduled", "learned"] = "scheduled"
    initial_std: float = 1.0
    final_std: float = 0.32
    initial_mean: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (self.initial_std > 0 and self.final_std > 0):
            raise ValueError(f"initial_std {self.initial_std} and final_std {self.final_std} must be positive")


@dataclass(frozen=True, kw_only=True)
class CategoricalsConfig:
    """Where the logits of a product of categoricals start: one number for each choice, in order (none: zeros)."""

    kind: Literal["categoricals"] = "categoricals"
    initial_logits: tuple[float, ...] = ()


HeadConfig = LogisticNormalConfig | CategoricalsConfig


class Gaussian(NamedTuple):
    """A diagonal normal: f32[..., n - 1] both."""

    mean: jax.Array
    log_std: jax.Array


@dataclass(frozen=True)
class LogisticNormal:
    """The logistic normal on the simplex of `n` parts: v ~ N(mean, std^2) in R^(n-1), action = softmax((v, 0)).

    The last part is the reference. Raw actions are v, and densities are those of v: the Jacobian of the map does not depend on the
    parameters, so the policy gradient is that of the density on the simplex (Cheridito and Weiss, arXiv 2507.06345).
    """

    n: int
    config: LogisticNormalConfig = LogisticNormalConfig()

    def __post_init__(self) -> None:
        if self.config.initial_mean and len(self.config.initial_mean) != self.n - 1:
            raise ValueError(f"initial_mean has {len(self.config.initial_mean)} numbers; the action needs {self.n - 1}")

    @property
    def bias(self) -> tuple[float, ...]:
        return self.config.initial_mean or (0.0,) * (self.n - 1)

    def init(self):
        if self.config.std == "scheduled":
            return ()
        return {"log_std": jnp.full((self.n - 1,), log(self.config.initial_std), jnp.float32)}

    def inputs(self, params, outputs, progress) -> Gaussian:
        if self.config.std == "scheduled":
            first, last = self.config.initial_std, self.config.final_std
            log_std = jnp.log(first + (last - first) * jnp.asarray(progress, jnp.float32))
        else:
            log_std = params["log_std"]
        return Gaussian(outputs, jnp.broadcast_to(log_std, outputs.shape))

    def sample(self, key, inputs: Gaussian) -> jax.Array:
        return inputs.mean + jnp.exp(inputs.log_std) * jax.random.normal(key, inputs.mean.shape)

    def mode(self, inputs: Gaussian) -> jax.Array:
        """The image of the mean (the point that the policy aims at; not the mode of the density on the simplex)."""
        return inputs.mean

    def log_prob(self, inputs: Gaussian, raw: jax.Array) -> jax.Array:
        z = (raw - inputs.mean) * jnp.exp(-inputs.log_std)
        return jnp.sum(-0.5 * z**2 - inputs.log_std - 0.5 * log(2 * pi), axis=-1)

    def entropy(self, inputs: Gaussian) -> jax.Array:
        return jnp.sum(inputs.log_std + 0.5 * (1 + log(2 * pi)), axis=-1)

    def to_action(self, raw: jax.Array) -> jax.Array:
        reference = jnp.zeros((*raw.shape[:-1], 1), raw.dtype)
        return jax.nn.softmax(jnp.concatenate([raw, reference], axis=-1), axis=-1)

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        return {"mean": self.to_action(raw).reshape(-1, self.n).mean(axis=0)}


@dataclass(frozen=True)
class Categoricals:
    """Independent choices, dimension i among `nvec[i]`; raw actions are the actions, int32[..., len(nvec)]."""

    nvec: tuple[int, ...]
    config: CategoricalsConfig = CategoricalsConfig()

    def __post_init__(self) -> None:
        if self.config.initial_logits and len(self.config.initial_logits) != sum(self.nvec):
            raise ValueError(f"initial_logits has {len(self.config.initial_logits)} numbers, not {sum(self.nvec)}")

    @property
    def bias(self) -> tuple[float, ...]:
        return self.config.initial_logits or (0.0,) * sum(self.nvec)

    def init(self):
        return ()

    def inputs(self, params, outputs, progress) -> tuple[jax.Array, ...]:
        """Log-probabilities f32[..., nvec[i]] of each dimension."""
        ends = [sum(self.nvec[: i + 1]) for i in range(len(self.nvec) - 1)]
        return tuple(jax.nn.log_softmax(part, axis=-1) for part in jnp.split(outputs, ends, axis=-1))

    def sample(self, key, inputs) -> jax.Array:
        keys = jax.random.split(key, len(self.nvec))
        return jnp.stack([jax.random.categorical(k, x) for k, x in zip(keys, inputs, strict=True)], -1).astype(
            jnp.int32
        )

    def mode(self, inputs) -> jax.Array:
        return jnp.stack([jnp.argmax(x, axis=-1) for x in inputs], axis=-1).astype(jnp.int32)

    def log_prob(self, inputs, raw: jax.Array) -> jax.Array:
        # A sum over one-hot choices: a gather's gradient is a scatter, slow on every device.
        chosen = [jnp.sum(x * jax.nn.one_hot(raw[..., i], x.shape[-1]), axis=-1) for i, x in enumerate(inputs)]
        return sum(chosen[1:], chosen[0])

    def entropy(self, inputs) -> jax.Array:
        parts = [-jnp.sum(jnp.exp(x) * x, axis=-1) for x in inputs]
        return sum(parts[1:], parts[0])

    def to_action(self, raw: jax.Array) -> jax.Array:
        return raw

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        flat = raw.reshape(-1, len(self.nvec))
        return {f"histogram_{i}": jax.nn.one_hot(flat[:, i], n).mean(axis=0) for i, n in enumerate(self.nvec)}
