"""In which numbers a network computes: every matrix product of a Transformer block is made here.

Parameters, their gradients and the optimiser are float32 whatever is chosen ("master weights"); `precision` says what weights and
activations are rounded to on their way into a product. "float32" means it: IEEE products on every device. Left alone, XLA takes TF32 on
an NVIDIA GPU, too coarse for the cached and the sequence path to agree to 1e-5.

"fp8" rounds both operands of products with weights to FP8 (`lobjax.nets.fp8`); what lies between them, and activations times activations
(`product`), is as in bfloat16. It is for an NVIDIA GPU from Hopper on; elsewhere its numbers are computed. "fp8_float32" keeps all the
rest in float32: nothing is gained, but only FP8's rounding is left to look at (bfloat16's, which differs between frameworks, flips codes).
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jax.typing import DTypeLike

from lobjax.nets import fp8

Precision = Literal["float32", "bfloat16", "fp8", "fp8_float32"]

EPSILON = 1e-5  # of layer norms, as in PyTorch and Transformer Engine (Flax alone: 1e-6)


def compute_type(precision: Precision) -> DTypeLike:
    """The type of activations between two products."""
    return jnp.float32 if precision in ("float32", "fp8_float32") else jnp.bfloat16


def in_fp8(precision: Precision) -> bool:
    """Whether products with weights take FP8 operands."""
    return precision in ("fp8", "fp8_float32")


def dense(features: int, precision: Precision, kernel_init: Initializer, use_bias: bool = True) -> nn.Module:
    """Activations [..., n] by a kernel [n, `features`]: both rounded to the compute type, accumulated in float32, returned in that type."""
    if in_fp8(precision):
        return fp8.Dense(features, kernel_init, use_bias, compute_type(precision))
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
