"""Turns the rows of a LOBSTER day into book messages whose replay equals the book file, at bounded size.

Each row gives, in this order: the messages of its event (`rules`), corrections that its own book row asks for at the deepest level of
the window (`deepest`), prunings. Nothing looks at a later row.

What becomes of a level that leaves the window of N levels: it is kept, queue and ids, among the next `margin` levels, and pruned
(deleted, counted) when it falls behind those. Levels come back often, mostly with the orders that they left with. Pruned at once
(margin 0) they must come back as corrections without ids; kept for ever they pile up and go stale, which costs corrections too.
AMZN 2012-06-21, 5 levels, 155,935 rows (corrections: levels changed; orders: most ever on one side):

| margin | corrections | pruned | unknown ids | orders |
|---|---|---|---|---|
| 0 | 33,840 | 44,148 | 13,854 | 27 |
| 2 | 14,884 | 15,780 | 10,204 | 32 |
| 5 | 14,363 | 9,674 | 9,437 | 42 |
| 10 | 14,673 | 6,078 | 9,248 | 56 |
| 200 | 15,327 | 395 | 9,367 | 476 |

So MARGIN is 5. Without book rows nothing is ever corrected and a level that went must be there when it comes back: BLIND_MARGIN.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numba import njit

from lobjax.data.deepest import reconcile, seed
from lobjax.data.queues import empty_queues, with_free_slots
from lobjax.data.rules import COUNTS, N_MESSAGES, PRUNE, MessageLog, drop_level, happen

MARGIN = 5
BLIND_MARGIN = 50
CHUNK_ROWS = 1 << 16
_ROW_ORDERS = 3  # a row brings at most its own order and a correction a side
_ROW_MESSAGES = 12  # besides one for every order that ends: its event, a repair, two corrections a side


class Rows(NamedTuple):
    """The rows of a message file as the rules read them, [R] each."""

    event: np.ndarray  # int8, EventType
    side: np.ndarray  # int8, of the resting order
    price: np.ndarray  # int32, ticks (of no meaning for types 5 to 7)
    lots: np.ndarray  # int32
    order_id: np.ndarray  # int32, 1 to the number of ids, by first appearance


class Translation(NamedTuple):
    """Messages int32 [M, 6] (kind, side, price, size, id, origin), where each row's end, counts, most orders a side."""

    messages: np.ndarray
    row_end: np.ndarray
    counts: dict[str, int]
    max_orders: int


def translate(rows: Rows, books: Iterable[np.ndarray], levels: int, margin: int, blind: bool) -> Translation:
    """Translate a day. `books`: blocks int32 [K, 2, >= levels, 2] of book rows from row 0 on; they may end early (a seed).

    `blind` says that they do, so that orders which the messages prove gone are let go. Memory: the messages that come out, the
    orders that live at one time, and one block.
    """
    total = len(rows.event)
    queues = empty_queues(max(levels, 1) * 2 + margin + 4, int(rows.order_id.max(initial=0)))
    counts, row_end = np.zeros(len(COUNTS), np.int64), np.zeros(total, np.int32)
    parts, done = [], 0
    for shown in _covering(books, levels, total):
        stop = min(total, done + (len(shown) or CHUNK_ROWS))
        queues = with_free_slots(queues, _ROW_ORDERS * (stop - done) + 2 * levels)
        room = int(queues.n_orders.sum()) + (_ROW_ORDERS + _ROW_MESSAGES) * (stop - done) + 4 * levels
        log = MessageLog(np.empty((room, 6), np.int32), np.zeros(1, np.int64), counts)
        _translate_rows(queues, log, rows, done, stop, shown, levels, margin, blind, row_end)
        parts.append(log.messages[: log.n[0]].copy())
        done = stop
    named = dict(zip(COUNTS, counts.tolist(), strict=True))
    return Translation(np.concatenate(parts), row_end, named, int(queues.peak.max()))


def _covering(books: Iterable[np.ndarray], levels: int, total: int) -> Iterator[np.ndarray]:
    """The blocks cut to the window, then empty ones for rows that have no book row."""
    done = 0
    for block in books:
        yield np.ascontiguousarray(block[:, :, :levels], np.int64)
        done += len(block)
    while done < total:
        yield np.zeros((0, 2, levels, 2), np.int64)
        done += CHUNK_ROWS


@njit(cache=True)
def _translate_rows(queues, log, rows, first, stop, shown, levels, margin, blind, row_end):
    for row in range(first, stop):
        # One width for all: every narrower argument type would be compiled once more.
        event, side = np.int64(rows.event[row]), np.int64(rows.side[row])
        price, lots, order_id = np.int64(rows.price[row]), np.int64(rows.lots[row]), np.int64(rows.order_id[row])
        is_shown = row - first < shown.shape[0]
        if row == 0 and is_shown:
            seed(queues, log, shown[0], event, side, price, lots, order_id)
        else:
            happen(queues, log, event, side, price, lots, order_id, blind)
        if is_shown:
            reconcile(queues, log, shown[row - first], levels)
        for each in range(2):
            while queues.n_levels[each] > levels + margin:
                drop_level(queues, log, each, queues.n_levels[each] - 1, PRUNE)
        row_end[row] = log.counts[N_MESSAGES]
