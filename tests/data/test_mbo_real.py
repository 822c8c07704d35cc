"""The real ES future of 2023-12-25, where it is at hand: LOBJAX_DATA, or `../shared/data` beside the repository."""

import os
from pathlib import Path

import numpy as np
import pytest

from bench.verification.replay.order_book import OrderBook
from bench.verification.replay.orders import compare, plain_records
from lobjax.data import Origin, Replay, build_day
from lobjax.data.dbn import F_LAST, read_orders

FOLDER = Path(os.environ.get("LOBJAX_DATA") or Path(__file__).parents[2].parent / "shared" / "data") / "cme_mbo"
PATH = FOLDER / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"


@pytest.fixture(scope="module")
def file():
    if not PATH.is_file():
        pytest.skip(f"{PATH} is absent; set LOBJAX_DATA to a folder with cme_mbo/{PATH.name}")
    return read_orders(PATH)


@pytest.mark.parametrize("engine", ["reference", "host"])
def test_every_event_is_equal_and_the_last_touch_is_the_known_one(file, engine):
    day = build_day(PATH)
    result = compare(day, file, engine)
    assert result["records"] == 68_792 and result["equal_events"] == result["events"] == 47_022
    assert result["unknown_ids"] == result["negative_sizes"] == result["crossed_after_open"] == 0
    assert result["last_touch"] == result["last_touch_of_engine"] == [4810.0, 4810.25]
    assert day.info.tick_size == 250_000_000 and day.info.max_orders <= 256


def test_the_whole_depth_is_equal_too(file):
    """With a window of all levels, up to 7,085 orders a side (more than a device's book holds): every 1,000th event and the last."""
    day, book = build_day(PATH, levels=100_000, margin=0), OrderBook()
    records, replay = plain_records(file, day.info.tick_size), Replay(day)
    assert day.info.max_orders == 7_085 and day.info.counts["revealed"] == day.info.counts["pruned"] == 0
    for row in range(day.info.rows):
        for *record, flags in records:
            book.apply(*record, flags)
            if flags & F_LAST:
                break
        if (row % 1000 and row != day.info.rows - 1) or book.is_crossed():
            continue
        replay.skip_to(row)
        for side, orders in enumerate(replay.book.n.tolist()):
            held = [getattr(replay.book, name)[side, :orders] for name in ("price", "size", "order_id", "owner")]
            assert np.stack(held, axis=1).tobytes() == book.packed(side, 10**6)[0]
    assert not any(replay.counters)


def test_every_fill_is_of_the_front_order(file):
    """So the priority that is read from the records is the exchange's, as far as 6,229 fills can tell."""
    counts = build_day(PATH).info.counts
    assert counts["executions_in_turn"] == 6_229 and counts["executions_out_of_turn"] == counts["repaired"] == 0


def test_the_window_takes_nothing_from_the_touch(file):
    """Any depth of window sends the same fills, and trades the same lots."""
    days = [build_day(PATH, levels=levels) for levels in (1, 20)]
    aggressive = [np.stack([field[day.messages.kind == 5] for field in day.messages]) for day in days]
    assert np.array_equal(*aggressive)
    assert (days[0].origin == Origin.REVEAL).any() and days[0].info.max_orders < days[1].info.max_orders
