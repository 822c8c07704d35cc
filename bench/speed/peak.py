"""How many operations a second a device can do: what utilisation is measured against."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

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
    b = jnp.ones((_SIDE, _SIDE), jnp.dtype(str(kind).removeprefix("torch.")))
    multiply = jax.jit(jnp.matmul)

    def in_torch() -> None:
        torch.matmul(a, a)
        if device.type == "cuda":
            torch.cuda.synchronize()

    # The better of both: they may use different numbers of cores.
    seconds = min(_least(in_torch), _least(lambda: jax.block_until_ready(multiply(b, b))))
    return 2 * _SIDE**3 / seconds, f"measured: a product of {_SIDE} x {_SIDE}, {str(kind).removeprefix('torch.')}"


def _least(call: Callable[[], Any]) -> float:
    """Seconds of the fastest of a few calls, the first not counted."""
    call()
    seconds = []
    for _ in range(_TRIES):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
