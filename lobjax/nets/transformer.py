"""A causal Transformer actor-critic over environment steps: one token a step, each step computed once.

Pre-norm blocks, window attention with relative positions (`lobjax.nets.attention`). `step` reads the ring of cached keys and values;
`sequence` runs a trajectory at once over the same ring. What the ring holds at the start of a trajectory is data: no
gradient flows into it, and after the first gradient step of an update it is as stale as in Transformer-XL.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.nets import attention
from lobjax.nets.interface import NetFns
from lobjax.nets.mlp import output_layer


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Size of the network. `window` counts environment steps, the present one included.

    `towers`: one trunk under both heads ("shared"), or an actor and a critic of this size each ("separate").
    """

    kind: Literal["transformer"] = "transformer"
    layers: int = 2
    width: int = 64
    heads: int = 4
    window: int = 16
    expansion: int = 4
    towers: Literal["shared", "separate"] = "shared"
    output_scale: float = 0.01

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "window", "expansion"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} does not divide into {self.heads} heads; choose a multiple")
        if self.output_scale < 0:
            raise ValueError(f"output_scale is {self.output_scale}; it cannot be negative")


class _Block(nn.Module):
    config: TransformerConfig

    def setup(self) -> None:
        config = self.config
        # Both branches of a block add to the stream: scaled so that its variance does not grow with depth.
        residual = nn.initializers.orthogonal(1 / sqrt(2 * config.layers))
        self.attention_norm = nn.LayerNorm()
        self.query_key_value = nn.Dense(3 * config.width, kernel_init=nn.initializers.orthogonal(1.0), use_bias=False)
        self.relative_bias = self.param("relative_bias", nn.initializers.zeros, (config.heads, config.window))
        self.merge = nn.Dense(config.width, kernel_init=residual)
        self.feed_norm = nn.LayerNorm()
        self.up = nn.Dense(config.expansion * config.width, kernel_init=nn.initializers.orthogonal(sqrt(2)))
        self.down = nn.Dense(config.width, kernel_init=residual)

    def project(self, x: jax.Array, batch: int) -> list[jax.Array]:
        """Queries, keys and values f32[B, heads, T, size] of the stream f32[B * T, width]."""
        heads, width = self.config.heads, self.config.width
        parts = jnp.split(self.query_key_value(self.attention_norm(x)), 3, axis=-1)
        return [part.reshape(batch, -1, heads, width // heads).swapaxes(1, 2) for part in parts]

    def finish(self, x: jax.Array, q, keys, values, distance, mask) -> jax.Array:
        """Attend, then the feed-forward branch; returns the stream f32[B * T, width]."""
        attended = attention.attend(q, keys, values, self.relative_bias, distance, mask)
        x = x + self.merge(attended.swapaxes(1, 2).reshape(x.shape))
        return x + self.down(nn.gelu(self.up(self.feed_norm(x))))


class _Tower(nn.Module):
    config: TransformerConfig

    def setup(self) -> None:
        self.embed = nn.Dense(self.config.width, kernel_init=nn.initializers.orthogonal(sqrt(2)))
        self.blocks = [_Block(self.config) for _ in range(self.config.layers)]
        self.norm = nn.LayerNorm()

    def step(self, keys, values, position, view, observation):
        """One step [B, D] over the rings of this tower's layers; returns the new rings and features [B, width]."""
        x = self.embed(observation)
        new_keys, new_values = [], []
        for block, k_ring, v_ring in zip(self.blocks, keys, values, strict=True):
            q, k, v = block.project(x, x.shape[0])
            new_keys.append(attention.write(k_ring, position, k))
            new_values.append(attention.write(v_ring, position, v))
            x = block.finish(x, q, new_keys[-1:], new_values[-1:], *view)
        return tuple(new_keys), tuple(new_values), self.norm(x)

    def sequence(self, keys, values, view, observation):
        """A trajectory [B, T, D] over the rings before it; returns features [B * T, width].

        The stream is kept flat: XLA's matrix products on a CPU are twice as fast over [B * T] rows as over [B, T].
        """
        batch, time, size = observation.shape
        x = self.embed(observation.reshape(batch * time, size))
        for block, k_ring, v_ring in zip(self.blocks, keys, values, strict=True):
            q, k, v = block.project(x, batch)
            x = block.finish(x, q, (k_ring, k), (v_ring, v), *view)
        return self.norm(x)


class _ActorCritic(nn.Module):
    config: TransformerConfig
    outputs: int
    bias: tuple[float, ...]

    def setup(self) -> None:
        self.towers = [_Tower(self.config) for _ in range(n_towers(self.config))]
        self.actor = output_layer(self.outputs, self.config.output_scale, self.bias)
        self.critic = output_layer(1, 1.0, (0.0,))

    def step(self, cache: attention.Cache, observation, reset):
        cache = attention.open_slot(cache, reset)
        view, layers = attention.step_view(cache), self.config.layers
        keys, values, features = (), (), []
        for i, tower in enumerate(self.towers):
            own = slice(i * layers, (i + 1) * layers)
            k, v, x = tower.step(cache.keys[own], cache.values[own], cache.position, view, observation)
            keys, values, features = keys + k, values + v, [*features, x]
        position = (cache.position + 1) % self.config.window
        cache = replace(cache, keys=keys, values=values, position=position)
        return cache, (self.actor(features[0]), self.critic(features[-1])[..., 0])

    def sequence(self, cache: attention.Cache, observation, reset):
        view, layers = attention.sequence_view(cache, reset), self.config.layers
        features = []
        for i, tower in enumerate(self.towers):
            own = slice(i * layers, (i + 1) * layers)
            features.append(tower.sequence(cache.keys[own], cache.values[own], view, observation.swapaxes(0, 1)))
        outputs, value = self.actor(features[0]), self.critic(features[-1])[..., 0]
        batch, time = reset.shape[::-1]
        return outputs.reshape(batch, time, -1).swapaxes(0, 1), value.reshape(batch, time).swapaxes(0, 1)


def n_towers(config: TransformerConfig) -> int:
    """1 for a shared trunk, 2 for an actor and a critic of their own."""
    return 1 if config.towers == "shared" else 2


def make_transformer(config: TransformerConfig, observation_size: int, outputs: int, bias: tuple[float, ...]) -> NetFns:
    """A Transformer over observations of `observation_size`; the policy's `outputs` numbers start near `bias`."""
    model = _ActorCritic(config, outputs, bias)

    def initial_carry(n_envs: int) -> attention.Cache:
        layers = config.layers * n_towers(config)
        return attention.empty_cache(n_envs, layers, config.heads, config.window, config.width // config.heads)

    def init(key):
        blank = jnp.zeros((1, 1, observation_size), jnp.float32)
        reset = jnp.ones((1, 1), bool)
        return model.init(key, initial_carry(1), blank, reset, method=_ActorCritic.sequence)["params"]

    def step(params, carry, observation, reset) -> Any:
        return model.apply({"params": params}, carry, observation, reset, method=_ActorCritic.step)

    def sequence(params, carry, observation, reset) -> Any:
        return model.apply({"params": params}, carry, observation, reset, method=_ActorCritic.sequence)

    return NetFns(init=init, initial_carry=initial_carry, step=step, sequence=sequence)
