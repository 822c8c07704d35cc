"""A recurrent actor-critic: gated recurrent units (Cho et al., arXiv 1406.1078) over environment steps.

The baseline beside the Transformer: memory of any length, in a state of fixed size. `sequence` runs the units step by step
through `lax.scan`, since each needs the state before it; only the embedding and the heads see a trajectory at once. The state before a
trajectory is data: gradients end there, as they do at the Transformer's ring. Everything is float32; on an NVIDIA GPU the units' own
products are what XLA makes of float32 (TF32), in both paths alike.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.nets.interface import NetFns
from lobjax.nets.mlp import SCALE, WIDTH, output_layer
from lobjax.nets.precision import dense
from lobjax.ranges import Range, check

States = tuple[jax.Array, ...]


@dataclass(frozen=True, kw_only=True)
class GRUConfig:
    """Layers of `width` units each, and the scale at which the policy's output layer starts.

    `towers`: one trunk under both heads ("shared", half the state and the work), or an actor and a critic of this size each
    ("separate": the value's gradients, often the larger ones, leave the actor's memory alone).
    """

    kind: Literal["gru"] = "gru"
    layers: Annotated[int, Range(1, 32)] = 1
    width: Annotated[int, WIDTH] = 64
    towers: Literal["shared", "separate"] = "shared"
    output_scale: Annotated[float, SCALE] = 0.01

    def __post_init__(self) -> None:
        check(self)


class _Tower(nn.Module):
    config: GRUConfig

    def setup(self) -> None:
        self.embed = dense(self.config.width, "float32", nn.initializers.orthogonal(sqrt(2)))
        self.units = [nn.GRUCell(self.config.width) for _ in range(self.config.layers)]

    def step(self, states: States, observation, reset) -> tuple[States, jax.Array]:
        """One step [B, D] from states f32[B, width], one per layer; returns the new ones and features f32[B, width]."""
        return self._advance(states, (jnp.tanh(self.embed(observation)), reset))

    def sequence(self, states: States, observation, reset) -> jax.Array:
        """Features f32[T, B, width] of a trajectory [T, B, D] from the states before it."""
        time, batch, size = observation.shape
        # Flat, as in the other networks: XLA's matrix products on a CPU are faster over [T * B] rows.
        x = jnp.tanh(self.embed(observation.reshape(-1, size))).reshape(time, batch, -1)
        scan = nn.scan(_Tower._advance, variable_broadcast="params", split_rngs={"params": False})
        return scan(self, states, (x, reset))[1]

    def _advance(self, states: States, now) -> tuple[States, jax.Array]:
        x, reset = now
        after = []
        for unit, state in zip(self.units, states, strict=True):
            state, x = unit(jnp.where(reset[:, None], 0.0, state), x)
            after.append(state)
        return tuple(after), x


class _ActorCritic(nn.Module):
    config: GRUConfig
    outputs: int
    bias: tuple[float, ...]

    def setup(self) -> None:
        self.towers = [_Tower(self.config) for _ in range(n_towers(self.config))]
        self.actor = output_layer(self.outputs, self.config.output_scale, self.bias)
        self.critic = output_layer(1, 1.0, (0.0,))

    def step(self, carry: tuple[States, ...], observation, reset):
        states, features = zip(
            *(tower.step(own, observation, reset) for tower, own in zip(self.towers, carry, strict=True)), strict=True
        )
        return states, self._heads(features)

    def sequence(self, carry: tuple[States, ...], observation, reset):
        return self._heads(
            [tower.sequence(own, observation, reset) for tower, own in zip(self.towers, carry, strict=True)]
        )

    def _heads(self, features):
        return self.actor(features[0]), self.critic(features[-1])[..., 0]


def n_towers(config: GRUConfig) -> int:
    """1 for a shared trunk, 2 for an actor and a critic of their own."""
    return 1 if config.towers == "shared" else 2


def make_gru(config: GRUConfig, observation_size: int, outputs: int, bias: tuple[float, ...]) -> NetFns:
    """Recurrent units over observations of `observation_size`; the policy's `outputs` numbers start near `bias`."""
    model = _ActorCritic(config, outputs, bias)

    def initial_carry(n_envs: int) -> tuple[States, ...]:
        blank = jnp.zeros((n_envs, config.width), jnp.float32)
        return ((blank,) * config.layers,) * n_towers(config)

    def init(key):
        blank = jnp.zeros((1, observation_size), jnp.float32)
        reset = jnp.ones(1, bool)
        return model.init(key, initial_carry(1), blank, reset, method=_ActorCritic.step)["params"]

    def step(params, carry, observation, reset) -> Any:
        return model.apply({"params": params}, carry, observation, reset, method=_ActorCritic.step)

    def sequence(params, carry, observation, reset) -> Any:
        return model.apply({"params": params}, carry, observation, reset, method=_ActorCritic.sequence)

    return NetFns(init=init, initial_carry=initial_carry, step=step, sequence=sequence)
