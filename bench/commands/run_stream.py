"""`python -m bench run-stream`: anyone's streams through any engine, to check it against a book of one's own."""

import sys
from pathlib import Path
from typing import Annotated

from lobjax.errors import InputError
from lobjax.ranges import Range, ranged


@ranged
def run_stream(path: Path, /, *, engine: str, capacity: Annotated[int, Range(1, 512)], out: Path) -> None:
    """Run one engine on a file of message streams, each over a book of its own that starts empty.

    PATH is a .npz of integer arrays [books, messages]: kind, side, price, size, order_id, owner. Kinds: 0 NOOP, 1 LIMIT,
    2 CANCEL, 3 DELETE, 4 MARKET, 5 IOC, 6 FOK, 7 POST_ONLY, 8 REPLACE, 9 REDUCE; side 0 buys, 1 sells.

    OUT is a .npz of int32 arrays: bids, asks [books, capacity, 4] (price, size, order_id, owner; best first, zero padded);
    traded [books, messages], lots; fills [fills, 6] (book, message, resting id, resting owner, price, lots; in order of
    execution); and the counters unknown, invalid, refused, displaced, stp [books].

    Args:
        path: The streams to run (.npz).
        engine: Who runs them: host (Numba, all cores), kernel (GPU), xla (JAX), reference (Numba, one core), or auto. All give the same.
        capacity: Orders that a side of a book can hold, 1 to 512.
        out: Where the result goes (.npz); written whole or not at all.
    """
    from lobjax.engine import choose, run_streams
    from lobjax.engine.stream import read_streams, write_result

    messages = read_streams(path)
    if out.exists() and out.samefile(path):
        raise InputError(f"--out: {out} is the input itself; choose another file")
    name, why = choose(engine, capacity)
    result = run_streams(messages, engine=name, capacity=capacity)
    write_result(out, result)
    books, length = messages.kind.shape
    print(f"{name} ({why}): {books} books of {length} messages, {len(result.fills)} fills, in {out}", file=sys.stderr)
