"""From the files of a day to a `Day`: read, check, translate, all in memory bounded by the messages of the day."""

from pathlib import Path

import numpy as np

from lobjax.data.checks import check_window
from lobjax.data.day import Day, DayInfo, EventType, Prints
from lobjax.data.lobster import DIRECTION, EVENT, NANOS, ORDER_ID, PRICE, SECONDS, SIZE, open_book, read_messages
from lobjax.data.mbo import build_order_day
from lobjax.data.reconcile import BLIND_MARGIN, MARGIN, Rows, translate
from lobjax.data.sources import digests, is_order_file, locate
from lobjax.errors import InputError
from lobjax.types import INT32_MAX, SYNTHETIC_ID_BASE, Message, Side

DEFAULT_LEVELS = 10  # window of a message file whose name does not tell, without a book
TICK_SIZE = 100  # a cent


def build_day(
    path: str | Path,
    book: str | Path | None = None,
    *,
    tick_size: int | None = None,
    levels: int | None = None,
    margin: int | None = None,
    instrument: str | None = None,
) -> Day:
    """Read and translate a LOBSTER day; `path` and `book` as in `sources.locate`. Or a Databento MBO file, as in `mbo.build_order_day`.

    tick_size: file price units (1e-4 dollars) in a tick, a cent by default. levels: depth of the window, at most (and by default) that
    of the book file; without one, what the message file's name says. A shallower window holds fewer orders. margin: further levels
    a side that are held (`reconcile`). InputError for whatever is wrong with the files or the arguments.
    """
    if is_order_file(path):
        if book is not None:
            raise InputError(f"{path}: tells every order and goes with no book file; leave {book} out")
        return build_order_day(path, instrument=instrument, tick_size=tick_size, levels=levels, margin=margin)
    if instrument is not None:
        raise InputError(f"{path}: a LOBSTER day is of one instrument; leave the instrument out")
    tick_size = TICK_SIZE if tick_size is None else tick_size
    check_window(path, tick_size, levels, margin, INT32_MAX)
    source = locate(path, book)
    raw, rounded = read_messages(source.message, tick_size)
    file = open_book(source.book, len(raw), tick_size)
    deepest = file.levels or levels or source.levels or DEFAULT_LEVELS
    if levels is not None and levels > deepest:
        raise InputError(f"{source.book}: has {deepest} levels, {levels} were asked for; ask for at most {deepest}")
    levels = levels or deepest
    check_window(source.message, None, levels, None, INT32_MAX)
    blind = file.book != "rows"
    margin = margin if margin is not None else BLIND_MARGIN if blind else MARGIN
    rows, ids = to_rows(raw, tick_size)
    if ids >= SYNTHETIC_ID_BASE:
        raise InputError(f"{source.message}: {ids} order ids, more than {SYNTHETIC_ID_BASE - 1}; split the file")
    done = translate(rows, file.blocks, levels, margin, blind)
    prints = tape_of(raw)
    info = DayInfo(
        symbol=source.symbol,
        date=source.date,
        levels=levels,
        margin=margin,
        tick_size=tick_size,
        rows=len(raw),
        book=file.book,
        max_orders=done.max_orders,
        sources=digests(source),
        counts={**done.counts, "times_rounded": rounded, "prints_off_grid": int((prints.price % tick_size != 0).sum())},
    )
    source_row = np.repeat(np.arange(len(raw), dtype=np.int32), np.diff(done.row_end, prepend=0))
    kind, side, price, size, order_id, origin = (np.ascontiguousarray(column) for column in done.messages.T)
    return Day(
        messages=Message(kind, side, price, size, order_id, np.zeros_like(kind)),
        time_s=raw[source_row, SECONDS].astype(np.int32),
        time_ns=raw[source_row, NANOS].astype(np.int32),
        row=source_row,
        origin=origin.astype(np.int8),
        row_end=done.row_end,
        row_time_s=raw[:, SECONDS].astype(np.int32),
        row_time_ns=raw[:, NANOS].astype(np.int32),
        row_event=rows.event,
        prints=prints,
        info=info,
    )


def to_rows(raw: np.ndarray, tick_size: int) -> tuple[Rows, int]:
    """Checked messages int64 [R, 7] in the int32 terms of the rules, and the number of distinct ids.

    Ids count up in order of first appearance, so a later row never changes an earlier one.
    """
    event = raw[:, EVENT].astype(np.int8)
    is_order = event <= EventType.EXECUTION
    order_id = np.zeros(len(raw), np.int32)
    _, first, inverse = np.unique(raw[is_order, ORDER_ID], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1, dtype=np.int32)
    order_id[is_order] = rank[inverse]
    price, lots = (np.where(is_order, column, 0) for column in (raw[:, PRICE] // tick_size, raw[:, SIZE]))
    return Rows(event, _side(raw).astype(np.int8), price.astype(np.int32), lots.astype(np.int32), order_id), len(first)


def tape_of(raw: np.ndarray) -> Prints:
    """The executions among checked messages int64 [R, 7]: types 4, 5 and 6, raw prices."""
    row = np.flatnonzero(np.isin(raw[:, EVENT], (EventType.EXECUTION, EventType.HIDDEN, EventType.CROSS)))
    found = raw[row]
    return Prints(
        row=row.astype(np.int32),
        time_s=found[:, SECONDS].astype(np.int32),
        time_ns=found[:, NANOS].astype(np.int32),
        event=found[:, EVENT].astype(np.int8),
        side=_side(found).astype(np.int8),
        size_lots=found[:, SIZE].astype(np.int32),
        price=found[:, PRICE].copy(),
    )


def _side(raw: np.ndarray) -> np.ndarray:
    return np.where(raw[:, DIRECTION] < 0, int(Side.ASK), int(Side.BID))
