"""The compiled programs of an environment. Adapters that play one configuration share them, and the last one to go takes them along."""

from functools import cached_property, partial
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import jax
import jax.numpy as jnp

from lobjax.env.gymnasium.ladder import ladder_of
from lobjax.flow import data_files
from lobjax.settings import IMPLEMENTATION, settled
from lobjax.tasks import EnvConfig, make


class Programs:
    """Batches of `env`: every function is compiled once for each size of a batch. Copies and pickles stand for the same programs."""

    def __init__(self, env: Any, config: EnvConfig | None = None) -> None:
        self.env, self._config = env, config
        self.keys = jax.jit(jax.vmap(_own_key))
        self.reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))
        self.begin = jax.jit(partial(_begin, env))
        self.step = jax.jit(partial(_step, env))
        self.where = jax.jit(_where)

    @cached_property
    def ladder(self) -> Any:
        """Of a batch of states, what `lobjax.env.gymnasium.ladder` shows."""
        return jax.jit(jax.vmap(ladder_of))

    def __reduce__(self) -> Any:
        if self._config is not None:
            return programs_of_config, (self._config,)
        return programs_of, (self.env,)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Programs":
        return self


_BY_ENV: WeakValueDictionary[int, Programs] = WeakValueDictionary()  # by id: programs keep their environment alive
_BY_CONFIG: WeakValueDictionary[Any, Programs] = WeakValueDictionary()


def programs_of(env: Any) -> Programs:
    """The programs of an environment."""
    programs = _BY_ENV.get(id(env))
    if programs is None:
        _BY_ENV[id(env)] = programs = Programs(env)
    return programs


def programs_of_config(config: EnvConfig) -> Programs:
    """The programs of a configuration and, where it plays a record, of the files as they are now."""
    key = (config, _stamps(config))
    try:
        hash(config)
    except TypeError:  # one with lists for tuples stands for itself
        return Programs(make(config), config)
    programs = _BY_CONFIG.get(key)
    if programs is None:
        _BY_CONFIG[key] = programs = Programs(make(config), config)
        _BY_ENV[id(programs.env)] = programs
    return programs


def _stamps(config: EnvConfig) -> tuple[Any, ...]:
    """Name, size and time of every file that a recorded flow is read from; nothing of one that is absent."""
    named = [path.absolute() for path in data_files(config.flow)]
    try:
        inside = [one for path in named if path.is_dir() for one in sorted(path.iterdir())]
        return tuple(_stamp(path) for path in [*named, *inside] if path.exists())
    except OSError:  # `make` says what is wrong with it, in a line
        return ()


def _stamp(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return str(path), found.st_size, found.st_mtime_ns


@settled
def _own_key(low: jax.Array, high: jax.Array, number: jax.Array) -> jax.Array:
    """The key that one environment plays on; of a seed below 2^32 it is fold_in(key(seed), number)."""
    key = jax.random.key(low, impl=IMPLEMENTATION)
    return jax.random.fold_in(jnp.where(high > 0, jax.random.fold_in(key, high), key), number)


def _begin(env: Any, own: jax.Array, calls: jax.Array, params: Any) -> Any:
    """New episodes: (observation, state), on keys fold_in(own, calls)."""
    keys = jax.vmap(jax.random.fold_in)(own, calls)
    return jax.vmap(env.reset, in_axes=(0, None))(keys, params)


@settled
def _step(env: Any, own: jax.Array, calls: jax.Array, state: Any, actions: jax.Array, params: Any) -> Any:
    """A transition, and the keys of the resets that may follow it: those that `env.step` would take."""

    def one(own: jax.Array, call: jax.Array, state: Any, action: jax.Array, params: Any) -> Any:
        step_key, reset_key = jax.random.split(jax.random.fold_in(own, call))
        return env.transition(step_key, state, action, params), reset_key

    return jax.vmap(one, in_axes=(0, 0, 0, 0, None))(own, calls, state, actions, params)


def _where(mask: jax.Array, new: Any, old: Any) -> Any:
    def choose(x: jax.Array, y: jax.Array) -> jax.Array:
        if jnp.issubdtype(
            x.dtype, jax.dtypes.prng_key
        ):  # by their words: JAX takes a key that was chosen for a used one
            words = choose(jax.random.key_data(x), jax.random.key_data(y))
            return jax.random.wrap_key_data(words, impl=jax.random.key_impl(x))
        return jnp.where(mask.reshape(-1, *(1,) * (x.ndim - 1)), x, y)

    return jax.tree.map(choose, new, old)
