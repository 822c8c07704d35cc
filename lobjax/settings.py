"""What JAX's own settings may not change: the numbers that this package gives, and that it runs.

Types are stated wherever a number is made, so that `jax_enable_x64` changes none. The rest is fixed here, where a call comes in from
outside: random numbers are Threefry's in its partitionable form (other generators give numbers that depend on how many are drawn side
by side), code of other packages promotes as it was written to, and constants are handed to a device on purpose.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.errors import InputError

IMPLEMENTATION = "threefry2x32"
_NARROW = {"int64": jnp.int32, "uint64": jnp.uint32, "float64": jnp.float32}
_BY_HALVES = ("rbg", "unsafe_rbg")  # their keys are two of Threefry's, derived in the same way


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw and promote as this package is written to, and count transfers to the device as meant."""
    with (
        jax.threefry_partitionable(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.transfer_guard("allow"),
    ):
        yield


@contextmanager
def of_32_bits() -> Iterator[None]:
    """As `own_settings`, for another package's arithmetic on arrays of 32 bits, which would widen between them where x64 is on."""
    with own_settings(), jax.enable_x64(False):
        yield


def settled(function: Callable) -> Callable:
    """`function` under `own_settings`."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with own_settings():
            return function(*args, **kwargs)

    return call


def drawing(method: Callable) -> Callable:
    """A method whose first argument is a random key (or an array of them), under `own_settings` and with `threefry` of that key."""

    @wraps(method)
    def call(self: Any, key: jax.Array, *args: Any, **kwargs: Any) -> Any:
        with own_settings():
            return method(self, threefry(key), *args, **kwargs)

    return call


def narrowed(tree: Any) -> Any:
    """Arrays of 64 bits as 32, the rest as it is: numbers and actions of whoever stated no type where x64 is on."""

    def one(leaf: Any) -> Any:
        narrow = _NARROW.get(str(getattr(leaf, "dtype", "")))
        return leaf if narrow is None else jnp.asarray(leaf, narrow)

    return jax.tree.map(one, tree)


def key_of(seed: int) -> jax.Array:
    """The random key of a seed, of which the lowest 32 bits count (what JAX does without x64)."""
    with own_settings():
        return jax.random.key(np.uint32(seed % 2**32), impl=IMPLEMENTATION)


def threefry(key: jax.Array) -> jax.Array:
    """A random key (typed, or words `[..., 2]` or `[..., 4]`) as one of Threefry's. InputError for a generator that has no such keys."""
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    name = str(jax.random.key_impl(key)) if typed else _raw_implementation(key)
    if name == IMPLEMENTATION and typed:
        return key
    if name != IMPLEMENTATION and name not in _BY_HALVES:
        raise InputError(
            f"random keys of '{name}' cannot be used here; set jax_default_prng_impl to {IMPLEMENTATION}, or make the key with "
            f"jax.random.key(seed, impl='{IMPLEMENTATION}')"
        )
    words = jax.random.key_data(key) if typed else key
    return jax.random.wrap_key_data(words[..., :2], impl=IMPLEMENTATION)


def split_each(keys: jax.Array, count: int = 2) -> tuple[jax.Array, ...]:
    """Each of `keys` `[B]` split: `count` arrays `[B]`. Taken apart by columns, as JAX's check of key reuse wants it."""
    split = jax.vmap(partial(jax.random.split, num=count))(keys)
    return tuple(split[:, i] for i in range(count))


def split_to_scan(key: jax.Array, count: int) -> jax.Array:
    """A key split in `count`, for `scan` to go over: words `[count, 2]`, as JAX's check of key reuse does not follow keys through it."""
    return jax.random.key_data(jax.random.split(key, count))


def _raw_implementation(key: jax.Array) -> str:
    width = key.shape[-1] if key.ndim else 0
    known = {2: IMPLEMENTATION, 4: _BY_HALVES[0]}
    return known.get(width, "unknown") if key.dtype == jnp.uint32 else "unknown"
