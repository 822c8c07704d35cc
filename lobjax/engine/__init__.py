"""Engines by name: the same messages give the same books, fills and counters, to the bit, whichever runs them."""

from typing import NamedTuple

from lobjax.engine.registry import Engine, from_module
from lobjax.engine.stream import StreamResult, Trace
from lobjax.errors import InputError, nearest
from lobjax.types import MAX_CAPACITY, Message

__all__ = ["ENGINES", "Choice", "Engine", "StreamResult", "Trace", "choose", "run_streams", "trace_streams"]

# `auto` takes the first that suits and can run. To add an engine: write a module with the functions of `Engine`, name it here.
# Modules are imported when first used, so that the reference runs without JAX.
ENGINES: dict[str, Engine] = {
    "kernel": from_module("lobjax.engine.kernel"),
    "host": from_module("lobjax.engine.host"),
    "xla": from_module("lobjax.engine.xla"),
    "reference": from_module("lobjax.engine.reference"),
}


class Choice(NamedTuple):
    """The engine taken, and why, in words."""

    engine: str
    reason: str


def choose(engine: str = "auto", capacity: int | None = None) -> Choice:
    """The engine to run: the one named, or by `auto` the best that can run here, for books of `capacity` orders a side.

    InputError if the engine is unknown or cannot run here, or the capacity is out of range (1 to 512).
    """
    if engine != "auto" and engine not in ENGINES:
        raise InputError(f"engine: unknown engine '{engine}'; {nearest(engine, [*ENGINES, 'auto'])}")
    if capacity is not None and not 1 <= capacity <= MAX_CAPACITY:
        raise InputError(f"capacity: {capacity} is out of range; choose 1 to {MAX_CAPACITY} orders a side")
    if engine != "auto":
        if why_not := ENGINES[engine].refusal(capacity):
            raise InputError(f"engine: {engine} cannot run, as {why_not}")
        return Choice(engine, "as asked")
    refused = ""
    for name, candidate in ENGINES.items():
        if not (why := candidate.suits()):
            continue
        if not (why_not := candidate.refusal(capacity)):
            return Choice(name, why + refused)
        refused += f"; {name} cannot run, as {why_not}"
    raise InputError(f"engine: none can run here{refused}")


def run_streams(messages: Message, *, engine: str, capacity: int) -> StreamResult:
    """Run int32 arrays `[B, M]` over B empty books that hold `capacity` (1 to 512) orders a side.

    engine: a name of `ENGINES`, or auto. InputError if it is unknown or cannot run here, or the capacity is out of range.
    """
    return ENGINES[choose(engine, capacity).engine].run(messages, capacity)


def trace_streams(messages: Message, *, engine: str, capacity: int) -> Trace:
    """As `run_streams`, with every book listed after every message: for tests and for looking closely at a short stream."""
    return ENGINES[choose(engine, capacity).engine].trace(messages, capacity)
