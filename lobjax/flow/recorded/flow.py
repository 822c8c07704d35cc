"""Recorded flow: a day's messages, on the device once, read row by row from any of a set of starts."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, BySide
from lobjax.clock import NS, Time, choose, minus, never
from lobjax.columns import as_int32, check_column, check_times
from lobjax.flow.base import Opening
from lobjax.types import INT32_MAX, MAX_CAPACITY, Message
from lobjax.wide import high_product

_BOOK = ("price", "size", "order_id", "owner")


class RecordedParams(flax.struct.PyTreeNode):
    """R messages and S starts. Pass it with `in_axes=None` under `vmap`, so that the day is stored once."""

    messages: Message  # int32 [R]
    time: Time  # int32 [R], arrival
    first: jax.Array  # int32 [S], the first message after each start
    start: Time  # int32 [S]
    books: Book  # [S, 2, N], the book at each start


class RecordedState(NamedTuple):
    """The flow's own state."""

    index: jax.Array  # int32, the next message


@dataclass(frozen=True)
class RecordedFlow:
    """A `Flow` that plays a record; agents' orders move the book, the record goes on as it was."""

    words: int = 0  # nothing is drawn
    in_kernel: ClassVar[bool] = True

    def open(self, key: jax.Array, params: RecordedParams, start: jax.Array | None = None) -> Opening:
        """A start drawn uniformly, or the one numbered `start` (modulo S)."""
        count = params.first.shape[0]
        drawn = high_product(jax.random.bits(key, dtype=jnp.uint32), jnp.uint32(count)).astype(jnp.int32)
        chosen = drawn if start is None else start % count
        book, first, now = jax.tree.map(lambda x: x[chosen], (params.books, params.first, params.start))
        return Opening(book, RecordedState(first), now, _due(params, first))

    def next(
        self, state: RecordedState, book: BySide, words: jax.Array, params: RecordedParams
    ) -> tuple[RecordedState, Message, Time]:
        """The recorded message, and the recorded time to the one after it (never, after the last)."""
        # A kernel reads whatever lies at an index, so it is kept inside here.
        at = jnp.clip(state.index, 0, params.messages.kind.shape[0] - 1)
        message, now = jax.tree.map(lambda x: x[at], (params.messages, params.time))
        following = state.index + 1
        return RecordedState(following), message, minus(_due(params, following), now)


def _due(params: RecordedParams, index: jax.Array) -> Time:
    last = params.messages.kind.shape[0] - 1
    time = jax.tree.map(lambda x: x[jnp.clip(index, 0, last)], params.time)
    return choose(index <= last, time, never())


def to_device(
    messages: Message, time_s: np.ndarray, time_ns: np.ndarray, first: np.ndarray, start_ns: np.ndarray, books: Book
) -> RecordedParams:
    """Host arrays to parameters: R messages and their times, S starts, each with its first message and its book `[2, N]`.

    start_ns: int64 `[S]`, nanoseconds after midnight. ValueError, which names the array, where lengths differ, there is no start, times go
    back, a first message is none of the record (0 to R, R being its end), or a book is none: what runs this trusts all of it.
    """
    count = len(np.asarray(messages.kind))
    record = Message(*(as_int32(name, field, (count,)) for name, field in messages._asdict().items()))
    if count == 0:
        raise ValueError("a recorded flow needs at least one message")
    time = (as_int32("time_s", time_s, (count,)), as_int32("time_ns", time_ns, (count,)))
    check_times("time", *time, count)
    first = as_int32("first", first, (None,))
    if len(first) == 0:
        raise ValueError("a recorded flow needs at least one start")
    check_column("first", first, np.int32, None, 0, count)
    starts = np.asarray(start_ns)
    if starts.dtype.kind not in "iu" or starts.shape != first.shape:
        raise ValueError(f"start_ns is {starts.dtype} {list(starts.shape)}; give whole numbers [{len(first)}]")
    check_column("start_ns", starts.astype(np.int64), np.int64, None, 0, INT32_MAX * NS)
    return RecordedParams(
        messages=jax.tree.map(jnp.asarray, record),
        time=Time(*(jnp.asarray(word) for word in time)),
        first=jnp.asarray(first),
        start=Time(*(jnp.asarray(word, jnp.int32) for word in np.divmod(starts.astype(np.int64), NS))),
        books=_checked_books(books, len(first)),
    )


def _checked_books(books: Book, count: int) -> Book:
    """Books `[S, 2, N]` on the device; ValueError where orders are not sorted from the best, or have no price, or the sides cross."""
    capacity = np.shape(books.size)[-1]
    if not 1 <= capacity <= MAX_CAPACITY:
        raise ValueError(f"books hold {capacity} orders a side; give 1 to {MAX_CAPACITY}")
    fields = {name: as_int32(f"books.{name}", getattr(books, name), (count, 2, capacity)) for name in _BOOK}
    live = fields["size"] > 0
    if (fields["size"] < 0).any() or (live & (fields["price"] <= 0)).any():
        raise ValueError("books have orders with a size or a price below 1")
    # Away from the other side, so that the best is the least; holes take the worst price before them.
    away = fields["price"].astype(np.int64) * np.array([[-1], [1]])
    worst = np.maximum.accumulate(np.where(live, away, -(2**40)), axis=2)
    if (live & (away < worst)).any():
        raise ValueError("books have orders behind worse ones; give them from the best to the worst")
    best = np.where(live, away, 2**40).min(axis=2)
    if ((best < 2**40).all(axis=-1) & (-best[:, 0] >= best[:, 1])).any():
        raise ValueError("books are crossed, their best bid not below their best ask")
    return Book(**{name: jnp.asarray(field) for name, field in fields.items()})
