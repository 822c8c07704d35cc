"""A product of categoricals as an action head."""

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp

from lobjax.nets.gaussian import Mean
from lobjax.ranges import check


@dataclass(frozen=True, kw_only=True)
class CategoricalsConfig:
    """Where the logits of a product of categoricals start: one number for each choice, in order (none: zeros)."""

    kind: Literal["categoricals"] = "categoricals"
    initial_logits: Mean = ()

    def __post_init__(self) -> None:
        check(self)


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
        return jnp.stack([jax.lax.argmax(x, x.ndim - 1, jnp.int32) for x in inputs], axis=-1)

    def log_prob(self, inputs, raw: jax.Array) -> jax.Array:
        # A sum over one-hot choices: a gather's gradient is a scatter, slow on every device.
        chosen = [
            jnp.sum(x * jax.nn.one_hot(raw[..., i], x.shape[-1], dtype=x.dtype), axis=-1) for i, x in enumerate(inputs)
        ]
        return sum(chosen[1:], chosen[0])

    def entropy(self, inputs) -> jax.Array:
        parts = [-jnp.sum(jnp.exp(x) * x, axis=-1) for x in inputs]
        return sum(parts[1:], parts[0])

    def to_action(self, raw: jax.Array) -> jax.Array:
        return raw

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        flat = raw.reshape(-1, len(self.nvec))
        return {
            f"histogram_{i}": jax.nn.one_hot(flat[:, i], n, dtype=jnp.float32).mean(axis=0)
            for i, n in enumerate(self.nvec)
        }
