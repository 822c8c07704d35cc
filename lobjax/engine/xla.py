"""The engine `xla`: the pure step under `scan` and `vmap`, anywhere JAX runs."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, empty_book, listing, step
from lobjax.engine.stream import StreamResult, Trace
from lobjax.types import Counters, Message

# Fills leave the device as [books, messages, slots]; books are taken in chunks that keep this many rows in memory.
_FILL_ROWS = 1 << 22


def suits() -> str:
    """Why `auto` takes this engine, where no faster one can run."""
    return "it runs anywhere"


def replay(book: Book, messages: Message) -> tuple[Book, tuple]:
    """Run one book through messages `[M]`; returns the book and, by message, (traded, fills [N], counters). `vmap` over books."""

    def body(book: Book, message: Message):
        book, outcome = step(book, message)
        return book, (outcome.traded, outcome.fills, outcome.counters)

    return jax.lax.scan(body, book, messages)


def run(messages: Message, capacity: int) -> StreamResult:
    """Run streams `[B, M]` (NumPy int32) over empty books. The contract is `StreamResult`'s."""
    (listings, traded, counters), fills = _run_chunks(messages, capacity, every=False)
    totals = counters.sum(axis=1, dtype=np.int32)
    return StreamResult(listings[:, 0], listings[:, 1], traded, fills, *totals.T)


def trace(messages: Message, capacity: int) -> Trace:
    """The same with every book listed after every message, for tests."""
    (listings, traded, counters), fills = _run_chunks(messages, capacity, every=True)
    return Trace(listings, traded, fills, np.cumsum(counters, axis=1, dtype=np.int32))


def _run_chunks(messages: Message, capacity: int, *, every: bool) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    books, length = messages.kind.shape
    chunk = max(1, min(books, _FILL_ROWS // (length * capacity)))
    dense, fills = [], []
    for start in range(0, books, chunk):
        part = Message(*(_padded(np.asarray(field)[start : start + chunk], chunk) for field in messages))
        n = min(chunk, books - start)
        listings, traded, lots, rest, counters = jax.tree.map(np.asarray, _run_chunk(part, capacity, every))
        dense.append((listings[:n], traded[:n], counters[:n]))
        book, message, slot = np.nonzero(lots[:n])
        columns = [book + start, message, *(x[book, message, slot] for x in (*rest, lots))]
        fills.append(np.stack(columns, axis=1).astype(np.int32))
    return tuple(np.concatenate(parts) for parts in zip(*dense, strict=True)), np.concatenate(fills)


def _padded(field: np.ndarray, rows: int) -> np.ndarray:
    """Pad with books of NOOPs, so that every chunk has one shape and compiles once."""
    return np.pad(field, ((0, rows - field.shape[0]), (0, 0)))


@partial(jax.jit, static_argnums=(1, 2))
def _run_chunk(messages: Message, capacity: int, every: bool):
    def one(stream: Message):
        def body(book: Book, message: Message):
            book, outcome = step(book, message)
            state = jnp.stack(listing(book)) if every else None
            return book, (outcome.traded, outcome.fills, outcome.counters, state)

        book, (traded, fills, counters, states) = jax.lax.scan(body, empty_book(capacity), stream)
        listings = states if every else jnp.stack(listing(book))
        return listings, traded, fills.lots, fills[:3], jnp.stack(Counters(*counters), axis=-1)

    return jax.vmap(one)(messages)
