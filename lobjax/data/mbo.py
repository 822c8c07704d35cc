"""From a Databento MBO file to a `Day`: check, number the orders, find the tick, translate event by event.

A row of the day is an event (up to F_LAST), whatever number of records tells it. Its time is the exchange's (`ts_event`; of a snapshot
the time it was taken) in seconds after 00:00 UTC of the file's first day; a session that spans midnight goes on past 86,400.
The window is LEVELS levels a side, exact order by order, and up to MARGIN more. ES, 2023-12-25, 68,792 records, 47,022 events, a
book of up to 7,085 orders a side (messages: all that an engine gets; revealed, pruned: those for levels that came or went):

| levels | margin | messages | revealed | pruned | orders a side |
|---|---|---|---|---|---|
| 5 | 0 | 72,211 | 18,543 | 18,607 | 167 |
| 5 | 2 | 39,429 | 1,834 | 1,963 | 215 |
| 5 | 5 | 37,865 | 901 | 992 | 307 |
| 10 | 5 | 41,342 | 1,033 | 1,164 | 460 |
| 20 | 5 | 45,456 | 1,412 | 1,152 | 819 |
| all | | 72,866 | 0 | 0 | 7,085 |

An agent's order that rests beyond the window is ahead of the orders that are revealed at its price later; inside it, queues are exact.
"""

from pathlib import Path

import numpy as np
from numba import njit

from lobjax.data import dbn
from lobjax.data.checks import check_window
from lobjax.data.day import Day, DayInfo
from lobjax.data.dbn import read_orders
from lobjax.data.mbo_fills import Orders, Pending
from lobjax.data.mbo_records import NANOS, check_orders, tape_of, tick_of, times_of, to_orders
from lobjax.data.mbo_rules import happen
from lobjax.data.mbo_window import COUNTS, closed_window
from lobjax.data.queues import empty_queues, with_free_slots
from lobjax.data.rules import MessageLog
from lobjax.data.sources import digest
from lobjax.errors import InputError
from lobjax.types import Message, Side

LEVELS = 5
MARGIN = 2
_CHUNK_RECORDS = 1 << 16
_CHUNK_MESSAGES = 1 << 18
_MESSAGES = COUNTS.index("messages")


def build_order_day(
    path: str | Path,
    *,
    instrument: str | None = None,
    tick_size: int | None = None,
    levels: int | None = None,
    margin: int | None = None,
) -> Day:
    """Read and translate one instrument of a file.

    instrument: its symbol or number, the only one by default. tick_size: file price units (1e-9) in a tick, by default the largest
    that every order's price is a multiple of. levels, margin: the window. InputError for whatever is wrong.
    """
    levels, margin = LEVELS if levels is None else levels, MARGIN if margin is None else margin
    check_window(path, tick_size, levels, margin, 2**63 - 1)
    file = read_orders(path, instrument)
    tick_size = tick_size or tick_of(path, file.records)
    check_orders(path, file, tick_size)
    orders = to_orders(path, file.records, tick_size)
    ends = np.flatnonzero(file.records["flags"] & dbn.F_LAST) + 1
    if len(ends) == 0:
        raise InputError(f"{path}: no event ends in it (flag F_LAST); give a whole file")
    nanos, raised = times_of(path, file, ends)
    messages, row_end, row_event, counts, peak = _translate(orders, ends, levels, margin)
    prints = tape_of(file.records[: ends[-1]], ends, nanos)
    flags = file.records["flags"]
    info = DayInfo(
        symbol=file.symbol,
        date=file.date,
        levels=levels,
        margin=margin,
        tick_size=tick_size,
        rows=len(ends),
        book="orders",
        max_orders=peak,
        sources={Path(path).name: digest(path)},
        counts={
            **counts,
            "records": len(file.records),
            "records_of_others": file.in_file - len(file.records),
            "records_after_the_last_event": len(file.records) - int(ends[-1]),
            "records_of_a_doubtful_book": int(((flags & dbn.F_MAYBE_BAD_BOOK) != 0).sum()),
            "times_raised": raised,
            "prints_off_grid": int((prints.price % tick_size != 0).sum()),
        },
        price_unit=dbn.PRICE_UNIT,
    )
    row = np.repeat(np.arange(len(ends), dtype=np.int32), np.diff(row_end, prepend=0))
    seconds, rest = (word.astype(np.int32) for word in np.divmod(nanos, NANOS))
    kind, side, price, size, order_id, origin = (np.ascontiguousarray(column) for column in messages.T)
    return Day(
        messages=Message(kind, side, price, size, order_id, np.zeros_like(kind)),
        time_s=seconds[row],
        time_ns=rest[row],
        row=row,
        origin=origin.astype(np.int8),
        row_end=row_end,
        row_time_s=seconds,
        row_time_ns=rest,
        row_event=row_event,
        prints=prints,
        info=info,
    )


def _translate(
    orders: Orders, ends: np.ndarray, levels: int, margin: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int], int]:
    """Messages int32 [M, 6] (kind, side, price, size, id, origin), by event their end and EventType, counts, most orders a side."""
    ids = int(orders.order_id.max(initial=0))
    is_placed = np.isin(orders.action, (dbn.ADD, dbn.MODIFY))
    most_levels = max(
        (len(np.unique(orders.price[is_placed & (orders.side == side)])) for side in (Side.BID, Side.ASK)), default=0
    )
    queues, window = empty_queues(most_levels + 1, ids), closed_window(levels, margin)
    pending = Pending(*(np.zeros(ids + 1, np.int64) for _ in Pending._fields))
    counts = np.zeros(len(COUNTS), np.int64)
    row_end, row_event = np.zeros(len(ends), np.int32), np.zeros(len(ends), np.int8)
    parts, done = [], 0
    while done < len(ends):
        first = int(ends[done - 1]) if done else 0
        stop = max(int(np.searchsorted(ends, first + _CHUNK_RECORDS, side="right")), done + 1)
        queues = with_free_slots(queues, int(ends[stop - 1]) - first)
        largest = int(np.diff(ends[done:stop], prepend=first).max())
        room = _CHUNK_MESSAGES + _most_of_an_event(queues.n_orders.sum() + ends[stop - 1] - first, largest)
        log = MessageLog(np.empty((room, 6), np.int32), np.zeros(1, np.int64), counts)
        done = _translate_events(queues, window, log, pending, orders, ends, done, stop, row_end, row_event)
        parts.append(log.messages[: log.n[0]].copy())
    return (
        np.concatenate(parts),
        row_end,
        row_event,
        dict(zip(COUNTS, counts.tolist(), strict=True)),
        int(window.peak.max()),
    )


@njit(cache=True)
def _most_of_an_event(orders, records):
    """Messages at most: all orders withdrawn, seeded, revealed and pruned, and three for each record."""
    return 4 * (orders + records) + 3 * records


@njit(cache=True)
def _translate_events(queues, window, log, pending, orders, ends, done, stop, row_end, row_event):
    """Events from `done` on, until `stop` or until the log might not hold the next. Returns how many are done."""
    while done < stop:
        first = ends[done - 1] if done > 0 else 0
        if log.n[0] + _most_of_an_event(queues.n_orders.sum(), ends[done] - first) > log.messages.shape[0]:
            break
        row_event[done] = happen(queues, window, log, pending, orders, first, ends[done], done + 1)
        row_end[done] = log.counts[_MESSAGES]
        done += 1
    return done
