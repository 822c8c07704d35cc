"""Each action of an order-by-order file, by hand: which messages its event becomes."""

import numpy as np
import pytest

from lobjax.data import EventType, Origin, build_day
from lobjax.engine import run_streams
from lobjax.kinds import Kind
from lobjax.types import Message, Side
from tests.data.synthetic_mbo import BUY, FIRST_ID, SELL, SNAPSHOT, record, write_file

BOOK = [
    ("A", BUY, 100, 5, 1),
    ("A", BUY, 100, 3, 2),
    ("A", BUY, 99, 4, 3),
    ("A", SELL, 102, 6, 4),
    ("A", SELL, 103, 2, 5),
]


def told(*records, last=True):
    """Tuples (action, side, ticks, lots, id) as one event."""
    flags = [0] * (len(records) - 1) + [128 * last]
    return [
        record(*one[:4], order_id=one[4] and FIRST_ID + one[4], flags=flag)
        for one, flag in zip(records, flags, strict=True)
    ]


def day_of(tmp_path, *events, **arguments):
    path = write_file(tmp_path / "day.dbn", [one for event in (BOOK, *events) for one in told(*event)])
    return build_day(path, **{"tick_size": 250_000_000, **arguments})


def sent(day, row=1):
    """The messages of a row: (kind, side, ticks, lots, id, origin)."""
    part = slice(day.row_end[row - 1] if row else 0, day.row_end[row])
    columns = [field[part].tolist() for field in day.messages[:5]]
    rows = zip(*columns, day.origin[part].tolist(), strict=True)
    return [(Kind(kind).name, *numbers, Origin(origin).name) for kind, *numbers, origin in rows]


CASES = {
    "add": ([("A", SELL, 102, 1, 6)], "NEW", [("LIMIT", 1, 102, 1, 6, "REAL")]),
    "cancel of a part": ([("C", BUY, 100, 2, 1)], "CANCEL", [("CANCEL", 0, 100, 2, 1, "REAL")]),
    "cancel of the whole": ([("C", BUY, 100, 5, 1)], "DELETE", [("DELETE", 0, 100, 5, 1, "REAL")]),
    "modify to fewer lots": ([("M", BUY, 100, 4, 1)], "MODIFY", [("CANCEL", 0, 100, 1, 1, "REAL")]),
    "modify to more lots": ([("M", BUY, 100, 6, 1)], "MODIFY", [("REPLACE", 0, 100, 6, 1, "REAL")]),
    "modify to another price": ([("M", BUY, 101, 5, 1)], "MODIFY", [("REPLACE", 0, 101, 5, 1, "REAL")]),
    "modify of nothing": ([("M", BUY, 100, 5, 1)], "MODIFY", []),
    "none": ([("N", "N", None, 0, 0)], "OTHER", []),
    "a fill of a part": (
        [("T", SELL, 100, 2, 9), ("F", BUY, 100, 2, 1), ("M", BUY, 100, 3, 1)],
        "EXECUTION",
        [("IOC", 1, 100, 2, 0, "REAL")],
    ),
    "a fill of a part, told as a cancel": (
        [("T", SELL, 100, 2, 9), ("F", BUY, 100, 2, 1), ("C", BUY, 100, 2, 1)],
        "EXECUTION",
        [("IOC", 1, 100, 2, 0, "REAL")],
    ),
    "a sweep of one price, the fills not in the queue's order": (
        [
            ("T", SELL, 100, 8, 9),
            ("F", BUY, 100, 3, 2),
            ("F", BUY, 100, 5, 1),
            ("C", BUY, 100, 5, 1),
            ("C", BUY, 100, 3, 2),
        ],
        "EXECUTION",
        [("IOC", 1, 100, 8, 0, "REAL")],
    ),
    "a sweep of two prices, and the rest of it": (
        [
            *[
                ("T", SELL, 100, 8, 9),
                ("F", BUY, 100, 5, 1),
                ("F", BUY, 100, 3, 2),
                ("T", SELL, 99, 4, 9),
                ("F", BUY, 99, 4, 3),
            ],
            *[("A", SELL, 99, 7, 9), ("C", BUY, 100, 5, 1), ("C", BUY, 100, 3, 2), ("C", BUY, 99, 4, 3)],
        ],
        "EXECUTION",
        [("IOC", 1, 100, 8, 0, "REAL"), ("IOC", 1, 99, 4, 0, "REAL"), ("LIMIT", 1, 99, 7, 6, "REAL")],
    ),
    "an iceberg shows again": (
        [("T", SELL, 100, 5, 9), ("F", BUY, 100, 5, 1), ("M", BUY, 100, 5, 1)],
        "EXECUTION",
        [("IOC", 1, 100, 5, 0, "REAL"), ("LIMIT", 0, 100, 5, 1, "REAL")],
    ),
    "hidden lots trade with the level gone": (
        [
            ("T", SELL, 100, 40, 9),
            ("F", BUY, 100, 37, 1),
            ("F", BUY, 100, 3, 2),
            ("C", BUY, 100, 3, 2),
            ("M", BUY, 100, 4, 1),
        ],
        "EXECUTION",
        [("IOC", 1, 100, 40, 0, "REAL"), ("LIMIT", 0, 100, 4, 1, "REAL")],
    ),
    "hidden lots trade and others stay": (
        [("T", BUY, 102, 9, 9), ("F", SELL, 102, 9, 4), ("M", SELL, 103, 1, 4)],
        "EXECUTION",
        [("IOC", 0, 102, 9, 0, "REAL"), ("LIMIT", 1, 103, 1, 4, "REAL")],
    ),
    "self-match prevention ahead of the fill": (
        [("T", SELL, 100, 1, 9), ("F", BUY, 100, 1, 2), ("M", BUY, 100, 2, 2), ("C", BUY, 100, 5, 1)],
        "EXECUTION",
        [("DELETE", 0, 100, 5, 1, "REAL"), ("IOC", 1, 100, 1, 0, "REAL")],
    ),
    "self-match prevention and no fill": (
        [("A", BUY, 102, 1, 6), ("C", SELL, 102, 6, 4)],
        "NEW",
        [("DELETE", 1, 102, 6, 4, "REAL"), ("LIMIT", 0, 102, 1, 6, "REAL")],
    ),
    "an order modified into the other side": (
        [
            ("T", BUY, 102, 3, 1),
            ("F", BUY, 102, 3, 1),
            ("F", SELL, 102, 3, 4),
            ("M", SELL, 102, 3, 4),
            ("M", BUY, 101, 2, 1),
        ],
        "EXECUTION",
        [("IOC", 0, 102, 3, 0, "REAL"), ("REPLACE", 0, 101, 2, 1, "REAL")],
    ),
    "a trade that bears the resting order's id": (
        [("T", SELL, 100, 2, 1), ("F", BUY, 100, 2, 1), ("C", BUY, 100, 2, 1)],
        "EXECUTION",
        [("IOC", 1, 100, 2, 0, "REAL")],
    ),
    "a fill out of turn": (
        [("T", SELL, 100, 3, 9), ("F", BUY, 100, 3, 2), ("C", BUY, 100, 3, 2)],
        "EXECUTION",
        [("DELETE", 0, 100, 3, 2, "REPAIR")],
    ),
    "a trade of nobody in the book": ([("T", "N", 101, 7, 0)], "EXECUTION", []),
}


