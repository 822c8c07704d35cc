"""One fused GPU kernel in which a warp holds a book on chip and runs all messages of a call.

Pallas with the Triton backend, one warp a program. Anywhere but on a GPU it runs in Pallas' interpreter: the same to the bit, for
tests, and slow.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from lobjax.book import empty_book, listing
from lobjax.engine.kernel.book import MIN_SLOTS, FlatBook, from_book, load_sides, renumbered, store_sides
from lobjax.engine.kernel.step import counted, step, tally
from lobjax.engine.memory import MOST_FILL_ROWS
from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.settings import settled
from lobjax.types import Counters, Fills, Message


class FillLog(NamedTuple):
    """Fills of one call in order of execution: rows below `count`; what is behind them is undefined."""

    rows: jax.Array  # int32 [F, 5]: message, resting id, resting owner, price, lots
    count: jax.Array  # int32


class Replay(NamedTuple):
    """What one call did to one book."""

    book: FlatBook
    traded: jax.Array  # int32 [M] lots
    counters: Counters  # int32, over all messages
    fills: FillLog | None


def interpreted() -> bool:
    """Whether kernels run in the interpreter here: no GPU is the default backend."""
    return jax.default_backend() != "gpu"


def replay(book: FlatBook, messages: Message, *, fill_rows: int = 0, interpret: bool | None = None) -> Replay:
    """Run one book through messages `[M]`. `vmap` over books: each is a program of one kernel; what is not mapped is stored once.

    fill_rows: rows of the log of fills, 0 for none. A call makes no more fills than it has messages and the book has orders, for each
    fill ends one or the other; rows beyond `fill_rows` are lost, `count` tells. interpret: None for the default of the backend.
    """
    count = messages.kind.shape[0]

    def integers(*shape: int) -> Any:
        return jax.ShapeDtypeStruct(shape, jnp.int32)

    shapes = Replay(
        book=jax.tree.map(lambda x: integers(*x.shape), book),
        traded=integers(count),
        counters=Counters(*[integers()] * len(Counters._fields)),
        fills=FillLog(integers(fill_rows, 5), integers()) if fill_rows else None,
    )
    return pl.pallas_call(
        partial(_kernel, count=count),
        out_shape=shapes,
        input_output_aliases={leaf: leaf for leaf in range(len(jax.tree.leaves(book)))},  # the book, first in both
        compiler_params=triton.CompilerParams(num_warps=1, num_stages=1),
        interpret=interpreted() if interpret is None else interpret,
        name="lobjax_book",
    )(book, messages)


def _kernel(book: FlatBook, messages: Message, *written: Any, count: int) -> None:
    """One program: all arguments are references; `written` are the fields of `Replay`."""
    out = Replay(*written)
    log: Any = out.fills
    sides = renumbered(load_sides(book), count)

    def write_fill(at: jax.Array, logged: jax.Array, taker: jax.Array, fill: Fills) -> jax.Array:
        @pl.when((fill.lots > 0) & (logged < log.rows.shape[0]))  # behind the last row lies another book's log
        def _():
            for column, value in enumerate((at, fill.order_id, fill.owner, fill.price, fill.lots)):
                log.rows[logged, column] = value

        return logged + (fill.lots > 0).astype(jnp.int32)

    def run(at: jax.Array, state):
        sides, counts, logged = state
        message = Message(*(ref[at] for ref in messages))
        on_fill = partial(write_fill, at) if log is not None else lambda logged, taker, fill: logged
        sides, outcome, logged = step(sides, message, logged, on_fill)
        out.traded[at] = outcome.traded
        return sides, tally(counts, outcome), logged

    state = (sides, jnp.zeros((MIN_SLOTS,), jnp.int32), jnp.int32(0))
    sides, counts, logged = jax.lax.fori_loop(np.int32(0), np.int32(count), run, state)
    store_sides(out.book, sides)
    for ref, total in zip(out.counters, counted(counts), strict=True):
        ref[...] = total
    if log is not None:
        log.count[...] = logged


@settled
def run(messages: Message, capacity: int) -> StreamResult:
    """Run streams `[B, M]` (NumPy int32) over empty books. The contract is `StreamResult`'s."""
    books, length = messages.kind.shape
    chunk = max(1, min(books, MOST_FILL_ROWS // length))
    dense, fills = [], []
    for start in range(0, books, chunk):
        n = min(chunk, books - start)
        # The last chunk is filled up with books of NOOPs, so that all have one shape and compile once.
        part = Message(*(np.pad(field[start : start + n], ((0, chunk - n), (0, 0))) for field in messages))
        listings, traded, counters, log = jax.tree.map(np.asarray, _run_books(jax.device_put(part), capacity))
        dense.append((listings[:n, 0], listings[:n, 1], traded[:n], counters[:n]))
        book, row = np.nonzero(np.arange(length) < log.count[:n, None])
        fills.append(np.concatenate([(book + start).astype(np.int32)[:, None], log.rows[book, row]], axis=1))
    *states, counters = (np.concatenate(parts) for parts in zip(*dense, strict=True))
    bids, asks, traded = states
    return StreamResult(bids, asks, traded, np.concatenate(fills), *counters.T)


@settled
def trace(messages: Message, capacity: int) -> StreamTrace:
    """The same with every book listed after every message, for tests: a call for each message, and one more call for the fills of all."""
    listings, traded, counters = (np.asarray(x).swapaxes(0, 1) for x in _trace_books(Message(*messages), capacity))
    return StreamTrace(listings, traded, run(messages, capacity).fills, np.cumsum(counters, axis=1, dtype=np.int32))


@partial(jax.jit, static_argnums=1)
def _run_books(messages: Message, capacity: int) -> tuple[jax.Array, jax.Array, jax.Array, FillLog]:
    def one(stream: Message) -> Replay:
        return replay(from_book(empty_book(capacity)), stream, fill_rows=stream.kind.shape[0])

    done = jax.vmap(one)(messages)
    assert done.fills is not None
    return _listings(done.book), done.traded, jnp.stack(done.counters, axis=-1), done.fills


@partial(jax.jit, static_argnums=1)
def _trace_books(messages: Message, capacity: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    def body(book: FlatBook, message: Message):
        done = jax.vmap(replay)(book, Message(*(field[:, None] for field in message)))
        return done.book, (_listings(done.book), done.traded[:, 0], jnp.stack(done.counters, axis=-1))

    empty = jax.vmap(lambda _: from_book(empty_book(capacity)))(messages.kind[:, 0])
    return jax.lax.scan(body, empty, Message(*(field.T for field in messages)))[1]


def _listings(books: FlatBook) -> jax.Array:
    return jax.vmap(lambda book: jnp.stack(listing(book)))(books)
