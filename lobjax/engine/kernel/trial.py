"""Whether the GPU kernels may be trusted on this machine: before `auto` takes them, they are tried here against the reference.

A kernel is compiled by whatever versions of XLA, Triton and the driver are installed: that it was right on another machine is not enough.
"""

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lobjax.engine import reference
from lobjax.engine.kernel import call
from lobjax.engine.random_streams import random_streams

BOOKS, MESSAGES, CAPACITY = 256, 64, 32


def tried(what: str, trial: Callable[[], bool]) -> bool:
    """Whether `trial` runs and finds no difference; if not, a warning says what became of it.

    It runs in a thread of its own: an engine may be chosen while a program is traced, and the trial must not become part of it.
    """
    with ThreadPoolExecutor(1) as alone:
        try:
            found = "" if alone.submit(trial).result() else "it differs from the reference"
        except Exception as error:  # whatever a compiler or driver may raise; it is said in the warning
            found = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if found:
        warnings.warn(f"{what} is passed over on this machine: {found}; please report it", RuntimeWarning, stacklevel=2)
    return not found


def kernel_equals_reference() -> bool:
    """Whether the kernel gives what the reference gives, on random streams of every kind of message."""
    messages = random_streams(1, BOOKS, MESSAGES)
    expected, found = (engine.run(messages, CAPACITY) for engine in (reference, call))
    return all(map(np.array_equal, expected, found))
