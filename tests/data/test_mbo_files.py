"""Order-by-order files: what is read, what is refused in one line, and the commands on them."""

import json
import subprocess
import sys

import databento_dbn as dbn
import numpy as np
import pytest

from lobjax.__main__ import main as lobjax_main
from lobjax.data import build_day, load_day, row_at_time
from lobjax.errors import InputError
from tests.data.synthetic_mbo import BUY, FIRST_ID, SELL, TICK, TOB, Exchange, record, write_file

PAIR = [record("A", BUY, 19_200, 5, FIRST_ID + 1), record("A", SELL, 19_201, 3, FIRST_ID + 2)]


def _exchange(seed=3, events=300):
    exchange = Exchange(seed)
    exchange.snapshot(60)
    while len(exchange.events) < events:
        exchange.event()
    return exchange


def _refusal(path, **arguments):
    with pytest.raises(InputError) as caught:
        build_day(path, **arguments)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))
    return str(caught.value)


@pytest.mark.parametrize("name", ["day.dbn", "day.dbn.zst"])
def test_a_file_is_read_exactly(tmp_path, name):
    day = build_day(write_file(tmp_path / name, PAIR))
    assert (day.info.symbol, day.info.date, day.info.book, day.info.tick_size) == ("ESH4", "2023-12-25", "orders", TICK)
    assert day.messages.price.tolist() == [19_200, 19_201] and day.messages.order_id.tolist() == [1, 2]
    assert list(day.info.sources) == [name] and day.info.counts["records"] == 2


def test_the_tick_is_found_or_given(tmp_path):
    path = write_file(tmp_path / "day.dbn", [record("A", BUY, 20, 1, 1), record("A", SELL, 26, 1, 2)])
    assert build_day(path).info.tick_size == 2 * TICK
    assert build_day(path, tick_size=TICK).messages.price.tolist() == [20, 26]
    assert "record 2: price 6.5 is off the tick grid of 5; give" in _refusal(path, tick_size=20 * TICK)


def test_times_are_the_exchanges_after_midnight_and_never_fall(tmp_path):
    at = [1_500_000_007, 1_500_000_000, 90_000 * 10**9 + 5]
    day = build_day(
        write_file(tmp_path / "day.dbn", [record("A", BUY, 100, 1, one + 1, at_ns=ns) for one, ns in enumerate(at)])
    )
    assert day.row_time_s.tolist() == [1, 1, 90_000] and day.row_time_ns.tolist() == [500_000_007, 500_000_007, 5]
    assert day.info.counts["times_raised"] == 1 and row_at_time(day, 2) == 1


def test_one_of_several_instruments_is_chosen(tmp_path):
    mine = [record("A", BUY, 100, 1, 1, at_ns=1), record("A", SELL, 101, 1, 2, at_ns=3)]
    other = [record("A", BUY, 700, 1, 1, at_ns=2, instrument_id=42)]
    path = write_file(tmp_path / "day.dbn", [mine[0], *other, mine[1]], {"ESH4": 17077, "NQH4": 42})
    assert "holds 2 instruments; choose one" in _refusal(path) and "NQH4 (42), ESH4 (17077)" in _refusal(path)
    assert "has no instrument 'CL'; it holds NQH4 (42), ESH4 (17077)" in _refusal(path, instrument="CL")
    for name in ("NQH4", "42"):
        assert build_day(path, instrument=name).messages.price.tolist() == [1]
    day = build_day(path, instrument="ESH4")
    assert day.info.counts["records_of_others"] == 1 and day.info.rows == 2
    assert "record 3: price 25.25 is off the tick grid" in _refusal(path, instrument="ESH4", tick_size=4 * TICK)


