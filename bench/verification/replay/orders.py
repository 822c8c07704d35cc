"""`python -m bench replay FILE.dbn.zst`: does an order-by-order day, replayed with no agent, equal a book kept straight from the file?

After every event all orders that the engine holds (price, size, id, by priority) are compared with the best levels of
`order_book` beside this: as many as the engine holds, which must be the window's at least. While the file's book is crossed (an auction) no
engine can hold it: an empty book is then what is wanted.

What cannot be compared: CME's order priority is not in these files, so both books take it from the order of records and from what
CME's rules say of a Modify; `executions_out_of_turn` says how often the fills contradict that. `crossed_after_open` counts events from the
first trade on.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from bench.verification.replay.order_book import OrderBook
from lobjax.data import Day, Origin, book_capacity
from lobjax.data.dbn import F_LAST, OrderFile, read_orders
from lobjax.data.mbo import build_order_day
from lobjax.engine import choose, trace_streams
from lobjax.kinds import Kind
from lobjax.types import Message

CHUNK_MESSAGES = 2048


def replay_orders(
    path: Path, *, engine: str, instrument: str | None, tick_size: int | None, levels: int | None, margin: int | None
) -> None:
    """Replay, compare, and print one JSON object on the last line; arguments as in `lobjax.data.mbo.build_order_day`."""
    day = build_order_day(path, instrument=instrument, tick_size=tick_size, levels=levels, margin=margin)
    name, why = choose(engine, book_capacity(day))
    detail = {count: value for count, value in day.info.counts.items() if value}
    print(f"{day.info.symbol} {day.info.date}: {day.info.max_orders} orders a side at most; {detail}", file=sys.stderr)
    print(f"engine {name} ({why}), {book_capacity(day)} orders a side", file=sys.stderr)
    print(json.dumps(compare(day, read_orders(path, instrument), name)))


def compare(day: Day, file: OrderFile, engine: str) -> dict:
    """Run the day through an engine beside a book of its own; the figures of the comparison."""
    book, info = OrderBook(), day.info
    equal, crossed, crossed_since_trade, traded = 0, 0, 0, False
    listings = _listings(day, engine, book_capacity(day))
    records = plain_records(file, info.tick_size)
    least, unit = info.levels, info.tick_size / info.price_unit
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replay", total=info.rows)
        for row in range(info.rows):
            for action, side, price, lots, order_id, flags in records:
                traded = traded or action == ord("T")
                book.apply(action, side, price, lots, order_id, flags)
                if flags & F_LAST:
                    break
            held = next(listings)
            is_crossed = book.is_crossed()
            crossed, crossed_since_trade = crossed + is_crossed, crossed_since_trade + (is_crossed and traded)
            equal += all(_is_equal(book, side, held[side], least, is_crossed) for side in range(2))
            if row % 1024 == 0:
                progress.update(task, completed=row)
    return {
        "records": info.counts["records"],
        "events": info.rows,
        "messages": {
            kind.name: int((day.messages.kind == kind).sum()) for kind in Kind if (day.messages.kind == kind).any()
        },
        "messages_by_origin": {one.name: int((day.origin == one).sum()) for one in Origin if (day.origin == one).any()},
        "unknown_ids": max(book.unknown_ids, info.unknown_ids),
        "negative_sizes": book.negative_sizes,
        "crossed_events": crossed,
        "crossed_after_open": crossed_since_trade,
        "executions_in_turn": info.counts["executions_in_turn"],
        "executions_out_of_turn": info.counts["executions_out_of_turn"],
        "orders_a_side": info.max_orders,
        "engine": engine,
        "equal_events": equal,
        "last_touch": [None if ticks is None else ticks * unit for ticks in book.best()],
        "last_touch_of_engine": [float(held[side][0][0]) * unit if len(held[side]) else None for side in range(2)],
    }


def _is_equal(book: OrderBook, side: int, held: np.ndarray, least: int, is_crossed: bool) -> bool:
    if is_crossed:
        return len(held) == 0
    packed, levels = book.packed(side, len(held))
    return packed == held.tobytes() and levels >= min(least, len(book.prices[side]))


def plain_records(file: OrderFile, tick_size: int) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Records as tuples (action, side, price in ticks, lots, id numbered by first appearance, flags)."""
    numbers: dict[int, int] = {}
    columns = (file.records[name].tolist() for name in ("action", "side", "price", "size", "order_id", "flags"))
    for action, side, price, lots, order_id, flags in zip(*columns, strict=True):
        number = numbers.setdefault(order_id, len(numbers) + 1) if order_id else 0
        yield action, side, price // tick_size, lots, number, flags


def _listings(day: Day, engine: str, capacity: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """After every row the orders of both sides, int32 [orders, 4] (price, size, id, owner), best first.

    An engine starts with an empty book, so each part of the day follows on the orders that the one before left, sent as LIMITs.
    """
    seeds, row = np.zeros((0, 6), np.int32), 0
    for start in range(0, max(len(day.origin), 1), CHUNK_MESSAGES):
        part = np.stack([field[start : start + CHUNK_MESSAGES] for field in day.messages], axis=1)
        stream = np.zeros((2 * capacity + CHUNK_MESSAGES, 6), np.int32)
        stream[2 * capacity - len(seeds) : 2 * capacity] = seeds
        stream[2 * capacity : 2 * capacity + len(part)] = part
        trace = trace_streams(Message(*(column[None] for column in stream.T.copy())), engine=engine, capacity=capacity)
        if trace.counters[0, -1].any():
            raise RuntimeError(f"the engine {engine} refused messages of the replay: {trace.counters[0, -1]}")
        listings = trace.listings[0]
        orders = (listings[..., 1] > 0).sum(axis=-1)
        is_last = start + CHUNK_MESSAGES >= len(day.origin)
        while row < day.info.rows and (day.row_end[row] < start + CHUNK_MESSAGES or is_last):
            at = 2 * capacity + int(day.row_end[row]) - start - 1
            yield tuple(listings[at, side, : orders[at, side]] for side in range(2))  # type: ignore[misc]
            row += 1
        last = 2 * capacity + len(part) - 1
        seeds = np.concatenate([_limits(side, listings[last, side, : orders[last, side]]) for side in range(2)])


def _limits(side: int, rows: np.ndarray) -> np.ndarray:
    kind = np.full(len(rows), Kind.LIMIT, np.int32)
    return np.stack([kind, np.full(len(rows), side, np.int32), *rows.T], axis=1)