@pytest.mark.parametrize("name", CASES)
def test_an_event_becomes_messages(tmp_path, name):
    records, event, messages = CASES[name]
    day = day_of(tmp_path, records)
    assert sent(day) == messages
    assert EventType(day.row_event[1]).name == event and day.info.unknown_ids == 0
    assert [origin for *_, origin in sent(day, 0)] == ["SEED"] * len(BOOK)


@pytest.mark.parametrize(
    ("records", "count", "messages"),
    [
        ([("C", BUY, 100, 5, 7)], "unknown_cancels", []),
        ([("M", BUY, 98, 5, 7)], "unknown_modifies", [("LIMIT", 0, 98, 5, 6, "REAL")]),
        ([("T", SELL, 100, 5, 9), ("F", BUY, 100, 5, 7)], "unknown_executions", []),
    ],
)
def test_unknown_ids_are_counted(tmp_path, records, count, messages):
    day = day_of(tmp_path, records)
    assert day.info.counts[count] == day.info.unknown_ids == 1 and sent(day) == messages


@pytest.mark.parametrize(
    ("records", "count"),
    [
        ([("C", BUY, 100, 9, 1)], "oversized_cancels"),
        ([("A", BUY, 98, 9, 1)], "reused_ids"),
        ([("T", SELL, 100, 3, 9), ("F", BUY, 100, 3, 2), ("C", BUY, 100, 3, 2)], "executions_out_of_turn"),
        ([("R", "N", None, 0, 0)], "clears"),
    ],
)
def test_oddities_are_counted(tmp_path, records, count):
    assert day_of(tmp_path).info.counts[count] == 0
    assert day_of(tmp_path, records).info.counts[count] == 1


def test_a_clear_deletes_all_and_the_next_orders_are_seeded(tmp_path):
    day = day_of(tmp_path, [("R", "N", None, 0, 0), ("A", BUY, 90, 1, 7)])
    kinds = [(kind, number, origin) for kind, _, _, _, number, origin in sent(day)]
    assert kinds == [*(("DELETE", one, "REAL") for one in (3, 2, 1, 5, 4)), ("LIMIT", 6, "SEED")]