BAD = {
    "side is none": (record("A", "N", 100, 1, 3), "record 3: side 'N' is none, for an order"),
    "no id": (record("A", BUY, 100, 1, 0), "record 3: order id 0 is none"),
    "no price": (record("M", BUY, None, 1, 1), "record 3: price 9223372036.854775807 is undefined"),
    "negative price": (
        record("A", BUY, -4, 1, 3),
        "record 3: price -1 is not positive; a book here has positive prices only",
    ),
    "no lots": (record("C", BUY, 19_200, 0, 1), "record 3: size 0 is not a positive 32-bit number"),
    "too many lots": (
        record("A", BUY, 19_200, 2**32 - 2, 3),
        "record 3: size 4294967294 is not a positive 32-bit number",
    ),
    "too many ticks": (
        record("A", BUY, None, 1, 3, price=2**31 * TICK),
        "record 3: price 536870912 is more than 2^31 ticks of 0.25; give a larger tick size",
    ),
    "a time out of the world": (
        record("A", BUY, 19_200, 1, 3, ts_event=2**63),
        "record 3: time 9223372036854775808 is decades after the file's first day",
    ),
    "top of book": (record("A", BUY, 19_200, 1, 3, flags=128 | TOB), "mark a book without orders (F_TOB or F_MBP)"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_named(tmp_path, name):
    bad, what = BAD[name]
    assert what in _refusal(write_file(tmp_path / "day.dbn", [*PAIR, bad]))


def test_files_that_are_not_whole_or_not_of_the_kind(tmp_path):
    whole = write_file(tmp_path / "whole.dbn.zst", _exchange().records()).read_bytes()
    plain = write_file(tmp_path / "whole.dbn", PAIR).read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x55
    files = {
        "cut.dbn.zst": (whole[:-3], "not a whole archive"),
        "half.dbn.zst": (whole[: len(whole) // 2], "not a whole archive"),
        "flip.dbn.zst": (bytes(damaged), "not a whole archive"),
        "text.dbn.zst": (b"time,type\n1,2\n" * 9, "not a whole archive"),
        "text.dbn": (b"time,type\n1,2\n" * 9, "not a Databento file"),
        "cut.dbn": (plain[:-5], "ends within a record; it is truncated"),
        "head.dbn": (plain[:40], "it is truncated"),
        "empty.dbn": (b"", "it is truncated"),
        "nothing.dbn": (plain[:-112], "has no order-by-order record"),
    }
    for name, (data, what) in files.items():
        (tmp_path / name).write_bytes(data)
        assert what in _refusal(tmp_path / name), name
    assert "no such file" in _refusal(tmp_path / "gone.dbn.zst")
    (tmp_path / "folder.dbn").mkdir()
    assert "is a folder" in _refusal(tmp_path / "folder.dbn")
    trades = write_file(tmp_path / "trades.dbn", [], schema=dbn.Schema.TRADES)
    assert "schema trades, not mbo" in _refusal(trades)


def test_more_that_is_refused(tmp_path):
    path = write_file(tmp_path / "day.dbn", PAIR)
    assert "goes with no book file" in _refusal(path, book=tmp_path / "book.csv")
    assert "levels 0" in _refusal(path, levels=0)
    unended = write_file(tmp_path / "unended.dbn", [record("A", BUY, 100, 1, 1, flags=0)])
    assert "no event ends in it" in _refusal(unended)
    venues = write_file(tmp_path / "venues.dbn", [PAIR[0], record("A", SELL, 19_201, 3, 9, publisher_id=2)])
    assert "orders of 2 venues" in _refusal(venues)
    none = write_file(tmp_path / "none.dbn", [record("N")])
    assert "has no order" in _refusal(none)
    with pytest.raises(InputError, match="of one instrument"):
        build_day(tmp_path / "a_message_1.csv", instrument="ESH4")


def test_an_event_that_has_not_ended_is_left_out_and_counted(tmp_path):
    day = build_day(write_file(tmp_path / "day.dbn", [*PAIR, record("A", BUY, 19_199, 1, 7, flags=0)]))
    assert day.info.rows == 2 and day.info.counts["records_after_the_last_event"] == 1


def test_without_databento_dbn_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = write_file(tmp_path / "day.dbn", PAIR)
    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    assert "pip install 'lobjax[mbo]'" in _refusal(path)


def test_build_inspect_and_load(tmp_path, capsys):
    path, out = write_file(tmp_path / "day.dbn.zst", _exchange().records()), tmp_path / "built"
    lobjax_main(["data", "build", str(path), "--out", str(out), "--levels", "3"])
    lobjax_main(["data", "build", str(path), "--out", str(out), "--levels", "3"])
    assert "built in" in (error := capsys.readouterr().err) and "up to date" in error
    one, other = build_day(path, levels=3), load_day(out)
    assert one.info == other.info
    assert all(np.array_equal(a, b) for a, b in zip(one.messages, other.messages, strict=True))
    lobjax_main(["data", "inspect", str(out)])
    shown = capsys.readouterr().out
    assert "3 levels, 2 more held; tick 0.25 dollars" in shown and "MODIFY" in shown and "0 modifies" in shown
    lobjax_main(["data", "inspect", str(path), "--levels", "3", "--instrument", "ESH4"])
    assert capsys.readouterr().out == shown


def test_replay_ends_with_one_json_line(tmp_path, capsys, monkeypatch):
    from bench.__main__ import main

    path = write_file(tmp_path / "day.dbn.zst", _exchange().records())
    monkeypatch.setattr(sys, "argv", ["bench", "replay", str(path), "--levels", "2"])
    main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["equal_events"] == result["events"] == 300 and result["engine"] == "reference"
    assert result["unknown_ids"] == result["negative_sizes"] == result["executions_out_of_turn"] == 0
    assert result["last_touch"] == result["last_touch_of_engine"] and result["last_touch"][0] > 4000
    monkeypatch.setattr(sys, "argv", ["bench", "replay", str(path), "--until", "10:00:00"])
    with pytest.raises(SystemExit):
        main()
    assert "compared with nothing else" in capsys.readouterr().err


def test_importing_lobjax_data_needs_no_databento_dbn():
    code = "import sys; sys.modules['databento_dbn'] = None; import lobjax.data"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
