"""Timing one compiled program: compile time apart from run time, everything on the device before and after, memory."""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax

LEAST_S = 0.05  # that one run lasts: short calls are repeated
MOST_CALLS = 500


class Compiled(NamedTuple):
    """A program ready to run, the seconds that tracing, lowering and compiling took, and the bytes that it needs on the device."""

    call: Callable
    seconds: float
    numba: bool  # whether Numba compiled code in that time, rather than to load or hold it
    bytes_needed: int

    def record(self) -> dict[str, Any]:
        """The record's part on compiling."""
        return {"compile_s": round(self.seconds, 3), "compiled_numba": self.numba}


class Timed(NamedTuple):
    """Seconds of a call in each run (the mean over its calls), the calls of a run, and what the last call gave."""

    seconds: list[float]
    calls: int
    result: Any


def compiled(function: Callable, *arguments: Any, donate: tuple[int, ...] = ()) -> Compiled:
    """Compile for arguments, which may be shapes. Numba code that it calls is compiled or loaded in this time too."""
    begun, cached = time.perf_counter(), numba_files()
    program = jax.jit(function, donate_argnums=donate).lower(*arguments).compile()
    seconds = time.perf_counter() - begun
    return Compiled(program, seconds, numba_files() != cached, needed_bytes(program.memory_analysis()))


def numba_files() -> int:
    """Files in Numba's cache: more of them after than before tell that it compiled something."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    return sum(1 for _ in Path(folder).rglob("*.nb?")) if folder else 0


def needed_bytes(memory: Any) -> int:
    """Arguments, results and temporaries of a compiled program, without what results share with arguments."""
    if memory is None:
        return 0
    return (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        + memory.temp_size_in_bytes
        - memory.alias_size_in_bytes
    )


def timed(call: Callable, prepare: Callable[[], tuple], runs: int) -> Timed:
    """Time `call(*prepare())` over `runs`, after two calls that are not counted. Only the call is timed, until its result is there."""
    _once(call, prepare)  # the first call also loads the program
    first, result = _once(call, prepare)
    calls = max(1, min(MOST_CALLS, round(LEAST_S / max(first, 1e-6))))
    seconds = []
    for _ in range(runs):
        total = 0.0
        for _ in range(calls):
            result = None  # before the next is made: two need not fit
            spent, result = _once(call, prepare)
            total += spent
        seconds.append(total / calls)
    return Timed(seconds, calls, result)


def _once(call: Callable, prepare: Callable[[], tuple]) -> tuple[float, Any]:
    arguments = jax.block_until_ready(prepare())
    begun = time.perf_counter()
    result = jax.block_until_ready(call(*arguments))
    return time.perf_counter() - begun, result


def device_peak() -> int:
    """The most bytes that the device held so far in this process; 0 where it does not tell."""
    return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)


def memory_record(bytes_needed: int, peak_before: int) -> dict[str, Any]:
    """Peak memory and how it is known: what the device counted, where this measurement raised it, else the program's own analysis."""
    peak = device_peak()
    counted = peak > peak_before
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "peak_memory_bytes": peak if counted else bytes_needed,
        "peak_memory_from": "memory_stats" if counted else "memory analysis of the compiled program",
        "process_max_rss_bytes": largest,  # of everything that this process did so far
    }
