"""Translation: a replay equals the book file, corrections stay at the deepest level, nothing looks ahead, nothing piles up."""

import numpy as np
import pytest

from lobjax.data import Day, Origin, Replay, build_day
from lobjax.kinds import Kind
from lobjax.types import SYNTHETIC_ID_BASE, Message
from tests.data.synthetic_lobster import make_rows, shown_levels, write_pair

LIMIT, CANCEL, DELETE, IOC = Kind.LIMIT, Kind.CANCEL, Kind.DELETE, Kind.IOC


def _listed(day: Day) -> list[tuple]:
    """Messages as (kind, side, price, size, id, origin), for comparison by eye."""
    fields = [field.tolist() for field in day.messages[:5]]
    return list(zip(*fields, day.origin.tolist(), strict=True))


def _replayed(day: Day, levels: int) -> list[list[list[tuple[int, int]]]]:
    replay = Replay(day)
    shown = replay.levels(day.info.rows, levels)
    assert not any(replay.counters), replay.counters
    return [[[(p, s) for p, s in side if s] for side in row] for row in shown.tolist()]


@pytest.mark.parametrize("depth", [4, 30])
@pytest.mark.parametrize("levels", [1, 2, 3, 5, 10, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_replay_equals_the_book_file_everywhere(tmp_path, levels, depth, seed):
    messages, books = make_rows(levels, 1500, seed, depth)
    day = build_day(write_pair(tmp_path, messages, books))
    wanted = [shown_levels(book) for book in books]
    assert _replayed(day, levels) == wanted
    assert day.info.counts["unexplained_rows"] == day.info.counts["crossing_orders"] == 0
    corrections = np.flatnonzero(day.origin == Origin.CORRECTION)
    for at in corrections:  # none above the deepest level: levels - 1 better prices are shown
        side, price = day.messages.side[at], day.messages.price[at]
        better = [p for p, _ in wanted[day.row[at]][side] if (p > price if side == 0 else p < price)]
        assert len(better) >= levels - 1
    assert day.info.counts["correction_messages"] == len(corrections) >= day.info.counts["corrections"]


@pytest.mark.parametrize("margin", [0, 1, 20])
def test_any_margin_and_any_narrower_window_are_exact(tmp_path, margin):
    messages, books = make_rows(6, 1500, 3)
    path = write_pair(tmp_path, messages, books)
    for levels in (1, 4, 6):
        day = build_day(path, levels=levels, margin=margin)
        assert _replayed(day, levels) == [[side[:levels] for side in shown_levels(book)] for book in books]


def test_no_correction_where_the_file_shows_the_whole_book(tmp_path):
    messages, books = make_rows(60, 1500, 1, depth=4)
    counts = build_day(write_pair(tmp_path, messages, books)).info.counts
    assert counts["corrections"] == counts["pruned"] == 0


def test_later_rows_never_change_earlier_messages(tmp_path):
    messages, books = make_rows(3, 600, 5)
    whole = build_day(write_pair(tmp_path / "whole", messages, books))
    others_messages, others_books = make_rows(3, 600, 6)
    kept = 350
    time = messages[kept - 1].split(",")[0]
    late = [",".join([time, *line.split(",")[1:]]) for line in others_messages[kept:]]
    mixed = build_day(write_pair(tmp_path / "mixed", messages[:kept] + late, books[:kept] + others_books[kept:]))
    end = whole.row_end[kept - 1]
    assert mixed.row_end[kept - 1] == end and len(mixed.origin) != end
    assert _listed(whole)[:end] == _listed(mixed)[:end]


def test_a_fault_above_the_deepest_level_is_not_corrected(tmp_path):
    messages, books = make_rows(3, 600, 5)
    fields = books[300].split(",")
    fields[3] = str(int(fields[3]) + 7)  # best bid size
    day = build_day(write_pair(tmp_path, messages, [*books[:300], ",".join(fields), *books[301:]]))
    equal = [mine == shown_levels(book) for mine, book in zip(_replayed(day, 3), books, strict=True)]
    assert all(equal) and day.info.counts["unexplained_rows"] == 1


def test_the_book_stays_small(tmp_path):
    messages, books = make_rows(3, 6000, 8)
    path = write_pair(tmp_path, messages, books)
    bounded, unbounded = build_day(path), build_day(path, margin=10_000)
    assert bounded.info.max_orders < 100 < unbounded.info.max_orders
    assert bounded.info.counts["pruned"] > 0 == unbounded.info.counts["pruned"]
    replay, most = Replay(bounded), 0
    for _ in range(bounded.info.rows):
        replay.levels(1, 0)
        most = max(most, int(replay.book.n.max()))
    assert most <= bounded.info.max_orders


# A day worked by hand, one level shown. Bids 9.99, asks 10.01; columns of the book: ask, lots, bid, lots.
HAND = [
    (
        "34200,1,7001,5,99900,1",
        "100100,30,99900,25",
    ),  # row 0: a new order in a level that is seen: own id, behind the rest
    ("34200,1,7002,10,99900,1", "100100,30,99900,35"),
    (
        "34201,4,8888,20,99900,1",
        "100100,30,99900,15",
    ),  # the seeded 20 lots are executed under an id that we do not know
    ("34202,5,0,9,100050,-1", "100100,30,99900,15"),  # hidden: among the prints only
    ("34203,2,7002,4,99900,1", "100100,30,99900,11"),
    ("34204,4,7001,5,99900,1", "100100,30,99900,6"),
    ("34205,3,7002,6,99900,1", "100100,30,99800,40"),  # the level is gone; the next one was never told
    ("34206,3,8889,10,99800,1", "100100,30,99800,30"),  # an unknown id leaves: lots come off the correction
    ("34207,7,0,0,-1,-1", "100100,30,99800,30"),
    ("34208,4,8890,30,100100,-1", "100300,8,99800,30"),  # the ask side runs through its level
    ("34209,6,-1,100,100000,1", "100300,8,99800,30"),
]


def test_a_day_worked_by_hand(tmp_path):
    messages, books = zip(*HAND, strict=True)
    day = build_day(write_pair(tmp_path, list(messages), list(books)))
    synthetic = [SYNTHETIC_ID_BASE + number for number in range(4)]
    real, correction, repair, seed = Origin.REAL, Origin.CORRECTION, Origin.REPAIR, Origin.SEED
    assert _listed(day) == [
        (LIMIT, 0, 999, 20, synthetic[0], seed),
        (LIMIT, 0, 999, 5, 1, real),
        (LIMIT, 1, 1001, 30, synthetic[1], seed),
        (LIMIT, 0, 999, 10, 2, real),
        (IOC, 1, 999, 20, 0, real),
        (CANCEL, 0, 999, 4, 2, real),
        (IOC, 1, 999, 5, 0, real),
        (DELETE, 0, 999, 6, 2, real),
        (LIMIT, 0, 998, 40, synthetic[2], correction),
        (CANCEL, 0, 998, 10, synthetic[2], repair),
        (IOC, 0, 1001, 30, 0, real),
        (LIMIT, 1, 1003, 8, synthetic[3], correction),
    ]
    assert day.row_end.tolist() == [3, 4, 5, 5, 6, 7, 9, 10, 10, 12, 12]
    assert day.row.tolist() == [0, 0, 0, 1, 2, 4, 5, 6, 6, 7, 9, 9] and day.time_s.tolist()[-1] == 34208
    assert (day.prints.row.tolist(), day.prints.event.tolist()) == ([2, 3, 5, 9, 10], [4, 5, 4, 4, 6])
    counts = day.info.counts
    assert (counts["corrections"], counts["repaired"], counts["unknown_deletes"], counts["unknown_executions"]) == (
        2,
        1,
        1,
        2,
    )
    assert day.info.unknown_ids == 3 and not day.messages.owner.any()
    assert _replayed(day, 1) == [shown_levels(book) for book in books]


def test_lots_move_by_the_size_told_whoever_has_them(tmp_path):
    rows = [
        ("34200,1,1,10,99900,1", "100100,9,99900,10"),
        ("34200,1,2,10,99900,1", "100100,9,99900,20"),
        ("34200,4,2,6,99900,1", "100100,9,99900,14"),  # out of turn: the front of the queue gives
        ("34200,3,2,4,99900,1", "100100,9,99900,10"),  # the owner of 2 is gone, what is left is somebody else's
        ("34200,3,1,10,99900,1", "100100,9,99800,1"),  # 1 had 4 left with us, the rest comes off what 2 left behind
    ]
    messages, books = zip(*rows, strict=True)
    day = build_day(write_pair(tmp_path, list(messages), list(books)))
    assert _replayed(day, 1) == [shown_levels(book) for book in books]
    assert day.info.counts["executions_out_of_turn"] == 1
    assert [(m[0], m[3], m[4], m[5]) for m in _listed(day)[3:7]] == [
        (IOC, 6, 0, Origin.REAL),
        (CANCEL, 4, 2, Origin.REAL),
        (DELETE, 4, 1, Origin.REAL),
        (DELETE, 6, 2, Origin.REPAIR),
    ]


def test_an_order_ahead_of_the_flow_is_filled_first(tmp_path):
    """An agent rests between two recorded orders; the execution of the second reaches the agent first."""
    rows = [
        ("34200,1,1,10,99900,1", "100100,9,99900,10"),
        ("34200,1,2,10,99900,1", "100100,9,99900,20"),
        ("34200,4,1,10,99900,1", "100100,9,99900,10"),
        ("34200,4,2,3,99900,1", "100100,9,99900,7"),
    ]
    messages, books = zip(*rows, strict=True)
    day = build_day(write_pair(tmp_path, list(messages), list(books)))
    agent = Message(LIMIT, 0, 999, 4, 1 << 30, 1)
    at = day.row_end[0]
    stream = Message(*(np.insert(field, at, value) for field, value in zip(day.messages, agent, strict=True)))
    replay = Replay(day._replace(messages=stream, row_end=day.row_end + 1))
    replay.skip_to(3)
    held = slice(0, replay.book.n[0])
    assert replay.book.order_id[0, held].tolist() == [1 << 30, 2]
    assert replay.book.size[0, held].tolist() == [1, 10]


def test_without_a_book_unknown_ids_are_counted(tmp_path):
    messages, _ = make_rows(5, 2000, 4)
    path = write_pair(tmp_path, messages, None)
    day = build_day(path)
    born, unknown = set(), 0
    for line in messages:
        _, kind, order, *_ = line.split(",")
        born |= {order} if kind == "1" else set()
        unknown += kind in "234" and order not in born
    assert day.info.book == "none" and day.info.levels == 5
    assert day.info.unknown_ids >= unknown > 0
    assert (
        day.info.counts["corrections"]
        == day.info.counts["executions_off_best"]
        == day.info.counts["crossing_orders"]
        == 0
    )
    levels = _replayed(day, 5)
    assert all(not (row[0] and row[1]) or row[0][0][0] < row[1][0][0] for row in levels)


def test_from_a_seed_a_book_shown_whole_replays_exactly(tmp_path):
    messages, books = make_rows(60, 2000, 2, depth=4)
    path = write_pair(tmp_path, messages, None)
    seed = tmp_path / "seed.csv"
    seed.write_text(books[0])
    day = build_day(path, seed)
    assert day.info.book == "seed" and day.info.counts["corrections"] == 0
    assert _replayed(day, 60) == [shown_levels(book) for book in books]
