"""Operations of a training step of the Transformer, and how many a device can do: what utilisation is measured against."""

import time
from typing import Any

from lobjax.nets import TransformerConfig
from lobjax.nets.transformer import n_towers

# Dense operations a second by a part of the device's name (NVIDIA's data sheet, without sparsity; float32 on the ordinary units).
KNOWN = {"H200": {"float32": 67e12, "bfloat16": 989e12, "fp8": 1979e12}}
_SIDE, _TRIES = 1024, 5


def step_flops(net: TransformerConfig, observation_size: int, outputs: int, envs: int, steps: int) -> float:
    """Multiplications and additions of a gradient step on [steps, envs]: products of weights and of attention, forward and twice back.

    Attention is counted over all window + steps keys, as it is computed, masked ones included; what is recomputed is not counted.
    """
    tokens, keys = envs * steps, net.window + steps
    block = (4 + 2 * net.expansion) * net.width**2  # weights of its four linear maps
    attention = 2 * keys * net.width
    tower = net.layers * (block + attention) + observation_size * net.width
    return 3 * 2 * tokens * (n_towers(net) * tower + (outputs + 1) * net.width)


def peak(precision: str, device: Any) -> tuple[float, str]:
    """Operations a second that `device` (torch's) can do in a precision at most, and how that is known."""
    import torch

    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        for part, rates in KNOWN.items():
            if part in name:
                return rates[precision], "data sheet"
    kind = (
        torch.float32 if precision == "float32" else torch.bfloat16
    )  # no device here multiplies FP8 unless it is known
    a = torch.randn(_SIDE, _SIDE, device=device).to(kind)
    best = float("inf")
    for _ in range(_TRIES + 1):
        begun = time.perf_counter()
        b = a @ a
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    assert b.shape == a.shape
    return 2 * _SIDE**3 / best, f"measured: a product of {_SIDE} x {_SIDE}, {str(kind).removeprefix('torch.')}"
