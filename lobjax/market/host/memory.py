"""What the engine `host` is handed and hands back: the place of every leaf among a call's buffers, and a thread's working memory.

A call passes each leaf of the state as a buffer of its own, nothing is packed; for one market a table of addresses stands for them.
`lobjax.market.host.call` writes the leaves in the order given here.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

from itertools import accumulate
from typing import NamedTuple

import numpy as np

from lobjax.ffi.frame import integer_rows, integers
from lobjax.ffi.jit import inline, inner, outer
from lobjax.flow.host.levels import Levels, new_levels
from lobjax.flow.host.poisson import Rates, new_rates
from lobjax.reference import BookArrays
from lobjax.reference.arrays import load


def _starts(**leaves: int) -> tuple[int, ...]:
    """Where each record begins, if records of so many leaves follow each other; then the number of all leaves."""
    return tuple(accumulate(leaves.values(), initial=0))


# Arguments, record by record, each in the order of its fields. The parameters of the flow come last.
(
    IN_BOOK, IN_FLOW, IN_NOW, IN_DUE, IN_OPENED, IN_QUEUE, IN_HEAD, IN_DROPPED, IN_ACCOUNTS, IN_INEXACT, IN_COUNTERS, IN_CLIPPED,
    IN_LATE, IN_HALTING, IN_SENT, IN_CLOSING, IN_UNTIL, IN_WORDS, IN_FEES, IN_FEED_DELAY, IN_ORDER_DELAY, IN_LIMITS, IN_SAFEGUARDS,
    IN_PARAMS,
) = _starts(
    book=4, flow=1, now=2, due=2, opened=2, queue=8, head=1, dropped=1, accounts=11, inexact=1, counters=10, clipped=1,
    late=1, halting=5, sent=6, closing=6, until=2, words=1, fees=2, feed_delay=2, order_delay=2, limits=3, safeguards=2,
)  # fmt: skip
(
    OUT_BOOK, OUT_DEPTH, OUT_FLOW, OUT_NOW, OUT_DUE, OUT_QUEUE, OUT_HEAD, OUT_DROPPED, OUT_ACCOUNTS, OUT_INEXACT, OUT_TAPE, OUT_COUNTERS,
    OUT_CLIPPED, OUT_LATE, OUT_HALTING, OUT_COUNT,
) = _starts(
    book=4, depth=2, flow=1, now=2, due=2, queue=8, head=1, dropped=1, accounts=11, inexact=1, tape=8, counters=10,
    clipped=1, late=1, halting=5,
)  # fmt: skip

# Rows of `Memory.accounts`, in the order of the fields of `Accounts`; and which of them have two limbs.
LOTS, CASH, FEES, MAKER_LOTS, TAKER_LOTS, EDGE2, LOT_MS = range(7)
_WIDE = (False, True, True, False, False, True, True)
# Rows of `Memory.tape`, lots by side, in the order of the fields of `Tape` after `messages`; then its scalars and others.
MARKET_LOTS, LIMIT_LOTS, TRADED_LOTS, CLOSING_LOTS = range(4)
MESSAGES, LAST_PRICE, CLIPPED, INEXACT = range(4)
LIMB_BITS = 30


class MarketBuffers(NamedTuple):
    """One market's buffers: addresses, int64."""

    args: np.ndarray  # of the arguments
    lengths: np.ndarray  # elements of each argument that belong to one market
    results: np.ndarray  # of the results
    out_lengths: np.ndarray


class Memory(NamedTuple):
    """What a thread works in, market after market."""

    n: np.ndarray  # int32 [2], live orders a side
    fills: np.ndarray  # int32 [N, 4], of one message
    message: np.ndarray  # int32 [6]
    accounts: np.ndarray  # int64 [7, A + 1]
    made: np.ndarray  # int64 [2, A + 1], of one message: lots of each maker, and lots times their distance from the mid
    counters: np.ndarray  # int32 [2, 5], of agents' messages and of the flow's
    tape: np.ndarray  # int32 [4, 2]
    tally: np.ndarray  # int32 [4]
    halting: np.ndarray  # int32 [5], where the venue's safeguards stand
    queue_key: np.ndarray  # int64 [Q + K], arrivals of the messages in flight and of those sent
    queue_from: np.ndarray  # int32 [Q + K]
    flow: np.ndarray  # int32 [S], the flow's state
    words: np.ndarray  # uint32 [W], the step's random words, where they are made here
    levels: Levels
    rates: Rates


