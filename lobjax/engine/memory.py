"""Batches of books that do not fit on a device: how much they take, and a line where XLA gives up for want of memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from lobjax.errors import InputError
from lobjax.types import MAX_CAPACITY

CHANGE = "run fewer books at a time or give them a smaller capacity"
MOST_FILL_ROWS = 1 << 22  # that leave a device at once: books are taken in chunks


@contextmanager
def said_in_one_line(what: str, *, change: str = CHANGE) -> Iterator[None]:
    """Turn XLA's own report that memory is exhausted into an InputError; other errors pass."""
    try:
        yield
    except Exception as error:
        said = str(error)
        # By name: the class is JAX's, which may not be imported here.
        if type(error).__name__ == "JaxRuntimeError" and "RESOURCE_EXHAUSTED" in said and "memory" in said.lower():
            raise InputError(f"{what} does not fit in the device's memory; {change}") from None
        raise


def result_bytes(books: int, messages: int, capacity: int) -> int:
    """About what any engine holds at least for streams `[books, messages]`: messages, lots, counters, and a listing of every book."""
    return books * (messages * (6 + 1) + 2 * capacity * 4 + 5) * 4


def stream_bytes(books: int, messages: int, capacity: int) -> int:
    """About what the engine `kernel` holds at once for streams `[books, messages]`: books, listings, messages, lots, fills."""
    held = min(books, max(1, MOST_FILL_ROWS // messages))
    slots = 1 << max(5, (min(capacity, MAX_CAPACITY) - 1).bit_length())
    words = 2 * slots * 5 + 2 * capacity * 4 + messages * (6 + 1 + 5)
    return held * words * 4
