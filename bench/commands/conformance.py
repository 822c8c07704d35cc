"""`python -m bench conformance`: every engine against the reference on random streams, for people who doubt."""

import json
import time
from typing import Annotated

from bench.verification.streams import parts
from lobjax.errors import InputError
from lobjax.ranges import Length, Range, Seed, ranged


@ranged
def conformance(
    *,
    books: Annotated[int, Range(1, 10**9)] = 100,
    messages: Annotated[int, Range(1, 10**7)] = 2000,
    seed: Seed = 0,
    engines: str = "all",
    capacity: Annotated[tuple[Annotated[int, Range(1, 512)], ...], Length(1, 64)] = (8, 16, 64, 128, 512),
    ends: bool = False,
) -> None:
    """Compare engines with the reference, to the bit, on random streams of every kind of message and market.

    Books, lots traded, fills and counters are compared after every message. Where an engine differs, the stream is shrunk to
    the shortest that shows it, printed as a pytest function, and the exit status is 1. One JSON object on the last line.

    Args:
        books: Streams at each capacity, each over a book of its own.
        messages: Messages in a stream.
        seed: Of the streams; the same seed draws the same streams.
        engines: Names separated by commas, or all: whatever is registered and can run here.
        capacity: Orders that a side of a book can hold, 1 to 512; one or several.
        ends: Compare books and counters after the last message only (lots traded and fills of every message all the same): much
            faster, for long runs.
    """
    parts.check(messages, capacity, ends)
    from bench.verification.streams import conformance as work

    begun, chosen = time.perf_counter(), work.engines_named(engines)
    able = {n: work.able_at(chosen, n, asked=engines != "all") for n in capacity}
    compared = {name: 0 for name in chosen if any(name in names for names in able.values())}
    if not compared:
        raise InputError("--engines all: no engine but the reference can run here; name one to be told why")
    wrong, differed = 0, set()  # one difference of an engine is enough to work on
    for n in capacity:
        names = [name for name in able[n] if name not in differed]
        for name, count, streams in work.compare(names, n, books, messages, seed, ends):
            compared[name] += streams * messages
            wrong += count
            if count:
                differed.add(name)
    seconds = round(time.perf_counter() - begun, 1)
    verdict = f"{wrong} streams differ" if wrong else "no difference"
    print(f"{', '.join(compared)} against the reference: {sum(compared.values()):,} messages, {verdict}, {seconds} s")
    record = {
        "engines": [*compared],
        "books": books,
        "messages": messages,
        "capacities": [*capacity],
        "seed": seed,
        "compared": "ends" if ends else "every message",
        "compared_messages": sum(compared.values()),
        "differences": wrong,
        "seconds": seconds,
    }
    print(json.dumps(record))
    if wrong:
        raise SystemExit(1)
