"""The one file that knows about devices and processes: how a state lies on them, what is averaged over them, and `pmap`.

Everything else works on what one device holds and takes `axis_name`: the name of the mapped axis, or None where there is one device.
A state has two parts. `shared` is the same on every device; the leaves of `local` lead with the environments, split over devices in
order, except scalars, which all environments share. On the host a state is always whole, so a checkpoint does not
know how many devices, or processes, wrote it.

Several processes (started by `lobjax.learn.processes`) each hold the same number of devices. `n_devices` always counts all processes'.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.errors import InputError

AXIS = "devices"
# XLA without LLVM's optimisations: compiles in a quarter of the time, for runs of seconds.
_QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def check_devices(n_devices: int) -> None:
    """InputError when these processes do not have `n_devices` devices, or not each the same number of them."""
    processes, present = jax.process_count(), jax.local_device_count()
    if n_devices % processes:
        raise InputError(f"config.devices: {n_devices} do not divide into {processes} processes; make it a multiple")
    if n_devices > present * processes:
        kind = jax.devices()[0].platform
        found = f"{present * processes} {kind} found"
        raise InputError(f"config.devices: {n_devices} wanted, {found}; lower it or run where they are")


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
    """Lay a whole state out for `n_devices`: local leaves [B, ...] become [devices of this process, B / n_devices, ...].

    Every process passes the same whole state and keeps its part of it.
    """
    if n_devices == 1:
        return state
    here = n_devices // jax.process_count()
    own = slice(jax.process_index() * here, (jax.process_index() + 1) * here)

    def fold(x: jax.Array) -> jax.Array:
        return x if x.ndim == 0 else x.reshape(n_devices, -1, *x.shape[1:])[own]

    state = state.replace(local=jax.tree.map(fold, state.local))
    # `pmap` over processes lays host arrays out by itself, and warns of what already lies on one device.
    return state if jax.process_count() == 1 else jax.tree.map(_on_host, state)


def whole(state: Any, n_devices: int) -> Any:
    """The inverse of `split`. All processes must call it; each gets the whole."""
    if n_devices == 1:
        return state
    local = state.local
    if jax.process_count() > 1:
        local = _gathered(local, n_devices)
    return state.replace(local=jax.tree.map(lambda x: x if x.ndim == 0 else x.reshape(-1, *x.shape[2:]), local))


def compile_init(init: Callable, *arguments: Any, quick: bool = False) -> Callable:
    """Compile a function that runs on one device."""
    return jax.jit(init).lower(*arguments).compile(compiler_options=_options(quick))


def compile_update(
    make_update: Callable[[str | None], Callable], state: Any, constants: Any, n_devices: int, quick: bool = False
) -> Callable:
    """Compile `make_update(axis_name)(state, constants) -> state, metrics` for a state laid out by `split`.

    Returns the same function, compiled. The state that goes in is given up. Metrics come out once, as device 0 has them.
    `quick` compiles in less time to a slower program. Over several processes the function compiles when it is first called, in full: JAX
    joins the processes' parts into one array only then.
    """
    if n_devices == 1:
        lowered = jax.jit(make_update(None), donate_argnums=0).lower(state, constants)
        return lowered.compile(compiler_options=_options(quick))
    structure = jax.tree.structure(state)
    # As a tuple of leaves: over several processes JAX 0.10 hashes the tree of axes, which the dictionaries of parameters forbid.
    laid_out = jax.tree.map(lambda _: False, state).replace(local=jax.tree.map(lambda x: x.ndim > 0, state.local))
    axes = tuple(0 if is_split else None for is_split in jax.tree.leaves(laid_out))
    update = make_update(AXIS)

    def flat(leaves: tuple, constants: Any) -> tuple[tuple, Any]:
        state, metrics = update(jax.tree.unflatten(structure, leaves), constants)
        return tuple(jax.tree.leaves(state)), metrics

    mapped = jax.pmap(
        flat,
        axis_name=AXIS,
        in_axes=(axes, None),
        out_axes=(axes, None),
        devices=_devices(n_devices),
        donate_argnums=0,
    )
    if jax.process_count() == 1:
        leaves = tuple(jax.tree.leaves(state))
        mapped = mapped.lower(leaves, constants).compile(compiler_options=_options(quick))

    def run(state: Any, constants: Any) -> tuple[Any, Any]:
        leaves, metrics = mapped(tuple(jax.tree.leaves(state)), constants)
        return jax.tree.unflatten(structure, leaves), metrics

    return run


def _options(quick: bool) -> dict[str, Any] | None:
    # The second is known on a CPU alone.
    on_cpu = jax.default_backend() == "cpu"
    return {name: value for name, value in _QUICK.items() if on_cpu or "cpu" not in name} if quick else None


def _devices(n_devices: int) -> list[Any]:
    """The first devices of every process, process by process."""
    count = jax.process_count()
    return [d for p in range(count) for d in jax.local_devices(process_index=p)[: n_devices // count]]


def _gathered(local: Any, n_devices: int) -> Any:
    """Local leaves of all processes, [n_devices, B / n_devices, ...], on every one."""
    leaves, structure = jax.tree.flatten(local)
    parts = {i: x for i, x in enumerate(leaves) if x.ndim}
    words = {i: _words(x) for i, x in parts.items()}

    def gather(part: Any) -> Any:
        return jax.tree.map(lambda x: jax.lax.all_gather(x, AXIS), part)

    gathered = jax.pmap(gather, axis_name=AXIS, out_axes=None, devices=_devices(n_devices))(words)
    for i, x in parts.items():
        leaves[i] = jax.random.wrap_key_data(gathered[i], impl=jax.random.key_impl(x)) if _is_key(x) else gathered[i]
    return jax.tree.unflatten(structure, leaves)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def _words(x: Any) -> Any:
    return jax.random.key_data(x) if _is_key(x) else x


def _on_host(x: Any) -> Any:
    words: Any = np.asarray(_words(x))
    return jax.random.wrap_key_data(words, impl=jax.random.key_impl(x)) if _is_key(x) else words
