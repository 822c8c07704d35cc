"""Engines by name: the same messages give the same books, fills and counters, to the bit, whichever runs them."""

from collections.abc import Callable

from lobjax.engine.stream import StreamResult, Trace
from lobjax.errors import InputError, nearest
from lobjax.types import MAX_CAPACITY, Message

# Each engine is imported when first used, so that the reference runs without JAX and the others without Numba.


def _run_reference(messages: Message, capacity: int) -> StreamResult:
    from lobjax.reference import batch

    return StreamResult(*batch.run(messages, capacity))


def _trace_reference(messages: Message, capacity: int) -> Trace:
    from lobjax.reference import batch

    return Trace(*batch.trace(messages, capacity))


def _run_xla(messages: Message, capacity: int) -> StreamResult:
    from lobjax.engine import xla

    return xla.run(messages, capacity)


def _trace_xla(messages: Message, capacity: int) -> Trace:
    from lobjax.engine import xla

    return xla.trace(messages, capacity)


ENGINES: dict[str, Callable[[Message, int], StreamResult]] = {"reference": _run_reference, "xla": _run_xla}
TRACERS: dict[str, Callable[[Message, int], Trace]] = {"reference": _trace_reference, "xla": _trace_xla}


def run_streams(messages: Message, *, engine: str, capacity: int) -> StreamResult:
    """Run int32 arrays `[B, M]` over B empty books that hold `capacity` (1 to 512) orders a side.

    InputError if the engine is unknown or the capacity out of range.
    """
    return _chosen(ENGINES, engine, capacity)(messages, capacity)


def trace_streams(messages: Message, *, engine: str, capacity: int) -> Trace:
    """As `run_streams`, with every book listed after every message: for tests and for looking closely at a short stream."""
    return _chosen(TRACERS, engine, capacity)(messages, capacity)


def _chosen(table: dict[str, Callable], engine: str, capacity: int) -> Callable:
    if engine not in table:
        raise InputError(f"engine: unknown engine '{engine}'; {nearest(engine, table)}")
    if not 1 <= capacity <= MAX_CAPACITY:
        raise InputError(f"capacity: {capacity} is out of range; choose 1 to {MAX_CAPACITY} orders a side")
    return table[engine]
