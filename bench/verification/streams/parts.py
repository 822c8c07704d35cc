"""How the streams of `bench conformance` are cut into parts whose results fit in memory."""

from collections.abc import Sequence

from lobjax.errors import InputError

PART_BYTES = 1 << 27  # of the listings of a part: 32 bytes an order's place and message
PART_MESSAGES = 1 << 21  # of a part that is compared at its end


def held(books: int, length: int, capacity: int, ends: bool) -> int:
    """Streams in one part."""
    listings = PART_BYTES // (capacity * 32)  # of all orders of a book
    most = min(PART_MESSAGES // length, listings) if ends else listings // length
    return min(books, most)


def check(messages: int, capacity: Sequence[int], ends: bool) -> None:
    """InputError for streams that no part can hold."""
    if messages > (most := PART_MESSAGES if ends else held(10**9, 1, max(capacity), ends)):
        other = "take more books" if ends else "take more books, or --ends"
        raise InputError(f"--messages {messages}: a stream may have {most:,} at capacity {max(capacity)}; {other}")
