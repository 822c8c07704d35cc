"""Real bars and real faults: fourteen years of fifteen symbols, and files that were broken and repaired elsewhere."""

import time

import numpy as np
import polars as pl
import pytest

from lobjax.data.prices import adjusted, panel, panel_from_csv
from lobjax.data.prices.actions import read_actions
from lobjax.data.prices.basis import settle
from lobjax.data.prices.calendar import sessions_between
from lobjax.data.prices.checking import checked
from lobjax.data.prices.database import digest, reading
from lobjax.data.prices.formats import read
from lobjax.data.prices.loading import Load, load
from lobjax.data.prices.olps import SETS, read_relatives
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.reader import Choices, read_bars
from lobjax.data.prices.reporting import report
from lobjax.errors import InputError

BUILD_S, UPDATE_S = 5.0, 0.3  # the goals; the machine that runs tests may be busy
BUSY = 4
NO_ACTIONS = pl.DataFrame(schema={"symbol": pl.String, "time": pl.Date, "kind": pl.String, "value": pl.Float64})
# What each file is broken by, and the option that repairs it.
FAULTS = {
    "4063-T-1d-bad-div": ("wrong dividend", "dividends"),
    "8TRA-DE-1d-missing-div-adjust": ("missing dividend adjustment", ""),
    "AET-L-1d-100x-error": ("100x unit error", "units"),
    "ASAI-L-1h-bad-unit": ("100x unit error", "units"),
    "CNE-L-1d-bad-stock-split": ("missing split adjustment", "splits"),
    "DEX-AX-1d-bad-stock-split": ("missing split adjustment", "splits"),
    "MOB-ST-1d-bad-stock-split": ("missing split adjustment", "splits"),
    "SPM-MI-1d-bad-stock-split": ("missing split adjustment", "splits"),
    "SSW-JO-1d-100x-error": ("100x unit error", "units"),
}


@pytest.fixture(scope="module")
def lean(real_data):
    folder = real_data / "portfolio" / "lean"
    if not folder.is_dir():
        pytest.skip(f"no panel of real bars at {folder}")
    return folder


@pytest.fixture(scope="module")
def store(lean, tmp_path_factory):
    path = tmp_path_factory.mktemp("prices") / "store"
    start = time.perf_counter()
    load(
        path,
        Load(files=(lean / "panel_daily.csv.gz",), actions=lean / "actions.csv", listings=lean / "symbols.csv"),
        create=True,
    )
    assert time.perf_counter() - start < BUILD_S * BUSY
    return path


def _digest(path) -> str:
    with reading(path) as connection:
        return digest(connection)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_named_and_its_repair_is_the_one_known(real_data, name):
    folder = real_data / "price_faults"
    if not folder.is_dir():
        pytest.skip(f"no broken files at {folder}")
    what, option = FAULTS[name]
    faults, _ = report([folder / f"{name}.csv"])
    found = [fault for fault in faults if fault.name == what]
    assert found and all(fault.repair and fault.option == option for fault in found)
    fixed, _ = report([folder / f"{name}-fixed.csv"])
    assert not [fault for fault in fixed if fault.name == what]
    choices = Choices(repair=("order", "offsets", *([option] if option else [])), accept=("range",))
    bars = read_bars(folder / f"{name}.csv", choices)
    settle(bars, None)
    repaired = checked(bars, NO_ACTIONS, choices).frame
    known = read_bars(folder / f"{name}-fixed.csv", Choices()).frame
    for column in ("time", *FIELDS, "dividend", "split"):
        ours, theirs = repaired[column].to_numpy(), known[column].to_numpy()
        if column == "time":
            assert (ours == theirs).all()
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=0.5 if column == "volume" else 0, err_msg=column)


def test_the_store_gives_the_panel_of_the_files(lean, store):
    ours, files = panel(store), panel_from_csv(lean / "panel_daily.csv.gz", lean / "actions.csv", lean / "symbols.csv")
    assert ours.symbols == files.symbols and ours.close.shape == (3587, 15)
    for name in (*FIELDS, "split", "dividend_factor"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(files, name))
    assert (ours.sessions == sessions_between("XNYS", ours.sessions[0].item(), ours.sessions[-1].item())).all()
    assert ours.delisted_at.tolist() == files.delisted_at.tolist() and ours.delisted_at[13] == 564
    at = ours.symbols.index("AAPL")
    begun = int(np.searchsorted(ours.sessions, np.datetime64("2008-01-02")))
    total = np.log(adjusted(ours).close[-1, at] / adjusted(ours).close[begun, at])
    assert total == pytest.approx(2.95798, abs=2e-3)


