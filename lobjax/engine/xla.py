"""The engine `xla`: the pure step under `scan` and `vmap`, anywhere JAX runs; on a CPU one book after another (`lobjax.one_by_one`)."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, empty_book, listing, step
from lobjax.engine.interface import StreamEngine
from lobjax.engine.memory import MOST_FILL_ROWS
from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.one_by_one import one_by_one
from lobjax.settings import settled
from lobjax.types import Message


def replay(book: Book, messages: Message, *, fills: bool = True) -> tuple[Book, tuple]:
    """Run one book through messages `[M]`; returns the book and, by message, (traded, fills [N], counters). `vmap` over books.

    `fills=False` gives None in place of the fills: written out they are 16 N bytes a message. A CPU runs books one after another on one
    core; for more cores map over devices, or call from several threads, as `run` does.
    """
    book, (traded, filled, counters, _) = _REPLAYS[fills, False](book, messages)
    return book, (traded, filled, counters)


def _replay(book: Book, messages: Message, *, fills: bool, books: bool) -> tuple[Book, tuple]:
    def body(book: Book, message: Message):
        book, outcome = step(book, message)
        return book, (outcome.traded, outcome.fills if fills else None, outcome.counters, book if books else None)

    return jax.lax.scan(body, book, messages)


_REPLAYS = {
    (fills, books): one_by_one(partial(_replay, fills=fills, books=books))
    for fills in (True, False)
    for books in (True, False)
}


@settled
def run(messages: Message, capacity: int) -> StreamResult:
    """Run streams `[B, M]` (NumPy int32) over empty books. The contract is `StreamResult`'s."""
    (listings, traded, counters), fills = _run_chunks(messages, capacity, every=False)
    totals = counters.sum(axis=1, dtype=np.int32)
    return StreamResult(listings[:, 0], listings[:, 1], traded, fills, *totals.T)


@settled
def trace(messages: Message, capacity: int) -> StreamTrace:
    """The same with every book listed after every message, for tests."""
    (listings, traded, counters), fills = _run_chunks(messages, capacity, every=True)
    return StreamTrace(listings, traded, fills, np.cumsum(counters, axis=1, dtype=np.int32))


def _run_chunks(messages: Message, capacity: int, *, every: bool) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    books, length = messages.kind.shape
    threads = (os.cpu_count() or 1) if jax.default_backend() == "cpu" else 1
    chunk = max(1, min(-(-books // threads), MOST_FILL_ROWS // (length * capacity * threads)))
    program = _compiled(chunk, length, capacity, every)

    def run_from(start: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        n = min(chunk, books - start)
        # The last chunk is filled up with books of NOOPs, so that all have one shape and compile once.
        part = Message(*(np.pad(field[start : start + n], ((0, chunk - n), (0, 0))) for field in messages))
        listings, traded, lots, rest, counters = jax.tree.map(np.asarray, program(jax.device_put(part)))
        book, message, slot = np.nonzero(lots[:n])
        columns = [book + start, message, *(x[book, message, slot] for x in (*rest, lots))]
        return (listings[:n], traded[:n], counters[:n]), np.stack(columns, axis=1).astype(np.int32)

    with ThreadPoolExecutor(threads) as pool:
        dense, fills = zip(*pool.map(run_from, range(0, books, chunk)), strict=True)
    return tuple(np.concatenate(parts) for parts in zip(*dense, strict=True)), np.concatenate(fills)


@lru_cache(maxsize=16)  # a program is megabytes, and there is one for every shape of streams
def _compiled(books: int, length: int, capacity: int, every: bool) -> Any:
    """The program for a chunk, compiled before threads ask for it."""

    def one(stream: Message):
        book, (traded, fills, counters, books) = _REPLAYS[True, every](empty_book(capacity), stream)
        listings = jnp.stack(jax.vmap(listing)(books), axis=1) if every else jnp.stack(listing(book))
        return listings, traded, fills.lots, fills[:3], jnp.stack(counters, axis=-1)

    shape = jax.ShapeDtypeStruct((books, length), jnp.int32)
    return jax.jit(jax.vmap(one)).lower(Message(*[shape] * len(Message._fields))).compile()


ENGINE = StreamEngine(run=run, trace=trace, refusal=lambda capacity: None, suits=lambda: "it runs anywhere")
