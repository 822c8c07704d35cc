"""The one file that knows about devices: how a state lies on them, what is averaged over them, and `pmap`.

Everything else works on what one device holds and takes `axis_name`: the name of the mapped axis, or None where there is one device.
A state has two parts. `shared` is the same on every device; the leaves of `local` lead with the environments, split over devices in
order, except scalars, which all environments share. On the host a state is always whole, so a checkpoint does not
know how many devices wrote it.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lobjax.errors import InputError

AXIS = "devices"


def check_devices(n_devices: int) -> None:
    """InputError when this machine does not have `n_devices` devices."""
    present = jax.local_device_count()
    if n_devices > present:
        kind = jax.devices()[0].platform
        raise InputError(f"config.devices: {n_devices} wanted, {present} {kind} found; lower it or run where they are")


def mean(tree: Any, axis_name: str | None) -> Any:
    """The mean of every leaf over devices."""
    return tree if axis_name is None else jax.lax.pmean(tree, axis_name)


def total(tree: Any, axis_name: str | None) -> Any:
    """The sum of every leaf over devices."""
    return tree if axis_name is None else jax.lax.psum(tree, axis_name)


def everywhere(tree: Any, axis_name: str | None) -> Any:
    """Whether every leaf bool[] is true on all devices."""
    if axis_name is None:
        return tree
    return jax.tree.map(lambda x: jax.lax.pmin(x.astype(jnp.int32), axis_name) == 1, tree)


def split(state: Any, n_devices: int) -> Any:
    """Lay a whole state out for `n_devices`: local leaves [B, ...] become [n_devices, B / n_devices, ...]."""
    if n_devices == 1:
        return state
    return state.replace(local=jax.tree.map(lambda x: _fold(x, n_devices), state.local))


def whole(state: Any, n_devices: int) -> Any:
    """The inverse of `split`."""
    if n_devices == 1:
        return state
    return state.replace(local=jax.tree.map(lambda x: x if x.ndim == 0 else x.reshape(-1, *x.shape[2:]), state.local))


def compile_update(
    make_update: Callable[[str | None], Callable], state: Any, constants: Any, n_devices: int
) -> Callable:
    """Compile `make_update(axis_name)(state, constants) -> state, metrics` for a state laid out by `split`.

    Returns the same function, compiled. The state that goes in is given up. Metrics come out once, as device 0 has them.
    """
    if n_devices == 1:
        return jax.jit(make_update(None), donate_argnums=0).lower(state, constants).compile()
    axes = jax.tree.map(lambda _: None, state).replace(local=jax.tree.map(_axis, state.local))
    mapped = jax.pmap(
        make_update(AXIS),
        axis_name=AXIS,
        in_axes=(axes, None),
        out_axes=(axes, None),
        devices=jax.local_devices()[:n_devices],
        donate_argnums=0,
    )
    return mapped.lower(state, constants).compile()


def _fold(x: jax.Array, n_devices: int) -> jax.Array:
    return x if x.ndim == 0 else x.reshape(n_devices, -1, *x.shape[1:])


def _axis(x: jax.Array) -> int | None:
    return None if x.ndim == 0 else 0
