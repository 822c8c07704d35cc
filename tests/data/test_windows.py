"""Books at any row, rows by time, and the figures of a day."""

import dataclasses

import numpy as np
import pytest

from lobjax.data import (
    book_at,
    book_capacity,
    books_at,
    build_day,
    row_at_time,
    rows_between,
    summary,
    touch,
    volume_profile,
)
from lobjax.errors import InputError
from tests.data.synthetic_lobster import make_rows, shown_levels, write_pair

MESSAGES, BOOKS = make_rows(levels=4, rows=800, seed=2)


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return build_day(write_pair(tmp_path_factory.mktemp("day"), MESSAGES, BOOKS))


def _levels(book, side: int) -> list[tuple[int, int]]:
    totals: dict[int, int] = {}
    for price, size in zip(
        book.price[side, : book.n[side]].tolist(), book.size[side, : book.n[side]].tolist(), strict=True
    ):
        totals[price] = totals.get(price, 0) + size
    return list(totals.items())


def test_books_at_rows(day):
    capacity = book_capacity(day)
    assert capacity >= 2 * day.info.max_orders > capacity // 2 and capacity & (capacity - 1) == 0
    rows = [0, 1, 1, 399, 799]
    books = books_at(day, rows, capacity)
    assert books.price.shape == (5, 2, capacity) and books.n.shape == (5, 2)
    for index, row in enumerate(rows):
        one = book_at(day, row, capacity)
        for stacked, single in zip(books, one, strict=True):
            assert np.array_equal(stacked[index], single)
        for side, shown in enumerate(shown_levels(BOOKS[row])):
            assert _levels(one, side)[:4] == shown
            assert not one.size[side, one.n[side] :].any() and (one.size[side, : one.n[side]] > 0).all()


def test_books_that_do_not_fit_or_do_not_exist(day):
    with pytest.raises(InputError, match=r"row 5: \d+ orders on one side, capacity 2"):
        book_at(day, 5, 2)
    for rows in ([-1], [800], [5, 4]):
        with pytest.raises(ValueError, match="rows must rise within 0 to 799"):
            books_at(day, rows, 64)
    crowded = day._replace(info=dataclasses.replace(day.info, max_orders=513))
    with pytest.raises(InputError, match="load it with fewer levels"):
        book_capacity(crowded)
    assert book_capacity(day._replace(info=dataclasses.replace(day.info, max_orders=300))) == 512


def test_rows_by_time(day):
    times = np.array([float(line.split(",")[0]) for line in MESSAGES])
    at = int(day.row_time_s[500]) + 1.0
    row = row_at_time(day, at)
    assert times[row] <= at < times[row + 1], "the last row that is not later"
    first, stop = rows_between(day, 34200, at)
    assert first == 0 and times[stop - 1] < at <= times[stop]
    assert rows_between(day, at, at) == (stop, stop)
    with pytest.raises(ValueError, match="is before it"):
        row_at_time(day, 34199.5)


def test_volume_profile_by_hand(day):
    edges = [34200, 34205, 34250, 40000]
    for hidden, kinds in ((True, "45"), (False, "4")):
        wanted = [0, 0, 0]
        for line in MESSAGES:
            time, kind, _, lots, *_ = line.split(",")
            seconds = float(time)
            if kind in kinds:
                wanted[next(i for i in range(3) if edges[i] <= seconds < edges[i + 1])] += int(lots)
        assert volume_profile(day, edges, hidden=hidden).tolist() == wanted and sum(wanted) > 0
    with pytest.raises(ValueError, match="edges must rise"):
        volume_profile(day, [2, 1])


def test_touch_and_summary(day):
    best = touch(day)
    assert best[123].tolist() == [list(side[0]) for side in shown_levels(BOOKS[123])]
    lines = dict(summary(day))
    assert lines["rows"] == "800; book file: one row for each message"
    assert f"NEW {sum(line.split(',')[1] == '1' for line in MESSAGES)}" in lines["rows by type"]
    assert lines["orders a side"] == f"{day.info.max_orders} at most"
