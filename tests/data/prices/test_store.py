"""The store: however rows come into it, it holds the same; contradictions are refused or kept as revised; writers may die at any moment."""

import subprocess
import sys

import numpy as np
import pytest

from lobjax.data.prices import panel, read_bars_of
from lobjax.data.prices.database import digest, frame, is_store, reading
from lobjax.data.prices.inspecting import summary
from lobjax.data.prices.loading import Load, load
from lobjax.data.prices.reader import Choices
from lobjax.data.prices.store_faults import store_faults
from lobjax.errors import InputError
from tests.data.prices.made_up import DAYS, HEADER, rows, write

RAW = Choices(prices="raw")
LINES = rows("ABC")
ACTIONS = ["2020-01-08,A,2.0,1.0", "2020-01-13,B,1.0,0.99", "2020-01-15,C,0.1,0.97"]
ACTION_HEADER = "date,symbol,split,dividend_factor"


def _load(store, *files, actions=None, choices=RAW, **rest):
    return load(store, Load(files=files, actions=actions, choices=choices, **rest), create=True, exchange="none")


def _digest(store) -> str:
    with reading(store) as connection:
        return digest(connection)


@pytest.fixture
def whole(tmp_path):
    """A store built in one go, and its hash."""
    actions = write(tmp_path / "actions.csv", ACTIONS, ACTION_HEADER)
    loaded = _load(tmp_path / "whole", write(tmp_path / "all.csv", LINES), actions=actions)
    assert loaded.merged.added == len(LINES) + 4
    return tmp_path / "whole", _digest(tmp_path / "whole")


def test_however_it_is_built_it_is_the_same(tmp_path, whole):
    store, known = whole
    actions = tmp_path / "actions.csv"
    assert _load(store, tmp_path / "all.csv", actions=actions).merged == (0, 0, 0) and _digest(store) == known
    for day in DAYS:  # latest first: order is nothing
        lines = [line for line in LINES if line.startswith(str(DAYS[0] + DAYS[-1].astype(int) - day.astype(int)))]
        file = write(tmp_path / f"{day}.csv", lines or LINES[:3])
        _load(tmp_path / "days", file)
    _load(
        tmp_path / "days",
        *[write(tmp_path / f"of{day}.csv", [r for r in LINES if r.startswith(str(day))]) for day in DAYS],
        actions=actions,
    )
    half, overlap = write(tmp_path / "h1.csv", LINES[:20]), write(tmp_path / "h2.csv", LINES[11:])
    _load(tmp_path / "halves", overlap)
    _load(tmp_path / "halves", half, actions=actions)
    symbols = [
        write(
            tmp_path / f"{s}.csv",
            [r.replace(f",{s}", "") for r in LINES if f",{s}," in r],
            HEADER.replace(",symbol", ""),
        )
        for s in "CAB"
    ]
    _load(tmp_path / "symbols", *symbols, actions=actions)
    fields = [
        write(tmp_path / f"w{k}.csv", [",".join(np.array(r.split(","))[[0, 1, *columns]]) for r in LINES], header)
        for k, (header, columns) in enumerate(
            {
                "date,symbol,close": [5],
                "date,symbol,open,high,low": [2, 3, 4],
                "date,symbol,open,volume": [2, 6],
            }.items()
        )
    ]
    _load(tmp_path / "fields", *fields, actions=actions)
    for name in ("days", "halves", "symbols", "fields"):
        assert _digest(tmp_path / name) == known, name


def test_another_value_has_another_hash(tmp_path, whole):
    *same, volume = LINES[5].split(",")
    changed = [*LINES[:5], ",".join([*same, str(int(volume) + 1)]), *LINES[6:]]
    _load(tmp_path / "other", write(tmp_path / "other.csv", changed), actions=tmp_path / "actions.csv")
    assert _digest(tmp_path / "other") != whole[1]


def test_a_contradiction_is_refused_with_both_values_or_kept_as_revised(tmp_path, whole):
    store, known = whole
    day, symbol, *prices, v = LINES[4].split(",")
    told = ",".join(prices)
    new = [f"2020-02-03,{symbol},{told},{v}", f"{day},{symbol},{told},{int(v) + 5}"]
    file = write(tmp_path / "new.csv", [new[1], new[0]])
    with pytest.raises(
        InputError, match=rf"row 2: {symbol} {day}: volume {int(v) + 5} contradicts the stored {v}; .*--revise"
    ):
        _load(store, file)
    assert _digest(store) == known
    assert _load(store, file, revise=True).merged == (1, 0, 1) and _digest(store) != known
    with reading(store) as connection:
        old = frame(connection, "SELECT * FROM revised_bars")
    shown = dict(summary(store))
    assert shown["revised bars"] == "1" and f"volume {float(v)}; loaded" in shown[f"  {symbol}"]
    assert old.height == 1 and old["volume"].item() == float(v) and old["revised_at"].item() > old["loaded_at"].item()
    assert _load(store, file).merged == (0, 0, 0)
    other = write(tmp_path / "a2.csv", ["2020-01-08,A,3.0,1.0"], ACTION_HEADER)
    with pytest.raises(InputError, match="A 2020-01-08: split 3 contradicts the stored 2"):
        _load(store, actions=other)
    assert _load(store, actions=other, revise=True).merged == (0, 0, 1)


