"""FP8 quantisation in both frameworks, compared to the bit: codes, scales, and the histories of delayed scaling."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from lobjax.nets import fp8
from lobjax.torch_port import quantise as theirs

KINDS = {"e4m3": (fp8.E4M3, theirs.E4M3), "e5m2": (fp8.E5M2, theirs.E5M2)}


class Codes(NamedTuple):
    """Tensors and codes that were compared, and the names of tensors in which something differs."""

    tensors: int
    codes: int
    differing: list[str]


def compare_codes(tensors: Mapping[str, np.ndarray]) -> Codes:
    """Quantise every tensor, and hand-made ones at the edges of the numbers, in both formats and both frameworks."""
    every = {**edges(), **tensors}
    differing, count = [], 0
    for name, array in every.items():
        for kind, (ours, other) in KINDS.items():
            count += array.size
            mine, yours = in_jax(array, ours), in_torch(array, other)
            if not all(np.array_equal(a, b) for a, b in zip(mine, yours, strict=True)):
                differing.append(f"{name} in {kind}")
    if not _histories_equal():
        differing.append("delayed scaling")
    return Codes(len(every), count, differing)


def edges() -> dict[str, np.ndarray]:
    """Tensors that are hard to quantise: nothing, what overflows a scale, what is not finite, ties between codes, both signs of 0."""
    steps = np.arange(-4096, 4096, dtype=np.float32)
    return {
        "zeros": np.zeros(8, np.float32),
        "tiny": np.array([2e-38, -1.5e-38, 0.0], np.float32),
        "huge": np.array([3e38, -1e38, 1.0], np.float32),
        "infinite": np.array([np.inf, -3.0, 500.0, 1e5], np.float32),
        "signs": np.array([-0.0, 0.0, 1.0], np.float32),
        "ties": steps / 4096 * 448,
        "wide": (np.sign(steps) * np.exp2(steps / 128)).astype(np.float32),
    }


def in_jax(array: np.ndarray, kind: Any) -> tuple[np.ndarray, ...]:
    """Codes as bytes, the scale as a word."""
    codes, scale = _in_jax(jnp.asarray(array), kind)
    return np.asarray(codes).view(np.uint8), np.asarray(scale).view(np.uint32)


def in_torch(array: np.ndarray, kind: torch.dtype) -> tuple[np.ndarray, ...]:
    """Likewise."""
    x = torch.from_numpy(np.array(array))
    codes, scale = theirs.quantise(x, theirs.scale_of(theirs.amax_of(x), kind), kind)
    return codes.view(torch.uint8).numpy(), scale.numpy().view(np.uint32)


def _quantise(x: jax.Array, kind: Any) -> tuple[jax.Array, jax.Array]:
    scale = fp8.scale_of(fp8.amax_of(x), kind)
    return fp8.quantise(x, scale, kind), scale


_in_jax = jax.jit(_quantise, static_argnums=1)


def _histories_equal(steps: int = 40) -> bool:
    """Delayed scaling over steps of random amaxes, some of them 0 or infinite."""
    rng = np.random.default_rng(0)
    mine = fp8.unit_scalings().input
    history, scale = torch.zeros(theirs.HISTORY), torch.ones(())
    for step in range(steps):
        amax = np.float32({3: 0.0, 7: np.inf}.get(step, np.exp(rng.normal(0, 3))))
        mine = mine.next(jnp.float32(amax), fp8.E4M3)
        history[0] = torch.maximum(history[0], torch.tensor(amax))
        history, scale = theirs.next_scale(history, scale, theirs.E4M3)
        if not (np.array_equal(mine.history, history.numpy()) and np.array_equal(mine.scale, scale.numpy())):
            return False
    return True
