"""How much memory streams of messages over many books take."""

from lobjax.types import MAX_CAPACITY

CHANGE = "run fewer books at a time or give them a smaller capacity"
MOST_FILL_ROWS = 1 << 22  # that leave a device at once: books are taken in chunks


def result_bytes(books: int, messages: int, capacity: int) -> int:
    """About what any engine holds at least for streams `[books, messages]`: messages, lots, counters, and a listing of every book."""
    return books * (messages * (6 + 1) + 2 * capacity * 4 + 5) * 4


def trace_bytes(books: int, messages: int, capacity: int) -> int:
    """About what any engine holds at least where every book is listed after every message."""
    return books * messages * (6 + 1 + 2 * capacity * 4) * 4


def stream_bytes(books: int, messages: int, capacity: int) -> int:
    """About what the engine `kernel` holds at once for streams `[books, messages]`: books, listings, messages, lots, fills."""
    held = min(books, max(1, MOST_FILL_ROWS // messages))
    slots = 1 << max(5, (min(capacity, MAX_CAPACITY) - 1).bit_length())
    words = 2 * slots * 5 + 2 * capacity * 4 + messages * (6 + 1 + 5)
    return held * words * 4
