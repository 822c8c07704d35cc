"""`python -m bench conformance`: every engine against the reference on random streams, for people who doubt.

Streams are drawn and compared in parts whose results fit in memory. All parts at a capacity have one shape, so that XLA compiles once.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np

from bench.verification.streams import parts
from bench.verification.streams.difference import Result, as_test, batch_as_test, differing_books
from bench.verification.streams.shrink import Probe, shrink
from lobjax.engine import ENGINES, run_streams, trace_streams
from lobjax.engine.random_streams import random_streams
from lobjax.errors import InputError, nearest
from lobjax.types import Message

SAY_EVERY_S = 5.0


def draw(*, seed: int, capacity: int, part: int, books: int, held: int, length: int) -> Message:
    """One part: `held` streams, of which the last part of `books` fills those beyond with NOOPs."""
    streams = random_streams((seed, capacity, part), held, length)
    asked = np.arange(held)[:, None] < books - part * held
    return Message(*(field * asked for field in streams))


def engines_named(engines: str) -> list[str]:
    known = [name for name in ENGINES if name != "reference"]
    names = known if engines == "all" else list(dict.fromkeys(name.strip() for name in engines.split(",")))
    for name in names:
        if name not in known:
            raise InputError(
                f"--engines: '{name}' is none to compare with the reference; {nearest(name, known)}, or all"
            )
    return [*names]


def able_at(engines: list[str], capacity: int, *, asked: bool) -> list[str]:
    """Those that can run here; an engine that was asked for by name must."""
    able = []
    for name in engines:
        if not (reason := ENGINES[name]().refusal(capacity)):
            able.append(name)
        elif asked:
            raise InputError(f"--engines: {name} cannot run at capacity {capacity}, as {reason}")
        else:
            print(f"capacity {capacity}: {name} is left out, as {reason}", file=sys.stderr)
    return able


def compare(
    engines: list[str], capacity: int, books: int, length: int, seed: int, ends: bool
) -> Iterator[tuple[str, int, int]]:
    """Run all parts at a capacity; yields (engine, streams that differ, streams compared). An engine that differed is dropped."""
    held = parts.held(books, length, capacity, ends)
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
