"""Batches that do not fit on a device: said in one line, before running where their size is known, and where XLA gives up.

JAX is imported only when a device is asked: the reference runs without it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lobjax.errors import InputError
from lobjax.types import MAX_CAPACITY

CHANGE = "run fewer books at a time or give them a smaller capacity"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
MOST_FILL_ROWS = 1 << 22  # that leave a device at once: books are taken in chunks


def free_bytes() -> int | None:
    """Bytes that the default device can still give; None where it does not tell (a CPU)."""
    import jax

    stats = jax.local_devices()[0].memory_stats() or {}
    limit = stats.get("bytes_limit")
    return None if limit is None else max(0, limit - stats.get("bytes_in_use", 0))


def must_fit(needed: int, what: str, *, change: str = CHANGE, free: int | None = None) -> None:
    """InputError if `what` needs more bytes than are free; `free` None asks the device. Passes where that does not tell."""
    free = free_bytes() if free is None else free
    if free is not None and needed > free:
        raise InputError(f"{what} needs about {in_words(needed)} and the device has {in_words(free)} free; {change}")


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


def stream_bytes(books: int, messages: int, capacity: int) -> int:
    """About what the engine `kernel` holds at once for streams `[books, messages]`: books, listings, messages, lots, fills."""
    held = min(books, max(1, MOST_FILL_ROWS // messages))
    slots = 1 << max(5, (min(capacity, MAX_CAPACITY) - 1).bit_length())
    words = 2 * slots * 5 + 2 * capacity * 4 + messages * (6 + 1 + 5)
    return held * words * 4


def in_words(count: float) -> str:
    """'1.5 GiB'."""
    at = 0
    while count >= 1024 and at < len(_UNITS) - 1:
        count, at = count / 1024, at + 1
    return f"{count:.0f} {_UNITS[at]}" if count >= 100 else f"{count:.3g} {_UNITS[at]}"
