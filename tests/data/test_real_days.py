"""Whole real days, where they are at hand: LOBJAX_DATA, or `../shared/data` beside the repository. Never part of the project."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from bench.verification.replay.rows import common_rows, corrections_above, equal_rows
from lobjax.data import Replay, build_day, row_at_time, touch
from lobjax.data.lobster import open_book, read_messages
from lobjax.data.sources import locate

FOLDER = Path(os.environ.get("LOBJAX_DATA") or Path(__file__).parents[2].parent / "shared" / "data") / "lobster"
AMZN = "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
AAPL = "LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"
AAPL_50 = "AAPL_2012-06-21_34200000_37800000_message_50.csv.gz"
AAPL_10 = "AAPL_2012-06-21_34200000_57600000_message_10.csv.gz"
MSFT_50 = "MSFT_2012-06-21_34200000_37800000_message_50.csv.gz"


def _path(name: str) -> Path:
    if not (FOLDER / name).is_file():
        pytest.skip(f"{FOLDER / name} is absent; set LOBJAX_DATA to a folder with lobster/{name}")
    return FOLDER / name


@pytest.mark.parametrize(
    ("name", "rows", "levels"), [(AMZN, 155_935, 5), (AAPL, 118_497, 1), (AAPL_10, 999, 10), (MSFT_50, 1000, 50)]
)
def test_the_whole_file_is_equal_at_every_level(name, rows, levels):
    path = _path(name)
    day = build_day(path)
    blocks = open_book(locate(path).book, rows, 100).blocks
    assert equal_rows(day, np.arange(rows), blocks).tolist() == [rows] * levels
    assert corrections_above(day, path, None) == day.info.counts["unexplained_rows"] == 0
    assert day.info.max_orders < 256


def test_amzn_needs_few_corrections_and_a_small_book():
    info = build_day(_path(AMZN)).info
    assert info.counts["corrections"] <= 15_327 and info.max_orders <= 64
    assert info.counts["prints_off_grid"] > 0


def test_amzn_cut_to_one_level_and_to_the_rows_that_change_it(tmp_path):
    source = locate(_path(AMZN))
    messages, _ = read_messages(source.message, 100)
    shown = np.concatenate([block[:, :, :1] for block in open_book(source.book, len(messages), 100).blocks])
    kept = np.flatnonzero(np.r_[True, (shown[1:] != shown[:-1]).any(axis=(1, 2, 3))])[:30_000]
    message, book = tmp_path / "cut_message_1.csv", tmp_path / "cut_orderbook_1.csv"
    message.write_text("".join(f"{s}.{n:09d},{','.join(map(str, rest))}\n" for s, n, *rest in messages[kept].tolist()))
    fields = shown[kept, ::-1, 0].reshape(-1, 4) * [100, 1, 100, 1]
    book.write_text("".join(f"{','.join(map(str, row))}\n" for row in fields.tolist()))
    assert np.array_equal(touch(build_day(message)), shown[kept, :, 0])


def test_the_aapl_hour_from_its_seed_meets_the_official_touch():
    """Equal at every row until 10:04:29 (36,268.995450950 s), where the hour's file lacks the end of order 45367855."""
    path, other = _path(AAPL_50), locate(_path(AAPL))
    day = build_day(path)
    assert (day.info.book, day.info.levels, day.info.counts["corrections"]) == ("seed", 50, 0)
    theirs, _ = read_messages(other.message, 100)
    mine, _ = read_messages(locate(path).message, 100)
    my_rows, their_rows = common_rows(mine, theirs)
    assert len(my_rows) == 25_641
    official = np.concatenate(list(open_book(other.book, len(theirs), 100).blocks))[their_rows, :, 0]
    equal = (touch(day)[my_rows] == official).all(axis=(1, 2))
    first_difference = int(np.flatnonzero(~equal)[0])
    assert first_difference == 17_482 and equal.mean() > 0.999
    assert my_rows[first_difference] == row_at_time(day, 36_268.995450950)
    assert day.info.max_orders < 256


def test_a_day_does_not_depend_on_what_the_engine_could_hold():
    day = build_day(_path(AMZN))
    exact = Replay(day._replace(info=dataclasses.replace(day.info, max_orders=day.info.max_orders - 1)))
    exact.skip_to(day.info.rows - 1)
    assert not any(exact.counters)  # max_orders is really the most, and one more slot is never needed
