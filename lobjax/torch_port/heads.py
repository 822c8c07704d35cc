"""Densities and entropies of the action heads in torch: what a learner differentiates.

Sampling and the way from raw actions to actions stay with `lobjax.nets`, so that both frameworks draw the same actions from the same keys.
Formulas and their sources are there.
"""

from collections.abc import Callable
from math import log, pi
from typing import Any

import torch
from torch import nn

from lobjax.nets import Categoricals, Dirichlet, Head, LogisticNormal, SoftmaxNormal
from lobjax.nets.dirichlet import FLOOR
from lobjax.registry import Registry

LOG_2PI = log(2 * pi)


class TorchHead(nn.Module):
    """log_prob and entropy f32[...] of one head of `lobjax.nets`, with its own parameters; InputError where torch has no twin."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head
        self._density = DENSITIES[type(head).__name__]
        start = head.init()
        self.log_std = nn.Parameter(torch.tensor(start["log_std"].tolist())) if start else None

    def params(self) -> Any:
        """The head's own parameters as `lobjax.nets` wants them, in NumPy."""
        return () if self.log_std is None else {"log_std": self.log_std.detach().cpu().numpy().copy()}

    def forward(self, outputs: torch.Tensor, raw: torch.Tensor, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-density at `raw` and entropy of the distribution that `outputs` f32[..., O] describe."""
        return self._density(self, outputs, raw, progress)

    def log_std_of(self, mean: torch.Tensor, progress: float) -> torch.Tensor:
        if self.log_std is not None:
            return self.log_std.expand_as(mean)
        config: Any = self.head.config  # type: ignore[attr-defined]
        std = config.initial_std + (config.final_std - config.initial_std) * progress
        return torch.full_like(mean, log(std))


def _normal(mean: torch.Tensor, log_std: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    z = (x - mean) * torch.exp(-log_std)
    log_prob = (-0.5 * z**2 - log_std - 0.5 * LOG_2PI).sum(-1)
    return log_prob, (log_std + 0.5 * (1 + LOG_2PI)).sum(-1)


def _categoricals(nvec: tuple[int, ...], logits: torch.Tensor, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    parts = [part.log_softmax(-1) for part in logits.split(nvec, dim=-1)]
    chosen = [x.gather(-1, raw[..., i : i + 1].long())[..., 0] for i, x in enumerate(parts)]
    entropies = [-(x.exp() * x).sum(-1) for x in parts]
    return sum(chosen[1:], chosen[0]), sum(entropies[1:], entropies[0])


def _dirichlet(outputs: torch.Tensor, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    a = nn.functional.softplus(outputs, threshold=100.0) + FLOOR
    total, n = a.sum(-1), a.shape[-1]
    log_beta = torch.lgamma(a).sum(-1) - torch.lgamma(total)
    spread = (total - n) * torch.digamma(total) - ((a - 1) * torch.digamma(a)).sum(-1)
    return ((a - 1) * raw).sum(-1) - log_beta, log_beta + spread


Density = Callable[["TorchHead", torch.Tensor, torch.Tensor, float], tuple[torch.Tensor, torch.Tensor]]


def _of_normal(head: TorchHead, outputs: torch.Tensor, raw: torch.Tensor, progress: float) -> Any:
    return _normal(outputs, head.log_std_of(outputs, progress), raw)


def _of_choices(head: TorchHead, outputs: torch.Tensor, raw: torch.Tensor, progress: float) -> Any:
    return _categoricals(head.head.nvec, outputs, raw)  # type: ignore[attr-defined]


# The twin of each head of `lobjax.nets`, by the name of its class.
DENSITIES: Registry[Density] = Registry("head in torch", {
    LogisticNormal.__name__: _of_normal,
    SoftmaxNormal.__name__: _of_normal,
    Dirichlet.__name__: lambda head, outputs, raw, progress: _dirichlet(outputs, raw),
    Categoricals.__name__: _of_choices,
})  # fmt: skip
