"""A causal Transformer actor-critic over environment steps: one token a step, each step computed once.

Pre-norm blocks, window attention with relative positions (`lobjax.nets.attention`). `step` reads the ring of cached keys and values;
`sequence` runs a trajectory at once over the same ring. What the ring holds at the start of a trajectory is data: no
gradient flows into it, and after the first gradient step of an update it is as stale as in Transformer-XL.

In bfloat16 (`lobjax.nets.precision`) the products of the blocks are rounded, and with them what the ring holds: keys and values come
out of a product, so they lose nothing there and take half the memory. Parameters, the embedding of the observation, the stream
that blocks add to, statistics of norms, the softmax and the heads stay float32.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Annotated, Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.nets import attention
from lobjax.nets.fp8 import MULTIPLE
from lobjax.nets.interface import NetFns
from lobjax.nets.mlp import SCALE, WIDTH, output_layer
from lobjax.nets.precision import Precision, compute_type, dense, in_fp8, layer_norm
from lobjax.ranges import Range, check


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Size of the network. `window` counts environment steps, the present one included.

    `towers`: one trunk under both heads ("shared"), or an actor and a critic of this size each ("separate"). `precision`: what products
    are computed in. `remat`: the update keeps only the stream between blocks and computes each block anew on the way back, a third more
    work for the memory of one block instead of all. Neither changes the parameters.
    """

    kind: Literal["transformer"] = "transformer"
    layers: Annotated[int, Range(1, 256)] = 2
    width: Annotated[int, WIDTH] = 64
    heads: Annotated[int, Range(1, 1024)] = 4
    window: Annotated[int, Range(1, 16_384)] = 16
    expansion: Annotated[int, Range(1, 64)] = 4
    towers: Literal["shared", "separate"] = "shared"
    output_scale: Annotated[float, SCALE] = 0.01
    precision: Precision = "float32"
    remat: bool = False

    def __post_init__(self) -> None:
        check(self)
        if self.width % self.heads:
            raise ValueError(f"width {self.width} does not divide into {self.heads} heads; choose a multiple")
        if in_fp8(self.precision) and self.width % MULTIPLE:
            raise ValueError(f"width is {self.width}; FP8 products need a multiple of {MULTIPLE}, or take bfloat16")


class _Block(nn.Module):
    config: TransformerConfig

    def setup(self) -> None:
        config, precision = self.config, self.config.precision
        orthogonal = nn.initializers.orthogonal
        # Both branches of a block add to the stream: scaled so that its variance does not grow with depth.
        residual = orthogonal(1 / sqrt(2 * config.layers))
        self.attention_norm = layer_norm(precision)
        self.query_key_value = dense(3 * config.width, precision, orthogonal(1.0), use_bias=False)
        self.relative_bias = self.param(
            "relative_bias", nn.initializers.zeros, (config.heads, config.window), jnp.float32
        )
        self.merge = dense(config.width, precision, residual)
        self.feed_norm = layer_norm(precision)
        self.up = dense(config.expansion * config.width, precision, orthogonal(sqrt(2)))
        self.down = dense(config.width, precision, residual)

    def step(self, x, k_ring, v_ring, position, view):
        """One step's stream f32[B, width] over the rings of this layer; returns it and the rings with the step written."""
        q, k, v = self._project(x, x.shape[0])
        k_ring, v_ring = attention.write(k_ring, position, k), attention.write(v_ring, position, v)
        return self._finish(x, q, (k_ring,), (v_ring,), view), k_ring, v_ring

    def sequence(self, x, k_ring, v_ring, view) -> jax.Array:
        """The stream f32[B * T, width] of a trajectory over the rings before it."""
        q, k, v = self._project(x, k_ring.shape[0])
        return self._finish(x, q, (k_ring, k), (v_ring, v), view)

    def _project(self, x: jax.Array, batch: int) -> list[jax.Array]:
        """Queries, keys and values [B, heads, T, size] of the stream f32[B * T, width]."""
        heads, width = self.config.heads, self.config.width
        parts = jnp.split(self.query_key_value(self.attention_norm(x)), 3, axis=-1)
        return [part.reshape(batch, -1, heads, width // heads).swapaxes(1, 2) for part in parts]

    def _finish(self, x: jax.Array, q, keys, values, view) -> jax.Array:
        """Attend, then the feed-forward branch; returns the stream f32[B * T, width]."""
        attended = attention.attend(q, keys, values, self.relative_bias, *view)
        x = x + self.merge(attended.swapaxes(1, 2).reshape(x.shape)).astype(x.dtype)
        return x + self.down(nn.gelu(self.up(self.feed_norm(x)))).astype(x.dtype)


class _Tower(nn.Module):
    config: TransformerConfig

    def setup(self) -> None:
        self.embed = dense(self.config.width, "float32", nn.initializers.orthogonal(sqrt(2)))
        self.blocks = [_Block(self.config) for _ in range(self.config.layers)]
        self.norm = layer_norm("float32")

    def step(self, keys, values, position, view, observation):
        """One step [B, D] over the rings of this tower's layers; returns the new rings and features f32[B, width]."""
        x = self.embed(observation)
        new_keys, new_values = [], []
        for block, k_ring, v_ring in zip(self.blocks, keys, values, strict=True):
            x, k, v = block.step(x, k_ring, v_ring, position, view)
            new_keys.append(k)
            new_values.append(v)
        return tuple(new_keys), tuple(new_values), self.norm(x)

    def sequence(self, keys, values, view, observation):
        """A trajectory [B, T, D] over the rings before it; returns features f32[B * T, width].

        The stream is kept flat: XLA's matrix products on a CPU are twice as fast over [B * T] rows as over [B, T].
        """
        x = self.embed(observation.reshape(-1, observation.shape[-1]))
        run = nn.remat(_Block.sequence) if self.config.remat else _Block.sequence
        for block, k_ring, v_ring in zip(self.blocks, keys, values, strict=True):
            x = run(block, x, k_ring, v_ring, view)
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


def attention_operations(config: TransformerConfig, trajectory: int) -> int:
    """Operations of attention for one token that sees a ring and a trajectory."""
    return n_towers(config) * config.layers * 4 * config.width * (config.window + trajectory)


def make_transformer(config: TransformerConfig, observation_size: int, outputs: int, bias: tuple[float, ...]) -> NetFns:
    """A Transformer over observations of `observation_size`; the policy's `outputs` numbers start near `bias`."""
    model = _ActorCritic(config, outputs, bias)

    def initial_carry(n_envs: int) -> attention.Cache:
        layers, dtype = config.layers * n_towers(config), compute_type(config.precision)
        return attention.empty_cache(n_envs, layers, config.heads, config.window, config.width // config.heads, dtype)

    def init(key):
        blank = jnp.zeros((1, 1, observation_size), jnp.float32)
        reset = jnp.ones((1, 1), bool)
        return model.init(key, initial_carry(1), blank, reset, method=_ActorCritic.sequence)["params"]

    def step(params, carry, observation, reset) -> Any:
        return model.apply({"params": params}, carry, observation, reset, method=_ActorCritic.step)

    def sequence(params, carry, observation, reset) -> Any:
        return model.apply({"params": params}, carry, observation, reset, method=_ActorCritic.sequence)

    return NetFns(init=init, initial_carry=initial_carry, step=step, sequence=sequence)
