"""What the engine `kernel` has beside what every engine is tested for in `tests/book`: flat books between calls, arrival numbers, a log."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book, listing
from lobjax.engine import run_streams, xla
from lobjax.engine.kernel import replay
from lobjax.engine.kernel.book import FlatBook, from_book, slots_of, to_book
from lobjax.engine.kernel.call import Replay
from lobjax.engine.random_streams import random_streams
from lobjax.kinds import Kind
from lobjax.types import INT32_MAX, Message, Side

BOOKS, CALL = 20, 100


@partial(jax.jit, static_argnames="fill_rows")
def play(books: FlatBook, messages: Message, fill_rows: int = 0) -> Replay:
    return jax.vmap(partial(replay, fill_rows=fill_rows))(books, messages)


def blank(capacity: int) -> FlatBook:
    zeros = jnp.zeros((BOOKS, 2, capacity), jnp.int32)
    return jax.vmap(from_book)(Book(zeros, zeros, zeros, zeros))


def listed(books: FlatBook) -> np.ndarray:
    return np.stack(jax.vmap(lambda book: jnp.stack(listing(book)))(books))


def calls(messages: Message) -> list[Message]:
    length = messages.kind.shape[1]
    return [Message(*(jnp.asarray(x[:, at : at + CALL]) for x in messages)) for at in range(0, length, CALL)]


@pytest.mark.parametrize("capacity", (8, 24, 64))
def test_books_go_through_calls_and_through_ordered_slots_unchanged(capacity: int):
    messages = random_streams(3, BOOKS, 3 * CALL)
    expected = run_streams(messages, engine="reference", capacity=capacity)
    books, counters, made = blank(capacity), 0, np.zeros(BOOKS, int)
    for part in calls(messages):
        done = play(books, part, fill_rows=CALL + 2 * capacity)
        counters += np.stack(done.counters, axis=-1)
        made += np.asarray(done.fills.count)
        assert (np.asarray(done.fills.count) <= CALL + (np.asarray(books.key) < 0).sum((1, 2))).all()
        books = jax.vmap(lambda book: from_book(to_book(book)))(done.book)
    assert np.array_equal(listed(books), np.stack([expected.bids, expected.asks], axis=1))
    assert np.array_equal(counters, np.stack(expected[4:], axis=-1))
    assert np.array_equal(made, np.bincount(expected.fills[:, 0], minlength=BOOKS))


def test_a_log_that_is_too_short_keeps_the_first_fills_and_counts_all():
    messages = random_streams(8, BOOKS, CALL)
    expected = run_streams(messages, engine="reference", capacity=16).fills
    log = play(blank(16), Message(*map(jnp.asarray, messages)), fill_rows=10).fills
    made = np.bincount(expected[:, 0], minlength=BOOKS)
    assert made.max() > 10 and np.array_equal(log.count, made)
    for book in range(BOOKS):
        kept = min(made[book], 10)
        assert np.array_equal(log.rows[book, :kept], expected[expected[:, 0] == book][:kept, 1:])


def test_ordered_slots_with_holes_become_the_same_book():
    messages = Message(*map(jnp.asarray, random_streams(4, BOOKS, CALL)))
    zeros = jnp.zeros((BOOKS, 2, 12), jnp.int32)
    ordered, _ = jax.jit(jax.vmap(xla.replay))(Book(zeros, zeros, zeros, zeros), messages)
    size = np.asarray(ordered.size)
    assert ((size[..., :-1] == 0) & (size[..., 1:] > 0)).any(), "no book has a hole"
    expected = np.stack(jax.vmap(lambda book: jnp.stack(listing(book)))(ordered))
    assert np.array_equal(listed(jax.vmap(from_book)(ordered)), expected)


def test_arrival_numbers_start_anew_before_they_overflow():
    capacity = 16
    first, *rest = calls(random_streams(6, BOOKS, 3 * CALL))
    books = play(blank(capacity), first).book
    # As after 2^31 orders: numbers as large as they can be with one more call, then with none.
    ahead = INT32_MAX - 1 - CALL - books.next_arrival
    arrival = books.arrival + ahead[:, None, None]
    aged = books.replace(arrival=arrival, next_arrival=books.next_arrival + ahead)
    for part in rest:
        books, aged = play(books, part).book, play(aged, part).book
        assert np.array_equal(listed(aged), listed(books))
    assert (np.asarray(aged.next_arrival) <= slots_of(capacity) + CALL).all()


def test_a_call_without_messages_that_matter_changes_nothing():
    books = play(blank(8), calls(random_streams(7, BOOKS, CALL))[0]).book
    noops = Message(*[jnp.full((BOOKS, CALL), value, jnp.int32) for value in (Kind.NOOP, 7, -1, -1, -1, 3)])
    done = play(books, noops, fill_rows=CALL + 16)
    assert jax.tree.all(jax.tree.map(np.array_equal, done.book, books))
    assert not np.any(done.traded) and not np.any(np.stack(done.counters)) and not np.any(done.fills.count)


@pytest.mark.parametrize(
    ("sizes", "asked", "fits"),
    (
        ((40_000, 40_000), 80_000, True),  # the halves of the sum of sizes carry
        ((40_000, 40_000), 80_001, False),
        ((65_535, 65_535, 2), 131_072, True),
        ((INT32_MAX, INT32_MAX, INT32_MAX), INT32_MAX, True),
        ((INT32_MAX - 1,), INT32_MAX, False),
    ),
)
def test_fill_or_kill_adds_sizes_exactly(sizes: tuple[int, ...], asked: int, fits: bool):
    asks = [(Kind.LIMIT, Side.ASK, 10, size, at + 1, 0) for at, size in enumerate(sizes)]
    rows = [*asks, (Kind.FOK, Side.BID, 10, asked, 0, 0)]
    rows += [(Kind.NOOP, 0, 0, 0, 0, 0)] * (4 - len(rows))
    result = run_streams(Message(*np.array(rows, np.int32).T[:, None, :]), engine="kernel", capacity=4)
    assert result.traded[0, len(sizes)] == (asked if fits else 0)
    assert result.refused[0] == (0 if fits else 1)


@pytest.mark.parametrize("capacity", (0, 513))
def test_a_capacity_out_of_range_is_refused(capacity: int):
    with pytest.raises(ValueError, match=r"outside 1\.\.512"):
        slots_of(capacity)
