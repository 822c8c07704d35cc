"""The engine `reference`: one thread of Numba on sorted arrays, without JAX; every other engine is compared with it."""

from lobjax.engine.interface import StreamEngine
from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.reference import batch
from lobjax.types import Message


def run(messages: Message, capacity: int) -> StreamResult:
    """Run streams `[B, M]` (NumPy int32) over empty books. The contract is `StreamResult`'s."""
    return StreamResult(*batch.run(messages, capacity))


def trace(messages: Message, capacity: int) -> StreamTrace:
    """The same with every book listed after every message, for tests."""
    return StreamTrace(*batch.trace(messages, capacity))


ENGINE = StreamEngine(run=run, trace=trace, refusal=lambda capacity: None, suits=lambda: None)
