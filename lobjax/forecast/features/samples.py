"""Samples of a day: the state after every tenth row, and the flow since the sample before. Streams in pieces to the bit.

Order flow imbalance of Cont, Kukanov and Stoikov (2014), row by row and level by level:
e = [Pb >= Pb'] qb - [Pb <= Pb'] qb' - [Pa <= Pa'] qa + [Pa >= Pa'] qa', a dash for the row before; 0 for the first row.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.data.day import EventType
from lobjax.forecast.features.rows import Rows

EVERY = 10  # rows of a sample
NEW_BID, NEW_ASK, CANCELLED_BID, CANCELLED_ASK, EXECUTED_BID, EXECUTED_ASK = range(6)
# Sums over the rows of a sample, in this order: shares (6), then these, then OFI by level, then depth by level.
HIDDEN = 6
_OFI = 7
_NEW, _CANCEL, _DELETE, _EXECUTION, _HIDDEN = (int(EventType(k)) for k in range(1, 6))


class Samples(NamedTuple):
    """S samples of L levels. Prices in ticks, sizes in lots; a sample without both sides has the last mid, NaN before there was one."""

    book: np.ndarray  # int64 [S, 2, L, 2], as in Rows, after the last row
    mid: np.ndarray  # float64 [S]
    ofi: np.ndarray  # float64 [S, L], summed over the rows
    depth: np.ndarray  # float64 [S, L], mean over the rows of half the lots of both sides
    shares: np.ndarray  # float64 [S, 6]: new, cancelled, executed, each on the bid and on the ask
    hidden: np.ndarray  # float64 [S], lots executed hidden
    messages: np.ndarray  # int64 [S]
    seconds: np.ndarray  # float64 [S], after midnight, of the last row
    took: np.ndarray  # float64 [S], seconds since the last row of the sample before (of the first: since its first row)

    @property
    def signed(self) -> np.ndarray:
        """Lots bought less lots sold by who crossed the spread, visible only."""
        return self.shares[:, EXECUTED_ASK] - self.shares[:, EXECUTED_BID]

    @property
    def traded(self) -> np.ndarray:
        """Visible lots executed."""
        return self.shares[:, EXECUTED_ASK] + self.shares[:, EXECUTED_BID]

    @property
    def spread(self) -> np.ndarray:
        """Best ask less best bid, ticks."""
        return (self.book[:, 1, 0, 0] - self.book[:, 0, 0, 0]).astype(np.float64)


class Sampler:
    """Carries what a sample needs from rows before: push rows as they come, get the samples that they complete."""

    def __init__(self, levels: int, every: int = EVERY) -> None:
        self.levels, self.every = levels, every
        self._before = np.zeros((2, levels, 2), np.int64)  # the book after the last row
        self._sums = np.zeros(_OFI + 2 * levels)
        self._count = np.zeros(2, np.int64)  # rows seen; rows of the sample begun
        self._clock = np.zeros(2, np.int64)  # time of the last sample's last row (of the first: of its first), s and ns
        self._mid = np.full(1, np.nan)

    def push(self, rows: Rows) -> Samples:
        """The samples that `rows` complete; what is left begins the next."""
        done = (int(self._count[1]) + len(rows.event)) // self.every
        size = self.levels
        out = Samples(
            np.zeros((done, 2, size, 2), np.int64),
            np.empty(done),
            np.empty((done, size)),
            np.empty((done, size)),
            np.empty((done, 6)),
            np.empty(done),
            np.empty(done, np.int64),
            np.empty(done),
            np.empty(done),
        )
        _push(*rows, self.every, self._before, self._sums, self._count, self._clock, self._mid, out)
        return out


def sample_day(rows: Rows, every: int = EVERY) -> Samples:
    """All whole samples of a day; the rows of an unfinished last one are dropped."""
    return Sampler(rows.book.shape[2], every).push(rows)


def flow_imbalance(book: np.ndarray) -> np.ndarray:
    """e of each row, float64 [R], of one level: book int [R, 2, 2], side (bids first), (price, lots). `Samples.ofi` is its sum."""
    return _flow_imbalance(np.ascontiguousarray(book, np.int64))


@njit(cache=True)
def _flow_imbalance(book):
    out = np.zeros(book.shape[0])
    for row in range(1, book.shape[0]):
        was, now = book[row - 1], book[row]
        out[row] = _imbalance(was[0, 0], was[0, 1], was[1, 0], was[1, 1], now[0, 0], now[0, 1], now[1, 0], now[1, 1])
    return out


@njit(cache=True)
def _imbalance(bid0, bids0, ask0, asks0, bid, bids, ask, asks):
    """Where a side has no level its price is 0 and it has no lots; a missing ask is worse than every ask."""
    e = 0
    if bid >= bid0:
        e += bids
    if bid <= bid0:
        e -= bids0
    worse, worse0 = (ask if ask > 0 else 1 << 40), (ask0 if ask0 > 0 else 1 << 40)
    if worse <= worse0:
        e -= asks
    if worse >= worse0:
        e += asks0
    return e


@njit(cache=True)
def _push(seconds, nanos, event, side, size, book, every, before, sums, count, clock, mid, out):
    levels, at = before.shape[1], 0
    for row in range(event.shape[0]):
        if count[0] == 0:
            clock[0], clock[1] = seconds[row], nanos[row]
        kind = event[row]
        if kind == _NEW:
            sums[0 + side[row]] += size[row]
        elif kind in (_CANCEL, _DELETE):
            sums[2 + side[row]] += size[row]
        elif kind == _EXECUTION:
            sums[4 + side[row]] += size[row]
        elif kind == _HIDDEN:
            sums[HIDDEN] += size[row]
        for level in range(levels):
            bid, bids = np.int64(book[row, 0, level, 0]), np.int64(book[row, 0, level, 1])
            ask, asks = np.int64(book[row, 1, level, 0]), np.int64(book[row, 1, level, 1])
            if count[0] > 0:
                sums[_OFI + level] += _imbalance(
                    before[0, level, 0],
                    before[0, level, 1],
                    before[1, level, 0],
                    before[1, level, 1],
                    bid,
                    bids,
                    ask,
                    asks,
                )
            sums[_OFI + levels + level] += 0.5 * (bids + asks)
            before[0, level, 0], before[0, level, 1], before[1, level, 0], before[1, level, 1] = bid, bids, ask, asks
        if before[0, 0, 0] > 0 and before[1, 0, 0] > 0:
            mid[0] = 0.5 * (before[0, 0, 0] + before[1, 0, 0])
        count[0] += 1
        count[1] += 1
        if count[1] == every:
            out.book[at] = before
            out.mid[at] = mid[0]
            for level in range(levels):
                out.ofi[at, level] = sums[_OFI + level]
                out.depth[at, level] = sums[_OFI + levels + level] / every
            for k in range(6):
                out.shares[at, k] = sums[k]
            out.hidden[at] = sums[HIDDEN]
            out.messages[at] = every
            out.seconds[at] = seconds[row] + 1e-9 * nanos[row]
            out.took[at] = (seconds[row] - clock[0]) + 1e-9 * (nanos[row] - clock[1])
            clock[0], clock[1] = seconds[row], nanos[row]
            sums[:] = 0
            count[1] = 0
            at += 1
