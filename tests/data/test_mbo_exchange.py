"""Random order-by-order days of a small exchange: its own book, a book kept straight from the file, and the replay are one."""

import numpy as np
import pytest

from bench.verification.replay.order_book import OrderBook
from bench.verification.replay.orders import compare, plain_records
from lobjax.data import build_day
from lobjax.data.dbn import read_orders
from lobjax.kinds import Kind
from tests.data.synthetic_mbo import BUY, SELL, TICK, Exchange, write_file


def _day(tmp_path, seed, events=600):
    exchange = Exchange(seed)
    exchange.snapshot(120)
    for _ in range(events):
        exchange.event()
    exchange.auction(40)
    for _ in range(events):
        exchange.event()
    exchange.clear()
    for clear in (False, True, False):
        exchange.snapshot(60, clear)
        for _ in range(events // 4):
            exchange.event()
    return exchange, write_file(tmp_path / "day.dbn.zst", exchange.records())


@pytest.mark.parametrize("seed", range(4))
def test_the_straight_book_is_the_exchanges(tmp_path, seed):
    exchange, path = _day(tmp_path, seed)
    book, numbers = OrderBook(), {}
    records = plain_records(read_orders(path), TICK)
    for told, want in zip(exchange.events, exchange.books, strict=True):
        for one in told:
            if one.order_id:
                numbers.setdefault(one.order_id, len(numbers) + 1)
            book.apply(*next(records))
        for side, name in enumerate((BUY, SELL)):
            keys = [(-key if side == 0 else key) for key in book.prices[side]]
            held = [(key, lots, number) for key in keys for number, lots in book.levels[side][key].items()]
            assert held == [(ticks, lots, numbers[one]) for ticks, lots, one in want[name]]
    assert book.unknown_ids == book.negative_sizes == 0


@pytest.mark.parametrize(("seed", "levels", "margin"), [(0, 1, 0), (1, 2, 1), (2, 5, 2), (3, 1000, 0)])
def test_the_replay_is_the_straight_book(tmp_path, seed, levels, margin):
    _, path = _day(tmp_path, seed)
    day = build_day(path, levels=levels, margin=margin)
    result = compare(day, read_orders(path), "reference")
    assert result["equal_events"] == result["events"] == day.info.rows
    assert result["executions_out_of_turn"] == result["unknown_ids"] == result["negative_sizes"] == 0
    assert result["executions_in_turn"] > 200 and result["crossed_events"] > 10
    assert day.info.counts["cancelled_ahead"] > 10 and day.info.counts["hidden_lots"] > 10
    assert (day.info.counts["revealed"] > 0) == (day.info.counts["pruned"] > 0) == (levels < 1000)


def test_the_comparison_sees_one_lot(tmp_path):
    _, path = _day(tmp_path, 5, events=100)
    day, file = build_day(path), read_orders(path)
    size = day.messages.size.copy()
    size[np.flatnonzero(day.messages.kind == Kind.LIMIT)[100]] += 1
    assert compare(day, file, "reference")["equal_events"] == day.info.rows
    other = day._replace(messages=day.messages._replace(size=size))
    assert compare(other, file, "reference")["equal_events"] < day.info.rows


def test_a_part_is_translated_as_it_is_within_the_whole(tmp_path):
    """No event looks at a later one."""
    exchange, path = _day(tmp_path, 6)
    events = len(exchange.events) // 2
    part = write_file(tmp_path / "part.dbn", [one for event in exchange.events[:events] for one in event])
    whole, half = build_day(path), build_day(part)
    messages = int(half.row_end[-1])
    assert len(half.origin) == messages == whole.row_end[events - 1]
    assert all((a[:messages] == b).all() for a, b in zip(whole.messages, half.messages, strict=True))
