"""Plain torch layers with Transformer Engine's parameter names and shapes, so that state dicts interchange.

`scaling` given: the matrix products take FP8 operands (`lobjax.torch_port.fp8`); None: `torch.nn.functional.linear`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from lobjax.torch_port import fp8


def _parameter(*shape: int, fill: float = 0.0) -> nn.Parameter:
    return nn.Parameter(torch.full(shape, fill))


def _product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, scaling: fp8.Scaling | None):
    return F.linear(x, weight, bias) if scaling is None else fp8.linear(x, weight, bias, scaling)


def _scaling(recipe: fp8.Recipe | None) -> fp8.Scaling | None:
    return None if recipe is None else fp8.Scaling(recipe)


class Linear(nn.Module):
    """y [..., out] = x [..., in] weight^T + bias."""

    def __init__(self, inputs: int, outputs: int, recipe: fp8.Recipe | None = None) -> None:
        super().__init__()
        self.weight, self.bias = _parameter(outputs, inputs), _parameter(outputs)
        self.scaling = _scaling(recipe)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _product(x, self.weight, self.bias, self.scaling)


class LayerNormLinear(nn.Module):
    """Layer norm, then a linear map without bias."""

    def __init__(self, inputs: int, outputs: int, epsilon: float, recipe: fp8.Recipe | None = None) -> None:
        super().__init__()
        self.layer_norm_weight, self.layer_norm_bias = _parameter(inputs, fill=1.0), _parameter(inputs)
        self.weight = _parameter(outputs, inputs)
        self.epsilon, self.scaling = epsilon, _scaling(recipe)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.layer_norm(x, x.shape[-1:], self.layer_norm_weight, self.layer_norm_bias, self.epsilon)
        return _product(y, self.weight, None, self.scaling)


class LayerNormMLP(nn.Module):
    """Layer norm, a linear map to `hidden`, gelu in its tanh form, a linear map back."""

    def __init__(self, width: int, hidden: int, epsilon: float, recipe: fp8.Recipe | None = None) -> None:
        super().__init__()
        self.layer_norm_weight, self.layer_norm_bias = _parameter(width, fill=1.0), _parameter(width)
        self.fc1_weight, self.fc1_bias = _parameter(hidden, width), _parameter(hidden)
        self.fc2_weight, self.fc2_bias = _parameter(width, hidden), _parameter(width)
        self.epsilon = epsilon
        self.fc1_scaling, self.fc2_scaling = _scaling(recipe), _scaling(recipe)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.layer_norm(x, x.shape[-1:], self.layer_norm_weight, self.layer_norm_bias, self.epsilon)
        y = F.gelu(_product(y, self.fc1_weight, self.fc1_bias, self.fc1_scaling), approximate="tanh")
        return _product(y, self.fc2_weight, self.fc2_bias, self.fc2_scaling)
