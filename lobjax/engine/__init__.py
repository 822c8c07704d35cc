"""Engines by name: the same messages give the same books, fills and counters, to the bit, whichever runs them."""

from functools import partial

from lobjax.engine import memory
from lobjax.engine.registry import Candidate, Choice, Engine, from_module, pick
from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.errors import InputError
from lobjax.memory import machine_bytes, must_fit
from lobjax.types import MAX_CAPACITY, Message

__all__ = ["ENGINES", "Choice", "Engine", "StreamResult", "StreamTrace", "choose", "run_streams", "trace_streams"]

# `auto` takes the first that suits and can run. To add an engine: write a module with the functions of `Engine`, name it here.
# Modules are imported when first used, so that the reference runs without JAX.
ENGINES: dict[str, Engine] = {
    "kernel": from_module("lobjax.engine.kernel"),
    "host": from_module("lobjax.engine.host"),
    "xla": from_module("lobjax.engine.xla"),
    "reference": from_module("lobjax.engine.reference"),
}


def choose(engine: str = "auto", capacity: int | None = None) -> Choice:
    """The engine to run: the one named, or by `auto` the best that can run here, for books of `capacity` orders a side.

    InputError if the engine is unknown or cannot run here, or the capacity is out of range (1 to 512).
    """
    if capacity is not None and not 1 <= capacity <= MAX_CAPACITY:
        raise InputError(f"capacity: {capacity} is out of range; choose 1 to {MAX_CAPACITY} orders a side")
    return pick(engine, {name: Candidate(e.suits, partial(e.refusal, capacity)) for name, e in ENGINES.items()})


def run_streams(messages: Message, *, engine: str, capacity: int) -> StreamResult:
    """Run int32 arrays `[B, M]` over B empty books that hold `capacity` (1 to 512) orders a side.

    engine: a name of `ENGINES`, or auto. InputError if it is unknown or cannot run here, the capacity is out of range, or the
    device has too little memory. ValueError if the arrays are not of one shape.
    """
    name = choose(engine, capacity).engine
    books, length = _shape(messages)
    what = f"engine {name}: a call of {books:,} books of capacity {capacity}"
    if name == "kernel":
        must_fit(memory.stream_bytes(books, length, capacity), what, change=memory.CHANGE)
    else:
        # The reference asks no device: it runs without JAX.
        free = machine_bytes() if name == "reference" else None
        must_fit(memory.result_bytes(books, length, capacity), what, change=memory.CHANGE, free=free)
    with memory.said_in_one_line(what):
        return ENGINES[name].run(messages, capacity)


def trace_streams(messages: Message, *, engine: str, capacity: int) -> StreamTrace:
    """As `run_streams`, with every book listed after every message: for tests and for looking closely at a short stream."""
    name = choose(engine, capacity).engine
    with memory.said_in_one_line(f"{name}: {_shape(messages)[0]:,} books of capacity {capacity}, all listed"):
        return ENGINES[name].trace(messages, capacity)


def _shape(messages: Message) -> tuple[int, int]:
    """[B, M]; ValueError unless all fields have it, as compiled loops go by that of the first."""
    shapes = {tuple(field.shape) for field in messages}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2:
        raise ValueError(
            f"messages are {[tuple(field.shape) for field in messages]}; they must be of one shape [books, messages]"
        )
    return shape
