"""The engine `host` over a batch of markets: addresses for every market, threads over markets, and the handler that XLA calls."""

from pathlib import Path

import numba
import numpy as np
from numba import cfunc, njit, types

from lobjax import ffi
from lobjax.ffi import arguments, attribute, data, dims, outer, results
from lobjax.flow.host import POISSON
from lobjax.market.host_loop import step_market
from lobjax.market.host_memory import IN_ACCOUNTS, IN_BOOK, IN_PARAMS, IN_QUEUE, IN_SENT, IN_WORDS, Market, new_memory

_FLOW, _THREADS = 0, 1  # attributes
_BYTES = 4  # of every element
_BOOK_RANK = 2  # the first result is a book's prices; what its rank has beyond is the batch

# Where compiled code, or a number frozen in it, comes from.
_SOURCES = ("ffi.py", "types.py", "clock.py", "flow/fixed.py", "flow/host.py", "market/host_*.py", "reference/*.py")

_KEEP_ALIVE: list = []  # handlers, which XLA calls by address


@outer
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


@outer
def _locate(address, step, batch, market, out):
    """Addresses of one market's share of every buffer."""
    out[:] = address
    rest = market
    for axis in range(batch.shape[0] - 1, -1, -1):
        at, rest = rest % batch[axis], rest // batch[axis]
        for leaf in range(out.shape[0]):
            out[leaf] += at * step[leaf, axis]


@outer
def _run_range(frame, first, last):
    """Markets `first` to `last - 1` of a call, one after the other."""
    args, rets, flow = arguments(frame), results(frame), attribute(frame, _FLOW)
    shape = dims(rets[0])
    axes = shape.shape[0] - _BOOK_RANK
    batch = shape[:axes]
    address, lengths, step = _tables(args, axes)
    out_address, out_lengths, out_step = _tables(rets, axes)
    width = dims(args[IN_WORDS])[axes + 1]
    distances = lengths[IN_PARAMS] if flow == POISSON else 0
    places = lengths[IN_QUEUE] + lengths[IN_SENT]
    memory = new_memory(lengths[IN_BOOK] // 2, lengths[IN_ACCOUNTS], places, distances)
    market = Market(np.empty_like(address), lengths, np.empty_like(out_address), out_lengths)
    for at in range(first, last):
        _locate(address, step, batch, at, market.args)
        _locate(out_address, out_step, batch, at, market.results)
        step_market(flow, width, market, memory)


@outer
def _count(frame):
    """The number of markets of a call."""
    shape = dims(results(frame)[0])
    markets = np.int64(1)
    for axis in range(shape.shape[0] - _BOOK_RANK):
        markets *= shape[axis]
    return markets


@njit(nogil=True, parallel=True)
def _run(frame, markets, ranges):
    """All markets of a call, one range a thread."""
    for k in numba.prange(ranges):
        _run_range(frame, np.int64(markets * k // ranges), np.int64(markets * (k + 1) // ranges))


def compile_handler(version: tuple[int, int]) -> int:
    """Compile the handler, or load it as compiled before on this machine; returns its address. version: of the FFI."""
    root = Path(__file__).parents[1]
    sources = (path for pattern in _SOURCES for path in sorted(root.glob(pattern)))
    key = (*version, ffi.stamp(sources))

    @cfunc(types.int64(types.int64), cache=True)
    def handler(frame):
        # The whole key is a closure variable, and so part of the cache's key.
        if ffi.answers_metadata(frame, key[0], key[1]):
            return 0
        markets = _count(frame)
        # Numba's own `get_num_threads` would keep this from being cached.
        _run(frame, markets, min(markets, attribute(frame, _THREADS)))
        return 0  # no error

    _KEEP_ALIVE.append(handler)
    address = handler.address
    assert address is not None, "Numba compiled no code for the handler"
    return address