@outer
def new_memory(capacity, rows, places, flow_words, words):
    """Working memory for N, A + 1, Q + K, S and W."""
    return Memory(
        n=np.zeros(2, np.int32),
        fills=np.zeros((capacity, 4), np.int32),
        message=np.zeros(6, np.int32),
        accounts=np.zeros((7, rows), np.int64),
        made=np.zeros((2, rows), np.int64),
        counters=np.zeros((2, 5), np.int32),
        tape=np.zeros((4, 2), np.int32),
        tally=np.zeros(4, np.int32),
        halting=np.zeros(5, np.int32),
        queue_key=np.zeros(places, np.int64),
        queue_from=np.zeros(places, np.int32),
        flow=np.zeros(flow_words, np.int32),
        words=np.zeros(words, np.uint32),
        levels=new_levels(),
        rates=new_rates(),
    )


@inline
def argument(market, leaf):
    """An argument of one market, int32, flat."""
    return integers(market.args[leaf], market.lengths[leaf])


@inline
def result(market, leaf):
    """A result of one market, int32, flat."""
    return integers(market.results[leaf], market.out_lengths[leaf])


@inner
def scalar(market, leaf):
    """A scalar argument as int64."""
    return np.int64(integers(market.args[leaf], 1)[0])


@inner
def put(market, leaf, value):
    """Write a scalar result, cut to int32."""
    integers(market.results[leaf], 1)[0] = value


@inline
def book_of(market, n):
    """The book that a step works on: it lies in the memory of the results."""
    capacity = market.lengths[IN_BOOK] // 2
    return BookArrays(
        integer_rows(market.results[OUT_BOOK], 2, capacity),
        integer_rows(market.results[OUT_BOOK + 1], 2, capacity),
        integer_rows(market.results[OUT_BOOK + 2], 2, capacity),
        integer_rows(market.results[OUT_BOOK + 3], 2, capacity),
        n,
    )


@inner
def load_book(market, book):
    """Copy the argument's live orders into `book`, leaving its holes out."""
    capacity = book.price.shape[1]
    load(
        book,
        integer_rows(market.args[IN_BOOK], 2, capacity),
        integer_rows(market.args[IN_BOOK + 1], 2, capacity),
        integer_rows(market.args[IN_BOOK + 2], 2, capacity),
        integer_rows(market.args[IN_BOOK + 3], 2, capacity),
    )


@inner
def load_accounts(market, memory):
    """Accounts, counters and tallies into working memory; the tape begins anew."""
    leaf = IN_ACCOUNTS
    for field in range(7):
        words = argument(market, leaf)
        for row in range(words.shape[0]):
            memory.accounts[field, row] = words[row]
        leaf += 1
        if _WIDE[field]:
            low = argument(market, leaf)
            for row in range(low.shape[0]):
                memory.accounts[field, row] = (memory.accounts[field, row] << LIMB_BITS) + low[row]
            leaf += 1
    for k in range(10):
        memory.counters[k // 5, k % 5] = scalar(market, IN_COUNTERS + k)
    memory.tape[:] = 0
    memory.tally[MESSAGES] = 0
    memory.tally[LAST_PRICE] = 0
    memory.tally[CLIPPED] = scalar(market, IN_CLIPPED)
    memory.tally[INEXACT] = scalar(market, IN_INEXACT)


@inner
def store_accounts(market, memory, opening_mid2, flow_mid2):
    """The way back, with the tape."""
    leaf = OUT_ACCOUNTS
    for field in range(7):
        words = result(market, leaf)
        shift = LIMB_BITS if _WIDE[field] else 0
        for row in range(words.shape[0]):
            words[row] = memory.accounts[field, row] >> shift
        leaf += 1
        if _WIDE[field]:
            low = result(market, leaf)
            for row in range(low.shape[0]):
                low[row] = memory.accounts[field, row] & ((1 << LIMB_BITS) - 1)
            leaf += 1
    for k in range(10):
        put(market, OUT_COUNTERS + k, memory.counters[k // 5, k % 5])
    put(market, OUT_TAPE, memory.tally[MESSAGES])
    for row in range(4):
        lots = result(market, OUT_TAPE + 1 + row)
        lots[0], lots[1] = memory.tape[row, 0], memory.tape[row, 1]
    put(market, OUT_TAPE + 5, memory.tally[LAST_PRICE])
    put(market, OUT_TAPE + 6, opening_mid2)
    put(market, OUT_TAPE + 7, flow_mid2)
    put(market, OUT_CLIPPED, memory.tally[CLIPPED])
    put(market, OUT_INEXACT, memory.tally[INEXACT])
