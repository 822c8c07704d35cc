"""The engine `host` over a batch of markets: addresses for every market, threads over markets, and the handler that XLA calls."""

from pathlib import Path

import numba
import numpy as np
from numba import cfunc, njit, types

import lobjax
from lobjax import ffi
from lobjax.ffi import arguments, attribute, data, dims, results
from lobjax.flow.host import POISSON
from lobjax.market.host_loop import step_market
from lobjax.market.host_memory import IN_ACCOUNTS, IN_BOOK, IN_PARAMS, IN_QUEUE, IN_SENT, IN_WORDS, Market, new_memory

_BYTES = 4  # of every element
_BOOK_RANK = 2  # the first result is a book's prices; what its rank has beyond is the batch

_new_memory = njit(nogil=True)(new_memory)


@njit(nogil=True)
def _tables(buffers, axes):
    """For each buffer: its address, the elements that belong to one market, and the step in bytes along every axis of the batch.

    An axis of size 1 has step 0: under `vmap` an argument that is not mapped comes with such an axis, shared by all markets.
    """
    n = buffers.shape[0]
    address, length, step = np.empty(n, np.int64), np.ones(n, np.int64), np.zeros((n, axes), np.int64)
    for leaf in range(n):
        shape = dims(buffers[leaf])
        address[leaf] = data(buffers[leaf])
        for axis in range(axes, shape.shape[0]):
            length[leaf] *= shape[axis]
        stride = length[leaf] * _BYTES
        for axis in range(axes - 1, -1, -1):
            step[leaf, axis] = stride if shape[axis] > 1 else 0
            stride *= shape[axis]
    return address, length, step


@njit(nogil=True)
def _locate(address, step, batch, market, out):
    """Addresses of one market's share of every buffer."""
    out[:] = address
    rest = market
    for axis in range(batch.shape[0] - 1, -1, -1):
        at, rest = rest % batch[axis], rest // batch[axis]
        for leaf in range(out.shape[0]):
            out[leaf] += at * step[leaf, axis]


@njit(nogil=True)
def _run_range(frame, first, last):
    """Markets `first` to `last - 1` of a call, one after the other."""
    args, rets, flow = arguments(frame), results(frame), attribute(frame)
    shape = dims(rets[0])
    axes = shape.shape[0] - _BOOK_RANK
    batch = shape[:axes]
    address, lengths, step = _tables(args, axes)
    out_address, out_lengths, out_step = _tables(rets, axes)
    width = dims(args[IN_WORDS])[axes + 1]
    distances = lengths[IN_PARAMS] if flow == POISSON else 0
    places = lengths[IN_QUEUE] + lengths[IN_SENT]
    memory = _new_memory(lengths[IN_BOOK] // 2, lengths[IN_ACCOUNTS], places, distances)
    market = Market(np.empty_like(address), lengths, np.empty_like(out_address), out_lengths)
    for at in range(first, last):
        _locate(address, step, batch, at, market.args)
        _locate(out_address, out_step, batch, at, market.results)
        step_market(flow, width, market, memory)


@njit(nogil=True, parallel=True)
def _run(frame):
    """All markets of a call, one range a thread."""
    rets = results(frame)
    shape = dims(rets[0])
    markets = 1
    for axis in range(shape.shape[0] - _BOOK_RANK):
        markets *= shape[axis]
    if markets == 1:
        _run_range(frame, 0, 1)
        return
    ranges = min(markets, numba.get_num_threads())
    for k in numba.prange(ranges):
        _run_range(frame, markets * k // ranges, markets * (k + 1) // ranges)


def compile_handler(version: tuple[int, int]) -> int:
    """Compile the handler, or load it as compiled before on this machine; returns its address. version: of the FFI."""
    root = Path(lobjax.__file__).parent
    folders = ("", "book", "flow", "market", "reference")  # where compiled code, or a number frozen in it, comes from
    sources = sorted(str(path) for folder in folders for path in (root / folder).glob("*.py"))
    key = (*version, ffi.stamp(sources))

    @cfunc(types.int64(types.int64), cache=True)
    def handler(frame):
        # The whole key is a closure variable, and so part of the cache's key.
        if ffi.answers_metadata(frame, key[0], key[1]):
            return 0
        _run(frame)
        return 0  # no error

    _KEEP_ALIVE.append(handler)
    return handler.address


_KEEP_ALIVE: list = []
