"""What a process keeps: memory, programs, arrays; and letting go of what tests keep in `functools` caches and JAX in its own."""

import ctypes
import functools
import gc
import os
import resource
import sys
from pathlib import Path

import jax

_WORTH_BYTES = 3 << 27  # less is not worth compiling again
_left = 0  # bytes that were left when this process last let go


def resident_bytes() -> int:
    """Memory of this process now; where the system does not say, the most that it had."""
    if sys.platform == "linux":
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def programs() -> int:
    """Compiled programs that are held, by whomever."""
    gc.collect()
    return len(jax.local_devices()[0].client.live_executables())


def arrays() -> int:
    """Arrays of JAX that are held, by whomever."""
    gc.collect()
    return len(jax.live_arrays())


def let_go_beyond(limit: int) -> bool:
    """Let go where this process holds more than `limit` bytes, and has grown since it last did: what will not go is not asked again."""
    global _left
    if resident_bytes() <= max(limit, _left + _WORTH_BYTES):
        return False
    let_go()
    _left = resident_bytes()
    return True


def let_go() -> None:
    """Empty the caches of the tests' modules and of JAX, and give what is free back to the system."""
    for module in [m for name, m in sys.modules.items() if name.partition(".")[0] == "tests"]:
        for value in list(vars(module).values()):
            if isinstance(value, functools._lru_cache_wrapper):
                value.cache_clear()
    jax.clear_caches()
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
        if trim is not None:
            trim(0)
