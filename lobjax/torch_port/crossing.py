"""Arrays between JAX and torch: by dlpack where both hold them on one GPU, through NumPy elsewhere."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch


def to_torch(x: Any, device: torch.device) -> torch.Tensor:
    """A JAX or NumPy array as a tensor on `device`. What shares memory with JAX may not be written to."""
    if device.type == "cuda" and isinstance(x, jax.Array) and x.devices().pop().platform == "gpu":
        return torch.from_dlpack(x).to(device)
    return torch.from_numpy(np.array(x)).to(device)


def to_jax(x: torch.Tensor) -> jax.Array:
    """A tensor as a JAX array, where JAX computes."""
    x = x.detach().contiguous()
    if x.device.type == "cuda" and jax.default_backend() == "gpu":
        return jax.dlpack.from_dlpack(x)
    return jnp.array(x.cpu().numpy())
