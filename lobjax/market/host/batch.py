"""The engine `host` over a batch of markets: threads over markets, and the handler that XLA calls."""

import numba
import numpy as np
from numba import cfunc, types
from numba.core.ccallback import CFunc

from lobjax.ffi.batch import batch_of, count_items, locate, range_start, tables
from lobjax.ffi.frame import answers_metadata, arguments, attribute, results
from lobjax.ffi.handlers import stamp
from lobjax.ffi.jit import outer
from lobjax.market.host.loop import step_market
from lobjax.market.host.memory import IN_ACCOUNTS, IN_BOOK, IN_FLOW, IN_QUEUE, IN_SENT, MarketBuffers, new_memory

_FLOW, _MAX_MESSAGES, _STEP_MESSAGES, _THREADS, _WIDTH, _WORDS = range(6)  # attributes
_BOOK_RANK = 2  # the first result is a book's prices; what its rank has beyond is the batch

# Where compiled code, or a number frozen in it, comes from.
SOURCES = (
    "ffi/*.py",
    "types.py",
    "kinds.py",
    "clock.py",
    "flow/*.py",
    "flow/host/*.py",
    "market/host/*.py",
    "market/risk.py",
    "market/safeguards.py",
    "market/tape.py",
    "reference/*.py",
)


@outer
def _run_range(frame, first, last):
    """Markets `first` to `last - 1` of a call, one after the other."""
    args, rets, flow = arguments(frame), results(frame), attribute(frame, _FLOW)
    max_messages, step_messages = attribute(frame, _MAX_MESSAGES), attribute(frame, _STEP_MESSAGES)
    batch = batch_of(frame, _BOOK_RANK)
    axes = batch.shape[0]
    address, lengths, step = tables(args, axes)
    out_address, out_lengths, out_step = tables(rets, axes)
    width, words = attribute(frame, _WIDTH), attribute(frame, _WORDS)
    places = lengths[IN_QUEUE] + lengths[IN_SENT]
    memory = new_memory(lengths[IN_BOOK] // 2, lengths[IN_ACCOUNTS], places, lengths[IN_FLOW], words)
    market = MarketBuffers(np.empty_like(address), lengths, np.empty_like(out_address), out_lengths)
    for at in range(first, last):
        locate(address, step, batch, at, market.args)
        locate(out_address, out_step, batch, at, market.results)
        step_market(flow, width, max_messages, step_messages, market, memory)


def compile_handler(version: tuple[int, int]) -> CFunc:
    """Compile the handler, or load it as compiled before on this machine. version: of the FFI."""
    key = (*version, stamp(SOURCES))

    @cfunc(types.int64(types.int64), cache=True, parallel=True)
    def handler(frame):
        # The whole key is a closure variable, and so part of the cache's key. One range a thread; the loop is here because LLVM works on
        # everything anew for each function around it.
        if answers_metadata(frame, key[0], key[1]):
            return 0
        markets = count_items(frame, _BOOK_RANK)
        # Numba's own `get_num_threads` would keep this from being cached.
        ranges = min(markets, attribute(frame, _THREADS))
        if ranges == 1:  # without waking the other threads, which may be another call's
            _run_range(frame, 0, markets)
            return 0  # no error
        for k in numba.prange(ranges):
            _run_range(frame, range_start(markets, ranges, k), range_start(markets, ranges, k + 1))
        return 0  # no error

    return handler
