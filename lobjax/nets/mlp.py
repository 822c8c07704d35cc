"""Separate actor and critic perceptrons; no memory."""

from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.nets.interface import NetFns
from lobjax.ranges import Length, Range, check

WIDTH, SCALE = Range(1, 16_384), Range(0.0, 100.0)  # of a layer; at which an output layer starts


@dataclass(frozen=True, kw_only=True)
class MLPConfig:
    """Hidden widths of both networks, and the scale at which the policy's output layer starts."""

    kind: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[int, WIDTH], ...], Length(1, 32)] = (128, 128)
    output_scale: Annotated[float, SCALE] = 0.01

    def __post_init__(self) -> None:
        check(self)


class _Perceptron(nn.Module):
    hidden: tuple[int, ...]
    outputs: int
    scale: float
    bias: tuple[float, ...]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in self.hidden:
            x = jnp.tanh(nn.Dense(width, kernel_init=nn.initializers.orthogonal(sqrt(2)))(x))
        return output_layer(self.outputs, self.scale, self.bias)(x)


def output_layer(outputs: int, scale: float, bias: tuple[float, ...], name: str | None = None) -> nn.Dense:
    """The last layer of an actor or critic, float32: orthogonal at `scale`, starting at the constants `bias` (length `outputs`)."""

    def initial_bias(_key, shape, dtype=jnp.float32):
        return jnp.asarray(bias, dtype).reshape(shape)

    return nn.Dense(
        outputs,
        kernel_init=nn.initializers.orthogonal(scale),
        bias_init=initial_bias,
        precision=jax.lax.Precision.HIGHEST,
        name=name,
    )


def make_mlp(config: MLPConfig, observation_size: int, outputs: int, bias: tuple[float, ...]) -> NetFns:
    """An MLP over observations of `observation_size`; the policy's `outputs` numbers start near the constants `bias`."""
    actor = _Perceptron(config.hidden, outputs, config.output_scale, bias)
    critic = _Perceptron(config.hidden, 1, 1.0, (0.0,))

    def init(key):
        actor_key, critic_key = jax.random.split(key)
        blank = jnp.zeros((1, observation_size), jnp.float32)
        return {"actor": actor.init(actor_key, blank)["params"], "critic": critic.init(critic_key, blank)["params"]}

    def step(params, carry, observation, reset):
        outputs: Any = actor.apply({"params": params["actor"]}, observation)
        value: Any = critic.apply({"params": params["critic"]}, observation)
        return carry, (outputs, value[:, 0])

    def sequence(params, carry, observation, reset):
        # Flat: XLA's matrix products on a CPU are twice as fast over [T * B] rows as over [T, B].
        flat = observation.reshape(-1, observation_size)
        _, (outputs, value) = step(params, carry, flat, reset)
        return outputs.reshape(*reset.shape, -1), value.reshape(reset.shape)

    return NetFns(init=init, initial_carry=lambda n_envs: (), step=step, sequence=sequence)