def test_vendor_files_by_dated_tickers_are_the_panel(lean, store, tmp_path):
    files = Load(
        files=(lean / "vendor_daily_raw.csv.gz",),
        actions=lean / "actions.csv",
        segments=lean / "segments.csv",
        listings=lean / "symbols.csv",
    )
    load(tmp_path / "s", files, create=True)
    ours, known = panel(tmp_path / "s", since="2006-07-03"), panel(store)
    assert ours.symbols == known.symbols
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(known, name))


def test_one_hash_in_halves_twice_and_by_symbol_and_a_late_day_is_quick(lean, store, tmp_path):
    text = pl.read_csv(lean / "panel_daily.csv.gz", infer_schema=False)
    cut = text["date"].unique().sort()[2000]
    parts = {"b.csv": text.filter(pl.col("date") >= cut), "a.csv": text.filter(pl.col("date") <= cut)}
    for name, part in parts.items():
        part.write_csv(tmp_path / name)
        load(
            tmp_path / "s",
            Load(files=(tmp_path / name,), actions=lean / "actions.csv", choices=Choices(prices="raw")),
            create=True,
        )
    load(tmp_path / "s", Load(files=(tmp_path / "a.csv",), listings=lean / "symbols.csv"))
    assert _digest(tmp_path / "s") == _digest(store)
    late = text.filter(pl.col("date") == text["date"].max())
    late.with_columns(date=pl.lit("2020-10-01")).write_csv(tmp_path / "late.csv")
    took = []
    for _ in range(3):
        start = time.perf_counter()
        load(tmp_path / "s", Load(files=(tmp_path / "late.csv",)))
        took.append(time.perf_counter() - start)
    assert min(took) < UPDATE_S * BUSY
    assert panel(tmp_path / "s").close.shape == (3588, 15)


def test_known_bad_prints_of_the_vendor_are_flagged(store):
    found = {(fault.symbol, fault.first) for fault in report([store])[0] if fault.name == "print far off"}
    assert found >= {
        ("GOOGL", "2007-12-18"), ("GOOGL", "2008-09-30"), ("IWM", "2008-09-19"), ("AIG", "2009-05-05"), ("AAPL", "2009-09-21"),
        ("AAPL", "2010-08-31"), ("AAPL", "2011-01-03"),
    }  # fmt: skip
    faults, _ = report([store])
    assert sum(fault.count for fault in faults if fault.name == "zero volume" and fault.symbol == "BNO") == 26
    assert not [fault for fault in faults if "session" in fault.name or fault.option]


def test_hours_and_minutes_are_the_days(lean, store, tmp_path):
    hours = read(lean / "hour.csv.gz", Choices(prices="raw"))
    minutes = read(lean / "minute_trade.csv.gz", Choices(), "lean")
    assert (hours.kind, minutes.kind, minutes.basis) == ("hour", "minute", "raw") and not hours.faults + minutes.faults
    day = pl.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York").dt.date()
    close = hours.frame.group_by("symbol", day.alias("day")).agg(pl.col("close").last()).sort("symbol", "day")
    daily = panel(store, ["AAPL"], since="2008-01-02")
    ours = close.filter(pl.col("symbol") == "AAPL")["close"].to_numpy()
    np.testing.assert_array_equal(ours, daily.close[:, 0])
    load(
        tmp_path / "s",
        Load(files=(lean / "minute_trade.csv.gz",), actions=lean / "actions.csv", format="lean"),
        create=True,
    )
    apple = panel(tmp_path / "s", ["AAPL"], kind="minute")
    at = int(np.flatnonzero(apple.split[:, 0] != 1)[0])
    assert apple.split[at, 0] == 7 and str(apple.sessions[at])[:10] == "2014-06-09"
    levels = adjusted(apple).close[:, 0]
    assert np.abs(np.diff(np.log(levels))).max() < 0.03  # the split is no jump


def test_relatives_of_the_classic_sets(real_data):
    path = real_data / "portfolio" / "olps" / "olps_datasets.npz"
    if not path.is_file():
        pytest.skip(f"no classic sets at {path}")
    shapes = {name: read_relatives(path, name).shape for name in SETS}
    assert shapes["nyse_o"] == (5651, 36) and shapes["djia"] == (507, 30)
    assert read_relatives(path, "nyse_o").prod(axis=0).max() == pytest.approx(54.1404, abs=1e-4)
    with pytest.raises(InputError, match="did you mean 'nyse_o'"):
        read_relatives(path, "nyseo")


def test_actions_of_the_vendor(lean):
    actions = read_actions(lean / "actions.csv")
    splits = actions.filter(pl.col("kind") == "split")
    assert set(splits["symbol"]) == {"AAPL", "AIG", "BNO", "EEM", "GOOG", "GOOGL", "USO"} and actions.height == 453
