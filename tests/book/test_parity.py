"""Every engine and the plain book agree to the bit, after every message, on random streams of all kinds.

`host` and `reference` share one matching function (`lobjax.reference.book.apply`): of these two, agreement proves plumbing. Matching is
proved by `xla`, `kernel` and the plain book, which are written apart from it and from each other.
"""

import numpy as np
import pytest

from lobjax.engine import ENGINES, run_streams, trace_streams
from lobjax.engine.random_streams import random_streams
from lobjax.engine.stream import StreamTrace
from lobjax.kinds import Kind
from lobjax.types import Message
from tests.book import plain_book

LENGTH = 400
BOOKS = 50  # a trace at capacity 128 takes 80 MB
CAPACITIES = (8, 11, 16, 24, 32, 47, 64, 80, 100, 128)


def assert_same(messages: Message, capacity: int, traces: dict[str, StreamTrace]) -> None:
    """All traces equal the first, else fail naming the first message after which two of them part."""
    (name, first), *others = traces.items()
    for other_name, other in others:
        same = (first.listings == other.listings).all(axis=(2, 3, 4))
        same &= (first.traded == other.traded) & (first.counters == other.counters).all(axis=2)
        if not same.all():
            book, m = (int(place) for place in np.argwhere(~same)[0])
            message = Message(*(int(field[book, m]) for field in messages))
            states = [
                f"{who}: {trace.listings[book, m].tolist()} traded {trace.traded[book, m]} counters {trace.counters[book, m]}"
                for who, trace in ((name, first), (other_name, other))
            ]
            pytest.fail(f"capacity {capacity}, book {book}, after message {m} {message}\n" + "\n".join(states))
        assert np.array_equal(first.fills, other.fills), (
            f"fills of {name} and {other_name} differ at capacity {capacity}"
        )


def check(seed: int, capacity: int) -> StreamTrace:
    messages = random_streams(seed, BOOKS, LENGTH)
    traces = {"plain": plain_book.trace(messages, capacity)}
    traces |= {engine: trace_streams(messages, engine=engine, capacity=capacity) for engine in ENGINES}
    assert_same(messages, capacity, traces)
    return traces["plain"]


@pytest.mark.parametrize("capacity", (8, 16, 47, 128))
def test_engines_agree_after_every_message(capacity: int):
    trace, messages = check(seed=capacity, capacity=capacity), random_streams(capacity, BOOKS, LENGTH)
    # The comparison means something only if the streams reach everything that there is.
    assert (trace.counters[:, -1].sum(axis=0) > 0).all()
    assert (trace.listings[..., 1] > 0).all(axis=-1).any(), "no side was ever full"
    before = np.concatenate([np.zeros_like(trace.listings[:, :1]), trace.listings[:, :-1]], axis=1)
    moved = (trace.listings != before).any(axis=(2, 3, 4)) | (trace.traded > 0)
    assert set(np.unique(messages.kind[moved])) == set(Kind) - {Kind.NOOP}, "a kind came only as what is refused"
    fills_of_message = np.unique(trace.fills[:, :2], axis=0, return_counts=True)[1]
    assert fills_of_message.max() >= min(capacity, 12)


@pytest.mark.slow
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_engines_agree_on_ten_thousand_streams(capacity: int):
    chunks = 10_000 // len(CAPACITIES) // BOOKS
    for chunk in range(chunks):
        check(seed=1000 * capacity + chunk, capacity=capacity)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_ends_where_its_trace_ends(engine: str):
    messages = random_streams(5, BOOKS, LENGTH)
    result = run_streams(messages, engine=engine, capacity=16)
    trace = trace_streams(messages, engine=engine, capacity=16)
    assert np.array_equal(np.stack([result.bids, result.asks], axis=1), trace.listings[:, -1])
    assert np.array_equal(np.stack(result[4:], axis=1), trace.counters[:, -1])
    assert np.array_equal(result.traded, trace.traded)
    assert np.array_equal(result.fills, trace.fills)
    assert {array.dtype for array in result} == {np.dtype(np.int32)}


def test_streams_hold_every_bad_value():
    messages = random_streams(0, 200, LENGTH)
    assert {-1, len(Kind)} <= set(np.unique(messages.kind))
    assert {-1, 0, 1, 2} <= set(np.unique(messages.side))
    assert set(range(-2, 4)) == set(np.unique(messages.owner))
    for field in (messages.price, messages.size, messages.order_id):
        assert field.min() == -(2**31) and field.max() == 2**31 - 1 and (field == 0).any()
