"""How many operations a second a device can do: what utilisation is measured against."""

import time
from typing import Any

from lobjax.nets.size import peak

_SIDE, _TRIES = 1024, 5


def most(precision: str, device: Any) -> tuple[float, str]:
    """Operations a second that `device` (torch's) can do in a precision at most, and how that is known."""
    import torch

    if device.type == "cuda" and (known := peak(torch.cuda.get_device_name(device), precision)):
        return known, "data sheet"
    kind = (
        torch.float32 if precision == "float32" else torch.bfloat16
    )  # only devices of the table are known to multiply FP8
    a = torch.randn(_SIDE, _SIDE, device=device).to(kind)
    seconds = []
    for _ in range(_TRIES + 1):
        begun = time.perf_counter()
        torch.matmul(a, a)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    return 2 * _SIDE**3 / min(seconds), f"measured: a product of {_SIDE} x {_SIDE}, {str(kind).removeprefix('torch.')}"
