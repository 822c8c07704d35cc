"""The engine `kernel`: one fused GPU kernel in which a warp holds a book on chip and runs all messages of a call.

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
from lobjax.engine.flat_book import FlatBook, Sides, Slots, from_book, renumbered, to_book
from lobjax.engine.flat_step import step, tally
from lobjax.engine.stream import StreamResult, Trace
from lobjax.types import Counters, Fills, Message

# Fills leave the device as [books, rows, 5]; books are taken in chunks that keep this many rows in memory.
_FILL_ROWS = 1 << 22


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


def suits() -> str | None:
    """Why `auto` takes this engine here, if it can run; None where it does not."""
    # `auto` passes it over until its parity and speed on a GPU have a record under bench/records/; name it to run it.
    return None


def interpreted() -> bool:
    """Whether kernels run in the interpreter here: no GPU is the default backend."""
    return jax.default_backend() != "gpu"


def replay(book: FlatBook, messages: Message, *, fill_rows: int = 0, interpret: bool | None = None) -> Replay:
    """Run one book through messages `[M]`. `vmap` over books: each is a program of one kernel; what is not mapped is stored once.

    fill_rows: rows of the log of fills, 0 for none. A call makes no more fills than it has messages and the book has orders, for each
    fill ends one or the other; rows beyond `fill_rows` are lost, `count` tells. interpret: None for the default of the backend.
    """
    count, slots = messages.kind.shape[0], book.slots.key.shape[-1]

    def integers(*shape: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.int32)

    shapes = _Memory(
        slots=[integers(2, slots)] * len(Slots._fields),
        next_arrival=integers(1),
        traded=integers(count),
        counters=integers(len(Counters._fields)),
        fills=integers(fill_rows, 5) if fill_rows else None,
        fill_count=integers(1) if fill_rows else None,
    )
    out = pl.pallas_call(
        partial(_kernel, count=count),
        out_shape=shapes,
        input_output_aliases={leaf: leaf for leaf in range(len(Slots._fields) + 1)},  # the book, first in both
        compiler_params=triton.CompilerParams(num_warps=1, num_stages=1),
        interpret=interpreted() if interpret is None else interpret,
        name="lobjax_book",
    )(book.slots, book.next_arrival[None], messages)
    fills = FillLog(out.fills, out.fill_count[0]) if fill_rows else None
    return Replay(FlatBook(Slots(*out.slots), out.next_arrival[0]), out.traded, Counters(*out.counters), fills)


class _Memory(NamedTuple):
    """What a program writes: shapes at the call, references in the kernel, arrays after it. The last two are None without a log."""

    slots: Any  # Slots
    next_arrival: Any
    traded: Any
    counters: Any
    fills: Any
    fill_count: Any


def _kernel(slots: Slots, next_arrival: Any, messages: Message, *written: Any, count: int) -> None:
    """One program: all arguments are references; `written` are the fields of `_Memory`."""
    out = _Memory(*written)
    bids, asks = (Slots(*(ref[side, :] for ref in slots)) for side in range(2))
    sides = renumbered(Sides(bids, asks, next_arrival[0]), count)

    def write_fill(at: jax.Array, logged: jax.Array, taker: jax.Array, fill: Fills) -> jax.Array:
        @pl.when((fill.lots > 0) & (logged < out.fills.shape[0]))  # behind the last row lies another book's log
        def _():
            for column, value in enumerate((at, fill.order_id, fill.owner, fill.price, fill.lots)):
                out.fills[logged, column] = value

        return logged + (fill.lots > 0).astype(jnp.int32)

    def run(at: jax.Array, state):
        sides, counters, logged = state
        message = Message(*(ref[at] for ref in messages))
        on_fill = partial(write_fill, at) if out.fills is not None else lambda logged, taker, fill: logged
        sides, outcome, logged = step(sides, message, logged, on_fill)
        out.traded[at] = outcome.traded
        return sides, tally(counters, outcome), logged

    none = jnp.int32(0)
    state = (sides, Counters(none, none, none, none, none), none)
    sides, counters, logged = jax.lax.fori_loop(0, count, run, state)
    for side, slots in enumerate(sides[:2]):
        for ref, values in zip(out.slots, slots, strict=True):
            ref[side, :] = values
    out.next_arrival[0] = sides.next_arrival
    for at, total in enumerate(counters):
        out.counters[at] = total
    if out.fill_count is not None:
        out.fill_count[0] = logged


def run(messages: Message, capacity: int) -> StreamResult:
    """Run streams `[B, M]` (NumPy int32) over empty books. The contract is `StreamResult`'s."""
    books, length = messages.kind.shape
    chunk = max(1, min(books, _FILL_ROWS // length))
    dense, fills = [], []
    for start in range(0, books, chunk):
        n = min(chunk, books - start)
        # The last chunk is filled up with books of NOOPs, so that all have one shape and compile once.
        part = Message(*(np.pad(field[start : start + n], ((0, chunk - n), (0, 0))) for field in messages))
        listings, traded, counters, log = jax.tree.map(np.asarray, _run_books(part, capacity))
        dense.append((listings[:n, 0], listings[:n, 1], traded[:n], counters[:n]))
        book, row = np.nonzero(np.arange(length) < log.count[:n, None])
        fills.append(np.concatenate([(book + start).astype(np.int32)[:, None], log.rows[book, row]], axis=1))
    *states, counters = (np.concatenate(parts) for parts in zip(*dense, strict=True))
    bids, asks, traded = states
    return StreamResult(bids, asks, traded, np.concatenate(fills), *counters.T)


def trace(messages: Message, capacity: int) -> Trace:
    """The same with every book listed after every message, for tests: a call for each message, and one more call for the fills of all."""
    listings, traded, counters = (np.asarray(x).swapaxes(0, 1) for x in _trace_books(Message(*messages), capacity))
    return Trace(listings, traded, run(messages, capacity).fills, np.cumsum(counters, axis=1, dtype=np.int32))


@partial(jax.jit, static_argnums=1)
def _run_books(messages: Message, capacity: int) -> tuple[jax.Array, jax.Array, jax.Array, FillLog]:
    def one(stream: Message) -> Replay:
        return replay(from_book(empty_book(capacity)), stream, fill_rows=stream.kind.shape[0])

    done = jax.vmap(one)(messages)
    assert done.fills is not None
    return _listings(done.book, capacity), done.traded, jnp.stack(done.counters, axis=-1), done.fills


@partial(jax.jit, static_argnums=1)
def _trace_books(messages: Message, capacity: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    def body(book: FlatBook, message: Message):
        done = jax.vmap(replay)(book, Message(*(field[:, None] for field in message)))
        return done.book, (_listings(done.book, capacity), done.traded[:, 0], jnp.stack(done.counters, axis=-1))

    empty = jax.vmap(lambda _: from_book(empty_book(capacity)))(messages.kind[:, 0])
    return jax.lax.scan(body, empty, Message(*(field.T for field in messages)))[1]


def _listings(books: FlatBook, capacity: int) -> jax.Array:
    return jax.vmap(lambda book: jnp.stack(listing(to_book(book, capacity))))(books)
