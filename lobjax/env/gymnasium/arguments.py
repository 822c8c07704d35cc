"""What callers pass besides actions: seeds, options, modes. Each is taken in one meaning, or refused in one line."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from lobjax.env.memory import stepping
from lobjax.errors import InputError, nearest

_MANY = 4096  # environments; fewer fit wherever one does, and are not asked for


class InvalidArgument(InputError, ValueError):
    """A bad argument of an adapter; a ValueError too, which is what users of Gymnasium expect."""


class Seeds(NamedTuple):
    """Where n environments draw from, uint32 `[n]` each: environment i plays on the key fold_in(key(seed), number)."""

    low: np.ndarray  # the lower word of the seed
    high: np.ndarray  # the upper one
    number: np.ndarray


def shown(value: Any) -> str:
    """A value in a line of an error."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def count(value: Any, name: str) -> int:
    """A whole number of at least 1."""
    if (whole := _whole(value)) is None or whole < 1:
        raise InvalidArgument(f"{name}: {shown(value)}; give a whole number, at least one")
    return whole


def check_memory(env: Any, n: int) -> None:
    """Refuse more environments than the device has memory for, before there are any."""
    if n < _MANY:
        return
    try:
        stepping(env, n, "make fewer").check(f"{n:,} environments")
    except InputError as error:
        raise InvalidArgument(f"n_envs: {error}") from None


def one_seed(seed: Any, where: str = "seed") -> int:
    """A seed as a Python integer; any integer type is one."""
    if (whole := _whole(seed)) is None:
        raise InvalidArgument(f"{where}: {shown(seed)} is not an integer; give one from 0 to 2^64 - 1")
    if not 0 <= whole < 1 << 64:
        raise InvalidArgument(f"{where}: {whole} is out of range; give one from 0 to 2^64 - 1")
    return whole


def is_list(seed: Any) -> bool:
    """Whether a seed is meant as one seed an environment."""
    return (isinstance(seed, Sequence) and not isinstance(seed, (str, bytes))) or np.ndim(seed) > 0


def seed_list(seed: Any, n: int) -> list[int | None]:
    """One seed an environment; None where one is to be drawn."""
    shape = tuple(seed.shape) if hasattr(seed, "shape") else (len(seed),)
    if shape != (n,):
        raise InvalidArgument(f"seed: shape {shape} for {n} environments; give one an environment, or one for all")
    return [None if one is None else one_seed(one, f"seed[{i}]") for i, one in enumerate(seed)]


def same_seed(seed: int, n: int) -> Seeds:
    """One seed for all: they are told apart by their number."""
    low, high = (np.full(n, word, np.uint32) for word in (seed % 2**32, seed >> 32))
    return Seeds(low, high, np.arange(n, dtype=np.uint32))


def own_seeds(seeds: Iterable[int]) -> Seeds:
    """A seed for each: it plays as the first environment, and as a single one, does with that seed."""
    words = np.array([(seed % 2**32, seed >> 32) for seed in seeds], np.uint32)
    return Seeds(words[:, 0], words[:, 1], np.zeros(len(words), np.uint32))


def options_mask(options: Any, n: int | None) -> np.ndarray | None:
    """The option `reset_mask` bool `[n]`, or None for all. A single environment (n None) has no options."""
    if options is None:
        return None
    if not isinstance(options, dict):
        raise InvalidArgument(f"options: {shown(options)} is not a dictionary; give one, or None")
    known = [] if n is None else ["reset_mask"]
    if unknown := sorted(str(name) for name in options if name not in known):
        hint = f"; {nearest(unknown[0], known)}" if known else "; this environment has none"
        raise InvalidArgument(f"options {unknown} are not known{hint}")
    if n is None or not options:
        return None
    try:
        mask = np.asarray(options["reset_mask"])
    except (ValueError, TypeError, RuntimeError):
        raise InvalidArgument(f"options['reset_mask']: not an array; give a boolean one of shape ({n},)") from None
    if mask.dtype != bool or mask.shape != (n,):
        raise InvalidArgument(f"options['reset_mask']: {mask.dtype} {mask.shape}; give a boolean array of shape ({n},)")
    if not mask.any():
        raise InvalidArgument("options['reset_mask']: no environment is named; name at least one, or leave it out")
    return mask.copy()


def autoreset_of(mode: Any) -> AutoresetMode:
    """A mode by itself or by its value, as "NextStep"."""
    if isinstance(mode, AutoresetMode):
        return mode
    values = {known.value: known for known in AutoresetMode}
    if mode not in values:
        raise InvalidArgument(f"autoreset_mode: {shown(mode)} is not known; {nearest(str(mode), values)}")
    return values[mode]


def render_mode_of(mode: Any, known: Sequence[str], env: Any) -> str | None:
    """One of the modes `known`, or None."""
    if mode is None:
        return None
    if mode not in known:
        raise InvalidArgument(f"render_mode: {shown(mode)} is not known; {nearest(str(mode), known)}")
    if not hasattr(env, "market"):
        raise InvalidArgument(f"render_mode: {type(env).__name__} has no book to draw; leave it out")
    return mode


def _whole(value: Any) -> int | None:
    """An integer of any type, or None: neither a truth value nor a float is one."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None