def test_nothing_is_half_written(tmp_path, whole):
    store, known = whole
    good, bad = (
        write(tmp_path / "g.csv", ["2020-02-03,A,1,1,1,1,1"]),
        write(tmp_path / "b.csv", ["2020-02-04,A,1,1,1,x,1"]),
    )
    worse = write(tmp_path / "c.csv", [LINES[0].rsplit(",", 1)[0] + ",5000"])
    for files in ((good, bad), (good, worse)):
        with pytest.raises(InputError):
            _load(store, *files)
        assert _digest(store) == known
        with pytest.raises(InputError):
            _load(tmp_path / "new", tmp_path / "all.csv", *files)
        assert not (tmp_path / "new").exists()


def test_raw_or_adjusted_is_known_told_or_refused(tmp_path):
    file = write(tmp_path / "x.csv", rows("A"))
    with pytest.raises(InputError, match=r"cannot know whether its prices are raw or adjusted.*--prices"):
        _load(tmp_path / "s", file, choices=Choices())
    days = [str(day) for day in DAYS]
    prices = {"raw": [100] * 5 + [25] * 5, "divided": [25] * 10}
    split = write(tmp_path / "a.csv", [f"{days[5]},A,4,1"], ACTION_HEADER)
    files = {
        name: write(tmp_path / f"{name}.csv", [f"{d},A,{p},{p},{p},{p},8" for d, p in zip(days, series, strict=False)])
        for name, series in prices.items()
    }
    loaded = _load(tmp_path / "raw", files["raw"], actions=split, choices=Choices())
    assert "raw prices: they moved at 1 split" in " ".join(loaded.said) and all(
        fault.name == "stale run" for fault in loaded.faults
    )
    with pytest.raises(InputError, match=r"did not move at 1 split.*--prices"):
        _load(tmp_path / "s", files["divided"], actions=split, choices=Choices())
    _load(tmp_path / "back", files["divided"], actions=split, choices=Choices(prices="split-adjusted"))
    assert np.array_equal(panel(tmp_path / "back").close, panel(tmp_path / "raw").close)
    assert panel(tmp_path / "back").volume[:, 0].tolist() == [2.0] * 5 + [8.0] * 5


def test_files_with_their_own_actions_are_taken_back_to_raw_alike_in_one_go_and_by_day(tmp_path):
    days, header = [str(day) for day in DAYS[:6]], "Date,Close,Adj Close,Volume,Dividends,Stock Splits"
    whole = [
        f"{d},{c},{c},100,{paid},{s}"
        for d, c, paid, s in zip(days, [50, 51, 52, 50, 51, 52], [0, 0, 1, 0, 0, 2], [0, 0, 0, 2, 0, 0], strict=True)
    ]
    told = Choices(prices="split-adjusted", symbol="A")
    _load(tmp_path / "go", write(tmp_path / "w.csv", whole, header), choices=told)
    for k, line in enumerate(whole):
        d, c, _, volume, paid, s = line.split(",")
        ratio = 2 if k < 3 else 1  # as the file of that day had it, before the split
        day = f"{d},{int(c) * ratio},{int(c) * ratio},{int(volume) // ratio},{int(paid) * ratio},{s}"
        _load(tmp_path / "days", write(tmp_path / f"d{k}.csv", [day], header), choices=told)
    assert _digest(tmp_path / "go") == _digest(tmp_path / "days")
    found = panel(tmp_path / "go")
    assert found.close[:, 0].tolist() == [100, 102, 104, 50, 51, 52] and found.split[:, 0].tolist() == [
        1,
        1,
        1,
        2,
        1,
        1,
    ]
    assert found.dividend_factor[[2, 5], 0] == pytest.approx([1 - 1 / 51, 1 - 2 / 51], abs=1e-7)


def test_adjusted_prices_without_actions_need_a_common_bar(tmp_path):
    told = Choices(prices="adjusted")
    _load(tmp_path / "s", write(tmp_path / "x.csv", rows("A", DAYS[:5])), choices=told)
    with pytest.raises(InputError, match="none in common"):
        _load(tmp_path / "s", write(tmp_path / "y.csv", rows("A", DAYS[5:])), choices=told)
    _load(tmp_path / "s", write(tmp_path / "z.csv", rows("A", DAYS[4:])), choices=told)
    with pytest.raises(InputError, match="keeps adjusted ones"):
        _load(tmp_path / "s", write(tmp_path / "z.csv", rows("A", DAYS[4:])))


