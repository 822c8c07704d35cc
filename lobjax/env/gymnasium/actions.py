"""Action spaces in Gymnasium's words, and actions as environments take them: checked before JAX sees them."""

from typing import Any

import numpy as np
from gymnasium import spaces

from lobjax.env.gymnasium.arguments import InvalidArgument
from lobjax.env.spaces import Box, MultiDiscrete, Simplex


def action_space(space: Simplex | MultiDiscrete | Box) -> spaces.Space:
    """One environment's action space."""
    if isinstance(space, MultiDiscrete):
        return spaces.MultiDiscrete(list(space.nvec))
    low = -1.0 if isinstance(space, Box) else 0.0
    return spaces.Box(low, 1.0, (space.n,), np.float32)


def observation_space(size: int) -> spaces.Box:
    """Any finite numbers float32 `[size]`."""
    most = np.finfo(np.float32).max
    return spaces.Box(-most, most, (size,), np.float32)


def checked(
    actions: Any, shape: tuple[int, ...], space: Simplex | MultiDiscrete | Box, name: str = "actions"
) -> np.ndarray:
    """Actions (NumPy's, lists, tensors in memory) of this shape as int32, or float32 on the simplex; InvalidArgument for what is none.

    Of a `MultiDiscrete` they are integers of any type. Of a `Simplex` they are numbers >= 0, of which `shares` makes points;
    of a `Box` any finite ones.
    """
    array = _numbers(actions, shape, name)
    if isinstance(space, MultiDiscrete):
        if array.dtype.kind not in "iu":
            raise InvalidArgument(f"{name} are {array.dtype}; expected integers")
        if (array < 0).any() or (array >= np.asarray(space.nvec)).any():
            raise InvalidArgument(f"{name}: a choice is out of range; they go from 0 to {space.nvec} less 1")
        return array.astype(np.int32)
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
        total = array.sum(axis=-1)
    if isinstance(space, Box):
        if not np.isfinite(array).all():
            raise InvalidArgument(f"{name}: numbers must be finite")
        return array
    if not (array >= 0).all() or not np.isfinite(total).all():
        raise InvalidArgument(f"{name}: shares must be finite and not negative")
    return shares(array.reshape(-1, shape[-1])).reshape(shape)


def shares(actions: np.ndarray) -> np.ndarray:
    """Rows float32 `[n, k]`, none negative, as points of the simplex; those that are points already stay as they are."""
    total = actions.sum(axis=1, keepdims=True)
    scaled = np.where(total > 0, actions / np.where(total > 0, total, 1), np.float32(1 / actions.shape[1]))
    return np.where(np.abs(total - 1) < 1e-5, actions, scaled)


def _numbers(actions: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    try:
        array = np.asarray(actions)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists, tensors on a device or with a gradient
        line = " ".join(str(error).split())[:120]
        raise InvalidArgument(f"{name}: no array can be made of them ({line}); give one of shape {shape}") from None
    if array.shape != shape:
        raise InvalidArgument(f"{name} have shape {array.shape}; expected {shape}")
    if array.dtype.kind not in "iuf":
        raise InvalidArgument(f"{name} are {array.dtype}; expected numbers")
    return array
