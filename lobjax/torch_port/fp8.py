"""A linear map whose three matrix products take FP8 operands, in plain torch: the arithmetic of Transformer Engine on any device.

Products of codes are exact in single precision and are summed there; only the order of summation differs from a tensor core's.
"""

from typing import Any, Literal

import torch
from torch import nn

from lobjax.torch_port.quantise import E4M3, E5M2, HISTORY, amax_of, next_scale, quantise, scale_of

Recipe = Literal["current", "delayed"]
KINDS = {"input": E4M3, "weight": E4M3, "gradient": E5M2}


class Scaling(nn.Module):
    """Where the scales of one linear map come from.

    "current": each tensor's own amax. "delayed": the largest amax of earlier steps; buffers hold, for each of `KINDS`, a history f32[n]
    and the scale in use. They are state of a run but no weights (they are not in the state dict).
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        if recipe == "delayed":
            for name in KINDS:
                self.register_buffer(f"{name}_history", torch.zeros(HISTORY), persistent=False)
                self.register_buffer(f"{name}_scale", torch.ones(()), persistent=False)

    def scale(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """The scale f32[] for `x`; delayed scaling takes note of its amax while training."""
        if self.recipe == "current":
            return scale_of(amax_of(x), KINDS[name])
        if self.training:
            history = getattr(self, f"{name}_history")
            history[0] = torch.maximum(history[0], amax_of(x))
        return getattr(self, f"{name}_scale").clone()

    def advance(self) -> None:
        """The end of a gradient step: delayed scaling moves on."""
        if self.recipe == "current":
            return
        for name, kind in KINDS.items():
            history, scale = next_scale(getattr(self, f"{name}_history"), getattr(self, f"{name}_scale"), kind)
            setattr(self, f"{name}_history", history)
            setattr(self, f"{name}_scale", scale)


def advance(model: nn.Module) -> None:
    """The end of a gradient step for every linear map in a model."""
    for module in model.modules():
        if isinstance(module, Scaling):
            module.advance()


class _Product(torch.autograd.Function):
    """x [N, in], weight [out, in] -> x weight^T f32[N, out]; what comes back is quantised to e5m2."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, scaling: Scaling) -> torch.Tensor:
        left = quantise(x, scaling.scale("input", x), E4M3)
        right = quantise(weight, scaling.scale("weight", weight), E4M3)
        ctx.save_for_backward(*left, *right)
        ctx.scaling, ctx.kinds = scaling, (x.dtype, weight.dtype)
        return _times(left.values(), right.values().t(), left.scale, right.scale)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> tuple[torch.Tensor, torch.Tensor, None]:
        x, x_scale, weight, weight_scale = ctx.saved_tensors
        slope = quantise(slopes[0], ctx.scaling.scale("gradient", slopes[0]), E5M2)
        by_x = _times(slope.values(), weight.float(), slope.scale, weight_scale)
        by_weight = _times(slope.values().t(), x.float(), slope.scale, x_scale)
        return by_x.to(ctx.kinds[0]), by_weight.to(ctx.kinds[1]), None


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, scaling: Scaling) -> torch.Tensor:
    """x [..., in] weight^T + bias -> [..., out], with FP8 products; activations are of autocast's type, the bias is added in float32."""
    kind = x.device.type
    x = x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x
    with torch.autocast(kind, enabled=False):
        y: Any = _Product.apply(x.reshape(-1, x.shape[-1]), weight, scaling)
        y = y.reshape(*x.shape[:-1], weight.shape[0])
        return (y if bias is None else y + bias).to(x.dtype)


def _times(a: torch.Tensor, b: torch.Tensor, a_scale: torch.Tensor, b_scale: torch.Tensor) -> torch.Tensor:
    with torch.autocast(a.device.type, enabled=False):
        return (a @ b) * (a_scale.reciprocal() * b_scale.reciprocal())
