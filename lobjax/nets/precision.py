"""In which numbers a network computes: every matrix product of a Transformer block is made here.

Parameters, their gradients and the optimiser are float32 whatever is chosen ("master weights"); `precision` says what weights and
activations are rounded to on their way into a product. "float32" means it: IEEE products on every device. Left alone, XLA takes TF32 on
an NVIDIA GPU, too coarse for the cached and the sequence path to agree to 1e-5.

A further precision (FP8) needs a name in `Precision` and a `dot_general_cls` in `dense`; activations times activations
(`product`) stay in bfloat16 under the usual FP8 recipes.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jax.typing import DTypeLike

Precision = Literal["float32", "bfloat16"]

EPSILON = 1e-5  # of layer norms, as in PyTorch and Transformer Engine (Flax alone: 1e-6)


def compute_type(precision: Precision) -> DTypeLike:
    """The type of activations between two products."""
    return jnp.bfloat16 if precision == "bfloat16" else jnp.float32


def dense(features: int, precision: Precision, kernel_init: Initializer, use_bias: bool = True) -> nn.Dense:
    """Activations [..., n] by a kernel [n, `features`]: both rounded to the compute type, accumulated in float32, returned in that type."""
    return nn.Dense(
        features,
        use_bias=use_bias,
        kernel_init=kernel_init,
        dtype=compute_type(precision),
        precision=jax.lax.Precision.HIGHEST,  # of float32 operands; bfloat16 ones know no other
    )


def product(subscripts: str, one: jax.Array, other: jax.Array) -> jax.Array:
    """The Einstein sum of two activations in their own type, accumulated in float32."""
    return jnp.einsum(subscripts, one, other, precision=jax.lax.Precision.HIGHEST)


def layer_norm(precision: Precision) -> nn.LayerNorm:
    """A layer norm whose mean and variance are float32 and whose result is rounded to the compute type."""
    return nn.LayerNorm(epsilon=EPSILON, dtype=compute_type(precision))
