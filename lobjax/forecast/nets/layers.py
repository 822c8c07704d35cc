"""Layers of forecast networks over windows [B, T, ..., C], oldest frame first: causal convolutions, an LSTM, attention at the last step.

Products with weights only, no convolution of XLA's: an ensemble is trained under `vmap`, which would make a grouped convolution of it, many
times slower on a CPU than the products of the frames side by side that are written here.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.nets.precision import dense

_lecun = nn.initializers.lecun_normal()


def linear(features: int, use_bias: bool = True) -> nn.Module:
    """A float32 product [..., n] -> [..., features]."""
    return dense(features, "float32", _lecun, use_bias)


def past(x: jax.Array, kernel: int, fill: float = 0.0) -> list[jax.Array]:
    """x [B, T, ...] as it was kernel - 1, ..., 1, 0 frames ago, `fill` before the window."""
    padding = [(0, 0), (kernel - 1, 0), *[(0, 0)] * (x.ndim - 2)]
    padded = jnp.pad(x, padding, constant_values=fill)
    return [padded[:, k : k + x.shape[1]] for k in range(kernel)]


class CausalConv(nn.Module):
    """A convolution over time [B, T, ..., C] -> [B, T, ..., features], padded on the left: a frame sees itself and kernel - 1 before it."""

    features: int
    kernel: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return linear(self.features)(jnp.concatenate(past(x, self.kernel), -1))


class LSTM(nn.Module):
    """Long short-term memory [B, T, C] -> [B, T, width] from a blank state; gates in the order input, forget, cell, output.

    `biases` 2: one of the input and one of the state, which are added (PyTorch's cells); 1: as Flax's cells have. All start uniform in
    +-width^-1/2. The products of the inputs are taken for all frames at once, which Flax's cells do not.
    """

    width: int
    biases: int = 2

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        bound = self.width**-0.5

        def uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
            return jax.random.uniform(key, shape, jnp.float32, -bound, bound)

        gates = 4 * self.width
        inputs = self.param("input_kernel", uniform, (x.shape[-1], gates))
        recurrent = self.param("recurrent_kernel", uniform, (self.width, gates))
        bias = sum(self.param(f"bias_{i}", uniform, (gates,)) for i in range(self.biases))
        highest = jax.lax.Precision.HIGHEST

        def advance(state: tuple[jax.Array, jax.Array], now: jax.Array):
            cell, hidden = state
            i, f, g, o = jnp.split(now + jnp.matmul(hidden, recurrent, precision=highest), 4, axis=-1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
            return (cell, hidden), hidden

        blank = jnp.zeros((x.shape[0], self.width), x.dtype)
        drive = jnp.matmul(x.swapaxes(0, 1), inputs, precision=highest) + bias
        return jax.lax.scan(advance, (blank, blank), drive)[1].swapaxes(0, 1)


class LastStepAttention(nn.Module):
    """Self-attention of many heads at the last step: [B, T, C] -> [B, C], C a multiple of `heads`; all products with biases.

    The numbers of `flax.linen.MultiHeadDotProductAttention` there, in another order of products: a query meets frames through its head's
    key weights, and frames are mixed before they meet the value weights, so that nothing is projected for each of the T frames.
    """

    heads: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        width = x.shape[-1]
        parts = (width, self.heads, width // self.heads)
        highest = jax.lax.Precision.HIGHEST

        def kernel(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
            return _lecun(key, (width, width)).reshape(shape)

        def einsum(subscripts: str, one: jax.Array, other: jax.Array) -> jax.Array:
            return jnp.einsum(subscripts, one, other, precision=highest)

        query, key, value = (self.param(f"{name}_kernel", kernel, parts) for name in ("query", "key", "value"))
        zeros = nn.initializers.zeros
        query_bias, key_bias, value_bias = (
            self.param(f"{name}_bias", zeros, parts[1:]) for name in ("query", "key", "value")
        )
        asked = einsum("bc,chd->bhd", x[:, -1], query) + query_bias
        scores = einsum("bhc,btc->bht", einsum("bhd,chd->bhc", asked, key), x)
        scores = (scores + einsum("bhd,hd->bh", asked, key_bias)[..., None]) * parts[2] ** -0.5
        mixed = einsum("bht,btc->bhc", jax.nn.softmax(scores, axis=-1), x)
        found = einsum("bhc,chd->bhd", mixed, value) + value_bias
        return linear(width)(found.reshape(-1, width))
