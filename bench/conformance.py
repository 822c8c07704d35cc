"""`python -m bench conformance`: every engine against the reference on random streams, for people who doubt.

Streams are drawn and compared in parts whose results fit in memory. All parts at a capacity have one shape, so that XLA compiles once.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from bench.difference import Result, as_test, batch_as_test, differing_books
from bench.shrink import Probe, shrink
from lobjax.engine import ENGINES, run_streams, trace_streams
from lobjax.engine.random_streams import random_streams
from lobjax.errors import InputError, nearest
from lobjax.types import MAX_CAPACITY, Message

PART_BYTES = 1 << 27  # of the listings of a part: 32 bytes an order's place and message
PART_MESSAGES = 1 << 21  # of a part that is compared at its end
SAY_EVERY_S = 5.0


def conformance(
    *,
    books: int = 100,
    messages: int = 2000,
    seed: int = 0,
    engines: str = "all",
    capacity: tuple[int, ...] = (8, 16, 64, 128, 512),
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
    _check(books, messages, seed, capacity, ends)
    begun, chosen = time.perf_counter(), _chosen(engines)
    able = {n: _able(chosen, n, asked=engines != "all") for n in capacity}
    compared = {name: 0 for name in chosen if any(name in names for names in able.values())}
    if not compared:
        raise InputError("--engines all: no engine but the reference can run here; name one to be told why")
    wrong, differed = 0, set()  # one difference of an engine is enough to work on
    for n in capacity:
        names = [name for name in able[n] if name not in differed]
        for name, count, streams in _compare(names, n, books, messages, seed, ends):
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


def draw(*, seed: int, capacity: int, part: int, books: int, held: int, length: int) -> Message:
    """One part: `held` streams, of which the last part of `books` fills those beyond with NOOPs."""
    streams = random_streams((seed, capacity, part), held, length)
    asked = np.arange(held)[:, None] < books - part * held
    return Message(*(field * asked for field in streams))


def _check(books: int, messages: int, seed: int, capacity: Sequence[int], ends: bool) -> None:
    for name, value, least in (("books", books, 1), ("messages", messages, 1), ("seed", seed, 0)):
        if value < least:
            raise InputError(f"--{name} {value}: too small; give at least {least}")
    if wrong := [n for n in capacity if not 1 <= n <= MAX_CAPACITY]:
        raise InputError(f"--capacity {wrong[0]}: out of range; choose 1 to {MAX_CAPACITY} orders a side")
    if not capacity:
        raise InputError("--capacity: none given; name one or several")
    if messages > (most := _held(10**9, 1, max(capacity), ends)):
        other = "take more books" if ends else "take more books, or --ends"
        raise InputError(f"--messages {messages}: a stream may have {most:,} at capacity {max(capacity)}; {other}")


def _held(books: int, length: int, capacity: int, ends: bool) -> int:
    """Streams in one part."""
    most = PART_MESSAGES // length if ends else PART_BYTES // (length * capacity * 32)
    return min(books, most)


def _chosen(engines: str) -> list[str]:
    known = [name for name in ENGINES if name != "reference"]
    names = known if engines == "all" else list(dict.fromkeys(name.strip() for name in engines.split(",")))
    for name in names:
        if name not in known:
            raise InputError(
                f"--engines: '{name}' is none to compare with the reference; {nearest(name, known)}, or all"
            )
    return [*names]


def _able(engines: list[str], capacity: int, *, asked: bool) -> list[str]:
    """Those that can run here; an engine that was asked for by name must."""
    able = []
    for name in engines:
        if not (reason := ENGINES[name].refusal(capacity)):
            able.append(name)
        elif asked:
            raise InputError(f"--engines: {name} cannot run at capacity {capacity}, as {reason}")
        else:
            print(f"capacity {capacity}: {name} is left out, as {reason}", file=sys.stderr)
    return able


def _compare(
    engines: list[str], capacity: int, books: int, length: int, seed: int, ends: bool
) -> Iterator[tuple[str, int, int]]:
    """Run all parts at a capacity; yields (engine, streams that differ, streams compared). An engine that differed is dropped."""
    held = _held(books, length, capacity, ends)
    function = run_streams if ends else trace_streams
    seconds, said = dict.fromkeys(("reference", *engines), 0.0), time.perf_counter()

    def timed(name: str, messages: Message) -> Result:
        begun = time.perf_counter()
        result = function(messages, engine=name, capacity=capacity)
        seconds[name] += time.perf_counter() - begun
        return result

    engines = [*engines]
    for part, first in enumerate(range(0, books, held)):
        arguments = {"seed": seed, "capacity": capacity, "part": part, "books": books, "held": held, "length": length}
        messages, done = draw(**arguments), min(books, first + held)
        expected = timed("reference", messages)
        for name in [*engines]:
            differs = differing_books(expected, timed(name, messages))[: done - first]
            if differs.any():
                engines.remove(name)
                _report(
                    name,
                    capacity,
                    messages,
                    differs,
                    f"draw({', '.join(f'{k}={v}' for k, v in arguments.items())})",
                    ends,
                )
            yield name, int(differs.sum()), done - first
        if done == books or time.perf_counter() - said > SAY_EVERY_S:
            said = time.perf_counter()
            rates = ", ".join(f"{name} {done * length / seconds[name]:,.0f}" for name in ("reference", *engines))
            print(
                f"capacity {capacity}: {done * length:,} of {books * length:,} messages; messages/s with compiling: {rates}",
                file=sys.stderr,
            )


def _report(engine: str, capacity: int, messages: Message, differs: np.ndarray, call: str, ends: bool) -> None:
    """Shrink the first stream that differs, and print it as a test."""
    function = run_streams if ends else trace_streams
    book = int(np.argmax(differs))
    print(
        f"capacity {capacity}: {engine} differs in {differs.sum()} of {len(differs)} streams; shrinking",
        file=sys.stderr,
    )
    rows = np.stack([field[book] for field in messages], axis=1).astype(np.int64)
    probe = Probe(engine, capacity, function)
    if probe.differs([rows])[0]:
        rows = shrink(rows, probe)
    if probe.differs_alone(rows):
        print(as_test(rows, engine, capacity, function.__name__))
    else:
        print(f"{engine}: stream {book} differs only in its batch; the test plays the whole batch", file=sys.stderr)
        print(batch_as_test(call, engine, capacity, function.__name__))
