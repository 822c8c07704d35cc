"""FP8 quantisation as Transformer Engine does it, computed anywhere: amax, scale, clamp, cast. `lobjax.nets.fp8` is the same in JAX.

HYBRID: what goes forward is e4m3 (largest value 448), gradients are e5m2 (57,344). A tensor has one scale; code = cast(clamp(x * scale)).
"""

from typing import NamedTuple

import torch

E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2
LARGEST = {E4M3: 448.0, E5M2: 57344.0}
HISTORY = 16  # amaxes that delayed scaling looks back on


class Codes(NamedTuple):
    """A quantised tensor: codes in an FP8 type, and the scale f32[] that they were made with."""

    codes: torch.Tensor
    scale: torch.Tensor

    def values(self) -> torch.Tensor:
        """The codes as numbers f32 of the same shape, exact; over `scale` they are the tensor again."""
        return self.codes.float()


def amax_of(x: torch.Tensor) -> torch.Tensor:
    """The largest magnitude f32[]."""
    return x.detach().abs().amax().float()


def scale_of(amax: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """The scale f32[] that brings `amax` to the largest code; 1 where amax is 0 or not finite, the largest float where it overflows."""
    scale = (
        torch.full_like(amax, LARGEST[kind]) / amax
    )  # a number over a tensor would be its reciprocal times the number: two roundings
    scale = torch.where(torch.isinf(scale), torch.finfo(torch.float32).max, scale)
    return torch.where((amax > 0) & torch.isfinite(amax), scale, torch.ones_like(scale))


def quantise(x: torch.Tensor, scale: torch.Tensor, kind: torch.dtype) -> Codes:
    """Codes of `x` at `scale`. Clamped before the cast: torch 2.11 and JAX turn what is out of range into NaN."""
    most = LARGEST[kind]
    return Codes((x.detach().float() * scale).clamp(-most, most).to(kind), scale)


def next_scale(history: torch.Tensor, scale: torch.Tensor, kind: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """History f32[n] and scale after a step of delayed scaling: scale by the largest amax kept, then make room for the next.

    An amax of 0 or one that is not finite leaves the scale as it was.
    """
    amax = history.amax()
    usable = (amax > 0) & torch.isfinite(amax)
    scale = torch.where(usable, scale_of(amax, kind), scale)
    history = torch.roll(history, -1)
    history[0] = 0
    return history, scale
