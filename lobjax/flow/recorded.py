"""Recorded flow: a day's messages, on the device once, read row by row from any of a set of starts."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, BySide
from lobjax.clock import NS, Time, choose, minus, never
from lobjax.flow.base import Opening
from lobjax.types import Message
from lobjax.words import high_product


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
        drawn = high_product(jax.random.bits(key), jnp.uint32(count)).astype(jnp.int32)
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
    """Host arrays to parameters. start_ns: int64 `[S]`, nanoseconds after midnight. ValueError without starts."""
    if len(first) == 0:
        raise ValueError("a recorded flow needs at least one start")
    return RecordedParams(
        messages=jax.tree.map(lambda x: jnp.asarray(x, jnp.int32), messages),
        time=Time(jnp.asarray(time_s, jnp.int32), jnp.asarray(time_ns, jnp.int32)),
        first=jnp.asarray(first, jnp.int32),
        start=Time(*(jnp.asarray(word, jnp.int32) for word in np.divmod(np.asarray(start_ns, np.int64), NS))),
        books=jax.tree.map(lambda x: jnp.asarray(x, jnp.int32), books),
    )
