"""FP8 matrix products, as Transformer Engine's recipes make them: one scale a tensor, codes multiplied, sums in float32.

What goes forward is e4m3 (largest value 448), gradients are e5m2 (57,344): HYBRID. code = cast(clamp(x * scale)). On an NVIDIA GPU from
Hopper on XLA can hand products of codes to its FP8 units; elsewhere the same numbers are computed, slower than without FP8.
`lobjax.torch_port.quantise` is the same in torch; codes and scales of the two are equal to the bit.

Networks use `product`: current scaling, each tensor by its own largest magnitude. It needs no state, so that `NetFns` stay functions of
parameters and an agent acts, learns and is tested with the same numbers. A step and a sequence are different tensors, though, with
different scales: their outputs differ by FP8's rounding. `product_delayed` scales by the history of earlier steps and hands the next
state over as the "gradient" of the state, as Flax's Fp8DotGeneral does; it is its own function since that module's scales are other numbers
than Transformer Engine's (in its first step, and where an amax is 0).
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn.initializers import Initializer
from jax.typing import DTypeLike

E4M3, E5M2 = jnp.float8_e4m3fn, jnp.float8_e5m2
LARGEST = {E4M3: 448.0, E5M2: 57344.0}
HISTORY = 16  # amaxes that delayed scaling looks back on
MULTIPLE = 16  # of which FP8 products want every dimension


def amax_of(x: jax.Array) -> jax.Array:
    """The largest magnitude f32[]."""
    return jnp.max(jnp.abs(x)).astype(jnp.float32)


def scale_of(amax: jax.Array, kind: Any) -> jax.Array:
    """The scale f32[] that brings `amax` to the largest code; 1 where amax is 0 or not finite, the largest float where it overflows."""
    scale = jnp.minimum(LARGEST[kind] / amax, jnp.finfo(jnp.float32).max)
    return jnp.where((amax > 0) & jnp.isfinite(amax), scale, 1.0)


def quantise(x: jax.Array, scale: jax.Array, kind: Any) -> jax.Array:
    """Codes of `x` at `scale`. Clamped before the cast, which turns what is out of range into NaN."""
    return jnp.clip(x.astype(jnp.float32) * scale, -LARGEST[kind], LARGEST[kind]).astype(kind)


@jax.custom_vjp
def product(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """x [N, in] by a kernel [in, out], quantised by their own amaxes -> f32[N, out]."""
    return _forward(x, kernel)[0]


def _forward(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, Any]:
    x_scale, kernel_scale = scale_of(amax_of(x), E4M3), scale_of(amax_of(kernel), E4M3)
    return _multiply(x, kernel, x_scale, kernel_scale)


def _backward(kept: Any, slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _slopes(kept, slope, scale_of(amax_of(slope), E5M2))


product.defvjp(_forward, _backward)


class Scaling(NamedTuple):
    """Delayed scaling of one kind of tensor: the last amaxes, the running step's first, and the scale in use."""

    history: jax.Array  # f32[HISTORY]
    scale: jax.Array  # f32[]

    def next(self, amax: jax.Array, kind: Any) -> "Scaling":
        """After a step that met `amax`: scale by the largest amax kept, unless that is 0 or not finite; make room for the next."""
        history = self.history.at[0].max(amax)
        most = history.max()
        scale = jnp.where((most > 0) & jnp.isfinite(most), scale_of(most, kind), self.scale)
        return Scaling(jnp.roll(history, -1).at[0].set(0.0), scale)


class Scalings(NamedTuple):
    """The delayed scaling of one product."""

    input: Scaling
    kernel: Scaling
    gradient: Scaling


def unit_scalings() -> Scalings:
    """Scales of 1 from no history."""
    one = Scaling(jnp.zeros(HISTORY, jnp.float32), jnp.ones((), jnp.float32))
    return Scalings(one, one, one)


@jax.custom_vjp
def product_delayed(x: jax.Array, kernel: jax.Array, scalings: Scalings) -> jax.Array:
    """As `product`, with the scales of `scalings`; the gradient with respect to `scalings` is the `Scalings` of the next step."""
    return _multiply(x, kernel, scalings.input.scale, scalings.kernel.scale)[0]


def _forward_delayed(x: jax.Array, kernel: jax.Array, scalings: Scalings) -> tuple[jax.Array, Any]:
    y, kept = _multiply(x, kernel, scalings.input.scale, scalings.kernel.scale)
    return y, (kept, scalings, amax_of(x), amax_of(kernel))


def _backward_delayed(kept: Any, slope: jax.Array) -> tuple[jax.Array, jax.Array, Scalings]:
    kept, scalings, x_amax, kernel_amax = kept
    by_x, by_kernel = _slopes(kept, slope, scalings.gradient.scale)
    following = Scalings(
        scalings.input.next(x_amax, E4M3),
        scalings.kernel.next(kernel_amax, E4M3),
        scalings.gradient.next(amax_of(slope), E5M2),
    )
    return by_x, by_kernel, following


product_delayed.defvjp(_forward_delayed, _backward_delayed)


class Dense(nn.Module):
    """A dense layer (kernel [in, features], bias) with FP8 products, of activations in `dtype`; the bias is added in float32."""

    features: int
    kernel_init: Initializer
    use_bias: bool
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", self.kernel_init, (x.shape[-1], self.features), jnp.float32)
        y = product(x.reshape(-1, x.shape[-1]).astype(self.dtype), kernel)
        if self.use_bias:
            y = y + self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)[None]
        return y.astype(self.dtype).reshape(*x.shape[:-1], self.features)


def _multiply(x: jax.Array, kernel: jax.Array, x_scale: jax.Array, kernel_scale: jax.Array) -> tuple[jax.Array, Any]:
    """The product f32[N, out], and what the way back needs."""
    x_codes, kernel_codes = quantise(x, x_scale, E4M3), quantise(kernel, kernel_scale, E4M3)
    like = jnp.zeros((), x.dtype), jnp.zeros((), kernel.dtype)  # the types of the gradients
    return _dot(x_codes, kernel_codes, x_scale, kernel_scale, (1, 0)), (
        x_codes,
        kernel_codes,
        x_scale,
        kernel_scale,
        like,
    )


def _slopes(kept: Any, slope: jax.Array, scale: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Gradients with respect to x and the kernel, in their types."""
    x_codes, kernel_codes, x_scale, kernel_scale, (x_like, kernel_like) = kept
    codes = quantise(slope, scale, E5M2)
    by_x = _dot(codes, kernel_codes, scale, kernel_scale, (1, 1))
    by_kernel = _dot(x_codes, codes, x_scale, scale, (0, 0))
    return by_x.astype(x_like.dtype), by_kernel.astype(kernel_like.dtype)


def _dot(a: jax.Array, b: jax.Array, a_scale: jax.Array, b_scale: jax.Array, axes: tuple[int, int]) -> jax.Array:
    """Codes summed over one axis of each, over both scales: f32."""
    summed: Any = (((axes[0],), (axes[1],)), ((), ()))
    return jax.lax.dot_general(a, b, summed, preferred_element_type=jnp.float32) * ((1 / a_scale) * (1 / b_scale))
