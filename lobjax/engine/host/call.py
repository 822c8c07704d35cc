"""Streams of messages as a call of the Numba handler: the reference's matching, many books at once, in programs on the CPU.

One custom call (`lobjax.ffi`) serves jitted, vmapped, scanned and pmapped programs and, through them, arrays of NumPy. Under
`vmap`, however nested, all books are one call, parallel over books; messages that are not mapped are passed once and shared.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numba
import numpy as np

from lobjax.book import Book, empty_book
from lobjax.engine.host.batch import DENSE, LOGGED, PLAIN, TRACED, compile_handler
from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.ffi.handlers import register
from lobjax.settings import settled
from lobjax.types import Counters, Fills, Message

_TARGET = "lobjax_replay"


def replay(book: Book, messages: Message, *, fills: bool = True) -> tuple[Book, tuple]:
    """Run one book through messages `[M]`; returns the book and, by message, (traded, fills [N], counters). `vmap` over books.

    The contract is `lobjax.engine.xla.replay`'s, save that `fills=False` gives None in place of the fills: written out they are
    16 N bytes a message, more than all the rest. Books come back without holes. ValueError if an array is not int32 of the
    shape said, InputError if the engine cannot run here.
    """
    left, counted, rest = _call(book, messages, DENSE if fills else PLAIN)
    return left, (counted[0], Fills(*rest) if fills else None, Counters(*counted[1:]))


@settled
def run(messages: Message, capacity: int) -> StreamResult:
    """Run streams `[B, M]` (NumPy int32) over empty books. The contract is `StreamResult`'s."""
    book, (traded, *counters), (n_fills, log) = _run_empty(messages, capacity, LOGGED)
    listings = np.stack([np.asarray(field) for field in (book.price, book.size, book.order_id, book.owner)], axis=-1)
    totals = (np.asarray(counter).sum(axis=1, dtype=np.int32) for counter in counters)
    fills = _fill_rows(np.asarray(n_fills), np.asarray(log))
    return StreamResult(listings[:, 0], listings[:, 1], np.asarray(traded), fills, *totals)


@settled
def trace(messages: Message, capacity: int) -> StreamTrace:
    """The same with every book listed after every message, for tests."""
    _, (traded, *counters), (n_fills, log, listings) = _run_empty(messages, capacity, TRACED)
    books, length = traded.shape
    return StreamTrace(
        np.asarray(listings).reshape(books, length, 2, capacity, 4),
        np.asarray(traded),
        _fill_rows(np.asarray(n_fills), np.asarray(log)),
        np.cumsum(np.stack([np.asarray(counter) for counter in counters], axis=-1), axis=1, dtype=np.int32),
    )


def _fill_rows(n_fills: np.ndarray, log: np.ndarray) -> np.ndarray:
    """Fills as `StreamResult` has them, from how many each message made `[B, M]` and the logs of all books `[B, L, 4]`."""
    books, length = n_fills.shape
    written = np.arange(log.shape[1]) < n_fills.sum(axis=1)[:, None]
    message = np.repeat(np.arange(books * length, dtype=np.int32), n_fills.ravel())
    return np.column_stack([message // length, message % length, log[written]])


@partial(jax.jit, static_argnums=(1, 2))
def _run_empty(messages: Message, capacity: int, form: int):
    return jax.vmap(lambda stream: _call(empty_book(capacity), stream, form))(messages)


def _call(book: Book, messages: Message, form: int) -> tuple[Book, Sequence[jax.Array], Sequence[jax.Array]]:
    """One book through its messages: the book, then traded and the counters `[M]`, then what the form has beyond."""
    register(_TARGET, compile_handler)
    capacity = jnp.shape(book.size)[-1]
    length = jnp.shape(messages.kind)[0] if jnp.ndim(messages.kind) else 0
    operands = [
        *(
            _checked(f"book.{name}", getattr(book, name), (2, capacity))
            for name in ("price", "size", "order_id", "owner")
        ),
        *(_checked(f"messages.{name}", field, (length,)) for name, field in messages._asdict().items()),
    ]
    extra = {
        PLAIN: [],
        LOGGED: [(length,), (2 * capacity + length, 4)],
        TRACED: [(length,), (2 * capacity + length, 4), (2 * length, capacity, 4)],
        DENSE: [(length, capacity)] * 4,
    }[form]
    shapes = [(2, capacity)] * 4 + [(length,)] * (PLAIN - 4) + extra
    call = jax.ffi.ffi_call(
        _TARGET, [jax.ShapeDtypeStruct(shape, jnp.int32) for shape in shapes], vmap_method="expand_dims"
    )
    out = call(*operands, threads=np.int64(numba.get_num_threads()))
    return Book(*out[:4]), out[4:PLAIN], out[PLAIN:]


def _checked(name: str, value: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # The handler goes by the shapes that it is told and could not notice another.
    array = jnp.asarray(value)
    if array.shape != shape or array.dtype != jnp.int32:
        raise ValueError(f"{name} is {array.dtype}{array.shape}, must be int32{shape}")
    return array
