"""Streams of messages through an engine by name, where what it gives for them fits in memory."""

from lobjax.engine import memory
from lobjax.engine.engines import ENGINES, choose
from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.memory import exhaustion_as_input_error, machine_bytes, must_fit
from lobjax.types import Message


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
    with exhaustion_as_input_error(what, change=memory.CHANGE):
        return ENGINES[name]().run(messages, capacity)


def trace_streams(messages: Message, *, engine: str, capacity: int) -> StreamTrace:
    """As `run_streams`, with every book listed after every message: for tests and for looking closely at a short stream."""
    name = choose(engine, capacity).engine
    books, length = _shape(messages)
    what = f"engine {name}: {books:,} books of capacity {capacity}, listed after each of {length:,} messages"
    free = machine_bytes() if name == "reference" else None
    must_fit(memory.trace_bytes(books, length, capacity), what, change=memory.CHANGE, free=free)
    with exhaustion_as_input_error(what, change=memory.CHANGE):
        return ENGINES[name]().trace(messages, capacity)


def _shape(messages: Message) -> tuple[int, int]:
    """[B, M]; ValueError unless all fields have it, as compiled loops go by that of the first."""
    shapes = {tuple(field.shape) for field in messages}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2:
        raise ValueError(
            f"messages are {[tuple(field.shape) for field in messages]}; they must be of one shape [books, messages]"
        )
    return shape
