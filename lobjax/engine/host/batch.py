"""The engine `host` over a batch of books: what a call's buffers are, threads over books, and the handler that XLA calls."""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false

import numba
import numpy as np
from numba import cfunc, types
from numba.core.ccallback import CFunc

from lobjax.ffi.batch import batch_of, count_items, locate, range_start, tables
from lobjax.ffi.frame import (
    answers_metadata,
    arguments,
    attribute,
    dims,
    integer_blocks,
    integer_rows,
    integers,
    results,
)
from lobjax.ffi.handlers import stamp
from lobjax.ffi.jit import inner, outer
from lobjax.reference.arrays import BookArrays, blank_rest, load, write_listing
from lobjax.reference.book import apply
from lobjax.types import Counters, Fills, Message

# Arguments: the book's four arrays, the messages' six. Results: the book, lots traded, the counters by message; what may follow tells
# a form of the fills from another.
_IN_MESSAGES = 4
_OUT_TRADED = 4
_OUT_COUNTERS = 5
PLAIN = _OUT_COUNTERS + len(Counters._fields)  # results of a call that gives no fills
LOGGED = (
    PLAIN + 2
)  # the number of fills by message [M], and the fills one after the other [2 N + M, 4], the rest unwritten
TRACED = LOGGED + 1  # and the listing after every message [2 M, N, 4]
DENSE = PLAIN + len(Fills._fields)  # fills by message [M, N], zero padded
_COUNTS, _LOG, _LISTINGS = PLAIN, PLAIN + 1, PLAIN + 2

_LISTED_BYTES = 2 * 4 * 4  # of a listing, by place on a side

_THREADS = 0  # the attribute
_BOOK_RANK = 2
_LEAST_WORK = 256  # messages that a thread must have to be worth waking
# Where compiled code, or a number frozen in it, comes from.
SOURCES = ("ffi/*.py", "types.py", "kinds.py", "engine/host/batch.py", "reference/*.py")


@inner
def _replay(args, rets, form, capacity, length, n, scratch, counts):
    """One book through its messages; args, rets: addresses; the rest is what a thread works in."""
    book = BookArrays(
        integer_rows(rets[0], 2, capacity),
        integer_rows(rets[1], 2, capacity),
        integer_rows(rets[2], 2, capacity),
        integer_rows(rets[3], 2, capacity),
        n,
    )
    load(
        book,
        integer_rows(args[0], 2, capacity),
        integer_rows(args[1], 2, capacity),
        integer_rows(args[2], 2, capacity),
        integer_rows(args[3], 2, capacity),
    )
    stream = Message(
        integers(args[_IN_MESSAGES], length),
        integers(args[_IN_MESSAGES + 1], length),
        integers(args[_IN_MESSAGES + 2], length),
        integers(args[_IN_MESSAGES + 3], length),
        integers(args[_IN_MESSAGES + 4], length),
        integers(args[_IN_MESSAGES + 5], length),
    )
    traded = integers(rets[_OUT_TRADED], length)
    logged = 0
    for m in range(np.uint64(length)):
        counts[:] = 0
        traded[m], n_fills = apply(
            book,
            stream.kind[m],
            stream.side[m],
            stream.price[m],
            stream.size[m],
            stream.order_id[m],
            stream.owner[m],
            scratch,
            counts,
        )
        for k in range(5):
            integers(rets[_OUT_COUNTERS + k], length)[m] = counts[k]
        if form == DENSE:
            _write_dense(rets, m, capacity, scratch, n_fills)
        elif form != PLAIN:
            integers(rets[_COUNTS], length)[m] = n_fills
            log = integer_rows(rets[_LOG], 2 * capacity + length, 4)
            for row in range(n_fills):
                for field in range(4):
                    log[logged + row, field] = scratch[row, field]
            logged += n_fills
            if form == TRACED:
                write_listing(
                    book, integer_blocks(rets[_LISTINGS] + np.int64(m) * _LISTED_BYTES * capacity, 2, capacity, 4)
                )
    blank_rest(book)


@inner
def _write_dense(rets, m, capacity, scratch, n_fills):
    for field in range(4):
        rows = integer_rows(rets[PLAIN + field], m + 1, capacity)
        for row in range(n_fills):
            rows[m, row] = scratch[row, field]
        for row in range(n_fills, capacity):
            rows[m, row] = 0


@outer
def _run_range(frame, first, last):
    """Books `first` to `last - 1` of a call, one after the other."""
    args, rets, batch = arguments(frame), results(frame), batch_of(frame, _BOOK_RANK)
    address, lengths, step = tables(args, batch.shape[0])
    out_address, _, out_step = tables(rets, batch.shape[0])
    capacity, length = lengths[0] // 2, lengths[_IN_MESSAGES]
    n, scratch, counts = np.zeros(2, np.int32), np.zeros((capacity, 4), np.int32), np.zeros(5, np.int32)
    at_args, at_rets = np.empty_like(address), np.empty_like(out_address)
    for item in range(first, last):
        locate(address, step, batch, item, at_args)
        locate(out_address, out_step, batch, item, at_rets)
        _replay(at_args, at_rets, rets.shape[0], capacity, length, n, scratch, counts)


@inner
def _count_messages(frame):
    """The messages that one book of a call gets."""
    shape = dims(results(frame)[_OUT_TRADED])
    return shape[shape.shape[0] - 1]


def compile_handler(version: tuple[int, int]) -> CFunc:
    """Compile the handler, or load it as compiled before on this machine. version: of the FFI."""
    key = (*version, stamp(SOURCES))

    @cfunc(types.int64(types.int64), cache=True, parallel=True)
    def handler(frame):
        # The whole key is a closure variable, and so part of the cache's key. One range a thread; the loop is here because LLVM works on
        # everything anew for each function around it.
        if answers_metadata(frame, key[0], key[1]):
            return 0
        books = count_items(frame, _BOOK_RANK)
        worth = 1 + books * _count_messages(frame) // _LEAST_WORK
        # Numba's own `get_num_threads` would keep this from being cached.
        ranges = min(min(books, attribute(frame, _THREADS)), worth)
        if ranges > 1:
            for k in numba.prange(ranges):
                _run_range(frame, range_start(books, ranges, k), range_start(books, ranges, k + 1))
        else:
            _run_range(frame, 0, books)
        return 0  # no error

    return handler