def test_a_ticker_is_a_dated_name(tmp_path):
    lines = [line.replace(",A,", ",wm,") for line in rows("A")]
    segments = ["WAMU,wm,,2020-01-10", "WM,wm,2020-01-14,"]
    load(
        tmp_path / "s",
        Load(
            files=(write(tmp_path / "x.csv", lines),),
            segments=write(tmp_path / "t.csv", segments, "symbol,ticker,from,to"),
            listings=write(tmp_path / "l.csv", ["WAMU,2020-01-13,-1.0", "WM,,"], "symbol,delisted_on,delist_return"),
            choices=RAW,
        ),
        create=True,
        exchange="XNYS",
    )
    found = panel(tmp_path / "s")
    assert found.symbols == ("WAMU", "WM") and found.has_bar.sum(axis=0).tolist() == [5, len(DAYS) - 6]
    assert found.delisted_at.tolist() == [5, -1] and found.delist_return.tolist() == [-1.0, 0.0]
    with pytest.raises(InputError, match=r"row 3.*overlaps another of its ticker"):
        load(
            tmp_path / "s",
            Load(segments=write(tmp_path / "u.csv", [segments[0], "WM,WM,2020-01-10,"], "symbol,ticker,from,to")),
        )


def test_sessions_missing_and_too_many_are_listed_not_filled(tmp_path):
    days = np.append(np.delete(DAYS, [3, 4]), np.datetime64("2020-01-20"))  # Martin Luther King's day
    load(tmp_path / "s", Load(files=(write(tmp_path / "x.csv", rows("A", np.sort(days))),), choices=RAW), create=True)
    loaded = load(tmp_path / "s", Load(files=(write(tmp_path / "y.csv", rows("A", DAYS[-1:] + 7)),), choices=RAW))
    late = [(f.name, f.first, f.count) for f in loaded.faults]
    assert late == [("missing session", "2020-01-27", 4)]
    found = [(f.name, f.first, f.last, f.count) for f in store_faults(tmp_path / "s") if "session" in f.name]
    assert found == [
        ("missing session", "2020-01-09", "2020-01-10", 2),
        ("missing session", "2020-01-27", "2020-01-30", 4),
        ("extra session", "2020-01-20", "2020-01-20", 1),
    ]
    assert read_bars_of(tmp_path / "s").height == len(days) + 1


def test_one_writer(tmp_path, whole):
    from lobjax.locks import held

    with held(whole[0]), pytest.raises(InputError, match="in use"):
        _load(whole[0], tmp_path / "all.csv")


def test_minute_bars_know_the_exchanges_midnight(tmp_path):
    lines = [f"2020-01-0{d}T{t}:00-05:00,A,8,8,8,8,1" for d in (6, 7) for t in ("09:30", "09:31", "19:59")]
    actions = write(tmp_path / "a.csv", ["2020-01-07,A,2,1"], ACTION_HEADER)
    load(tmp_path / "s", Load(files=(write(tmp_path / "x.csv", lines),), actions=actions, choices=RAW), create=True)
    found = panel(tmp_path / "s", kind="minute")
    assert str(found.sessions[2]) == "2020-01-07T00:59"  # in UTC: still the sixth in New York
    assert found.split[:, 0].tolist() == [1, 1, 1, 2, 1, 1]


CHILD = """
import os, signal, sys, time
from pathlib import Path
from lobjax.data.prices.loading import Load, load
from lobjax.data.prices.reader import Choices
from lobjax.data.prices.inspecting import summary
from lobjax.data.prices.store_faults import store_faults
import duckdb, polars, pyarrow, random
store, file, kills, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
draw, took = random.Random(seed), 0.3
for kill in range(kills + 1):
    child = os.fork()
    if child == 0:
        load(store, Load(files=(file,), choices=Choices(prices="raw")), create=True, exchange="none")
        os._exit(0)
    if kill < kills:
        time.sleep(draw.random() * took)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    else:
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize(
    ("kills", "begun"),
    [(20, False), pytest.param(20, True, marks=pytest.mark.slow)],
)
def test_killed_at_any_moment_the_next_run_finishes(tmp_path, whole, kills, begun):
    _load(tmp_path / "go", tmp_path / "all.csv")
    if begun:
        _load(tmp_path / "killed", write(tmp_path / "half.csv", LINES[:9]))
    subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path / "killed", tmp_path / "all.csv", str(kills), "0"], check=True
    )
    assert _digest(tmp_path / "killed") == _digest(tmp_path / "go")
    assert not list(tmp_path.glob(".killed*"))


def test_what_is_no_store_is_said(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    file = write(tmp_path / "x.csv", rows("A"))
    with pytest.raises(InputError, match="is there and no price store"):
        _load(tmp_path / "full", file)
    with pytest.raises(InputError, match="no price store; make one"):
        load(tmp_path / "gone", Load(files=(file,), choices=RAW))
    _load(tmp_path / "s", file)
    (tmp_path / "s" / "prices.duckdb").write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match="cannot be opened as a price store"):
        panel(tmp_path / "s")
    assert is_store(tmp_path / "s") and not is_store(tmp_path / "full")


def test_a_missing_extra_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"the package duckdb is missing; pip install 'lobjax\[prices\]'"):
        _load(tmp_path / "s", write(tmp_path / "x.csv", rows("A")))
    assert not (tmp_path / "s").exists()