def test_a_snapshot_without_a_clear_replaces_the_book(tmp_path):
    records = [*told(*BOOK), *told(("A", BUY, 90, 1, 1))]
    for one in records[len(BOOK) :]:
        one.flags |= SNAPSHOT
    day = build_day(write_file(tmp_path / "day.dbn", records), tick_size=250_000_000)
    assert day.info.counts["implicit_clears"] == 1 and day.info.counts["reused_ids"] == 0
    assert sent(day)[-1] == ("LIMIT", 0, 90, 1, 1, "SEED") and len(sent(day)) == 6


def test_the_window_reveals_and_prunes(tmp_path):
    deep = [("A", BUY, 90 - step, 1, 10 + step) for step in range(3)]
    day = day_of(
        tmp_path,
        *[[one] for one in deep],
        [("C", BUY, 99, 4, 3)],  # outside: nobody is told
        [("C", BUY, 100, 5, 1)],
        [("C", BUY, 100, 3, 2)],  # now 90 comes in
        [("M", BUY, 80, 1, 10)],  # and leaves, and 89 comes in
        [("A", BUY, 95, 1, 20)],  # and is pushed out, but for a margin of one
        [("A", BUY, 96, 1, 21)],
        levels=1,
        margin=1,
    )
    assert [sent(day, row) for row in range(5)] == [
        [("LIMIT", 0, 100, 5, 1, "SEED"), *sent(day, 0)[1:]],
        [],
        [],
        [],
        [],
    ]
    assert sent(day, 6) == [("DELETE", 0, 100, 3, 2, "REAL"), ("LIMIT", 0, 90, 1, 6, "REVEAL")]
    assert sent(day, 7) == [("DELETE", 0, 90, 1, 6, "REAL"), ("LIMIT", 0, 89, 1, 7, "REVEAL")]
    assert sent(day, 8) == [("LIMIT", 0, 95, 1, 9, "REAL")]
    assert sent(day, 9) == [("LIMIT", 0, 96, 1, 10, "REAL"), ("DELETE", 0, 89, 1, 7, "PRUNE")]
    assert day.info.max_orders == 3 and day.info.counts["revealed"] == 2 and day.info.counts["pruned"] == 1


def test_a_crossed_book_is_withdrawn_and_seeded_again(tmp_path):
    day = day_of(
        tmp_path, [("A", BUY, 102, 2, 6)], [("A", SELL, 100, 1, 7)], [("C", BUY, 102, 2, 6), ("C", SELL, 100, 1, 7)]
    )
    assert [kind for kind, *_ in sent(day)] == ["DELETE"] * 5 and {one[-1] for one in sent(day)} == {"WITHDRAW"}
    assert sent(day, 2) == [] and day.info.counts["auctions"] == 1 and day.info.counts["crossed_rows"] == 2
    assert [one[4] for one in sent(day, 3)] == [1, 2, 3, 4, 5] and {one[-1] for one in sent(day, 3)} == {"SEED"}


def test_trades_are_on_the_tape(tmp_path):
    day = day_of(
        tmp_path,
        [("T", SELL, 100, 2, 9), ("F", BUY, 100, 2, 1), ("M", BUY, 100, 3, 1)],
        [("T", BUY, 102, 1, 9), ("F", SELL, 102, 1, 4), ("M", SELL, 102, 5, 4)],
        [("T", "N", 101, 7, 0)],
    )
    assert [EventType(event).name for event in day.prints.event] == ["EXECUTION", "EXECUTION", "HIDDEN"]
    assert day.prints.side[:2].tolist() == [Side.BID, Side.ASK] and day.prints.size_lots.tolist() == [2, 1, 7]
    assert day.prints.row.tolist() == [1, 2, 3] and day.prints.price.tolist() == [
        one * 250_000_000 for one in (100, 102, 101)
    ]


def test_an_agents_order_ahead_is_filled(tmp_path):
    """With lots of an agent before order 1, the fill that the file gives to order 1 is the agent's, and order 1 keeps its lots."""
    day = day_of(tmp_path, [("T", SELL, 100, 2, 9), ("F", BUY, 100, 2, 1), ("M", BUY, 100, 3, 1)])
    agent = (Kind.LIMIT, Side.BID, 100, 2, 1 << 30, 1)
    stream = Message(
        *(
            np.concatenate([[first], field]).astype(np.int32)[None]
            for first, field in zip(agent, day.messages, strict=True)
        )
    )
    result = run_streams(stream, engine="reference", capacity=16)
    assert result.fills[:, 2:].tolist() == [[1 << 30, 1, 100, 2]]
    assert result.bids[0, :3, 1].tolist() == [5, 3, 4]
