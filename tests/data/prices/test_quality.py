"""The quality report: each fault is found where it was put, and nowhere in quiet prices; repairs give back what was there."""

import numpy as np
import polars as pl
import pytest

from lobjax.data.prices.dividends import check_dividends
from lobjax.data.prices.quality import quality
from lobjax.data.prices.reader import Choices
from lobjax.data.prices.reporting import lines, report
from tests.data.prices.made_up import HEADER, rows, write

NO_ACTIONS = pl.DataFrame(schema={"symbol": pl.String, "time": pl.Date, "kind": pl.String, "value": pl.Float64})
T = 60


def _bars(seed: int = 0) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.01, T)))
    opening = np.append(close[0], close[:-1]) * np.exp(generator.normal(0, 0.005, T))
    return pl.DataFrame(
        {
            "symbol": ["A"] * T,
            "time": pl.Series(np.arange(T) + np.datetime64("2020-01-01")).cast(pl.Date),
            "open": opening,
            "high": np.maximum(opening, close) * 1.004,
            "low": np.minimum(opening, close) / 1.004,
            "close": close,
            "volume": generator.integers(100, 900, T).astype(float),
        }
    )


def _set(bars: pl.DataFrame, first: int, last: int, names: str = "open high low close", **to) -> pl.DataFrame:
    """Bars first..last with fields multiplied by `times` or set to `value`."""
    here = pl.int_range(pl.len()).is_between(first, last)
    new = {name: pl.col(name) * to["times"] if "times" in to else pl.lit(to["value"]) for name in names.split()}
    return bars.with_columns(
        pl.when(here).then(value).otherwise(pl.col(name)).alias(name) for name, value in new.items()
    )


def _action(kind: str, at: int, value: float) -> pl.DataFrame:
    return pl.DataFrame({"symbol": ["A"], "time": _bars()["time"][at : at + 1], "kind": [kind], "value": [value]})


def _names(bars, actions=NO_ACTIONS, basis="raw"):
    return [(f.name, f.first[-5:], f.count) for f in quality(bars, actions, basis)[0]]


def test_quiet_prices_have_no_faults():
    for seed in range(20):
        assert not _names(_bars(seed))


@pytest.mark.parametrize(("first", "last"), [(0, 9), (20, 20), (20, 31), (50, T - 2)])
@pytest.mark.parametrize("times", [100.0, 0.01, 1000.0])
def test_unit_errors_are_found_and_repaired(first, last, times):
    spoilt = _set(_bars(), first, last, times=times)
    faults, repaired = quality(spoilt, NO_ACTIONS, "raw", ("units",))
    assert [(f.name, f.count, f.option) for f in faults] == [("100x unit error", last - first + 1, "units")]
    assert np.allclose(
        repaired.drop("symbol", "time").to_numpy(), _bars().drop("symbol", "time").to_numpy(), rtol=1e-12
    )
    assert quality(spoilt, NO_ACTIONS, "raw")[1].equals(spoilt)  # nothing is repaired unasked


@pytest.mark.parametrize("split", [2.0, 0.1, 7.0])
@pytest.mark.parametrize(("first", "last"), [(0, 40), (30, 30), (28, 45)])
def test_missing_split_adjustments_are_found_and_repaired(split, first, last):
    spoilt = _set(_set(_bars(), first, last, times=split), first, last, "volume", times=1 / split)
    faults, repaired = quality(spoilt, _action("split", 35, split), "split-adjusted", ("splits",))
    assert [(f.name, f.count) for f in faults] == [("missing split adjustment", last - first + 1)]
    assert np.allclose(
        repaired.drop("symbol", "time").to_numpy(), _bars().drop("symbol", "time").to_numpy(), rtol=1e-12
    )


def test_raw_prices_move_at_their_actions():
    raw = _set(_bars(), 0, 34, times=7.0)
    assert not _names(raw, _action("split", 35, 7.0))
    fault, *more = quality(raw, NO_ACTIONS, "raw")[0]
    assert (fault.name, fault.first, more) == (
        "jump without an action",
        "2020-02-05",
        [],
    ) and "like a split of 7" in fault.detail
    assert not _names(_set(_bars(), 0, 34, times=1 / 0.6), _action("dividend_factor", 35, 0.6))
    assert not _names(_bars(), _action("dividend_factor", 35, 0.6), "adjusted")


def test_what_is_no_unit_is_not_repaired():
    for times in (75.0, 140.0, 1 / 75, 12.0):
        spoilt = _set(_bars(), 20, 20, times=times)
        faults, kept = quality(spoilt, NO_ACTIONS, "raw", ("units", "splits"))
        assert faults and not any(fault.option for fault in faults) and kept.equals(spoilt)
    (fault,) = quality(_set(_bars(), 20, 20, "high", times=100.0), NO_ACTIONS, "raw")[0]
    assert fault.name == "print far off" and "100 times off, like a wrong unit" in fault.detail


def test_closes_alone_are_checked_too():
    bars = _bars().with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("open", "high", "low", "volume"))
    assert not _names(bars)
    assert _names(_set(bars, 20, 25, "close", times=100.0)) == [("100x unit error", "01-21", 6)]
    (fault,) = quality(_set(bars, 30, 59, "close", times=2.0), NO_ACTIONS, "raw")[0]
    assert fault.name == "jump without an action" and "nan" not in fault.detail


def test_prints_that_were_never_traded():
    bars = _set(_set(_set(_bars(), 10, 10, "low", value=1.0), 20, 20, "high", value=90.0), 30, 30, "close", times=0.7)
    bars = _set(bars, 30, 30, "low", times=0.7)
    found = _names(bars)
    assert ("print far off", "01-11", 1) in found and ("print far off", "01-21", 1) in found
    assert ("print far off", "01-31", 1) in found and ("jump without an action", "02-01", 1) in found


def test_still_bars():
    bars = _set(_bars(), 10, 12, "volume", value=0.0)
    bars = _set(bars, 40, 46, value=float(bars["close"][39]))
    assert _names(bars) == [("zero volume", "01-11", 3), ("stale run", "02-10", 7)]


def _paying(adj_close=None, dividend=1.0, split=1.0) -> pl.DataFrame:
    close = np.full(8, 40.0)
    paid, ratio = np.zeros(8), np.ones(8)
    paid[4], ratio[4] = dividend, split
    true = np.where(np.arange(8) < 4, 40 - 1.0, 40.0)
    bars = _bars().head(8).with_columns(close=pl.Series(close), dividend=pl.Series(paid), split=pl.Series(ratio))
    return bars.with_columns(adj_close=pl.Series(true if adj_close is None else adj_close))


def test_dividends_against_the_adjusted_close():
    assert not check_dividends(_paying())[0]
    fault, *_ = check_dividends(_paying(np.full(8, 40.0)))[0]
    assert fault.name == "missing dividend adjustment" and fault.repair and not fault.option
    for spoilt, why in ((_paying(dividend=5.0, split=5.0), "split of 5"), (_paying(dividend=100.0), "unit of 100")):
        faults, repaired = check_dividends(spoilt)
        assert (
            [f.option for f in faults] == ["dividends"]
            and why in faults[0].detail
            and repaired["dividend"][4] == pytest.approx(1)
        )
    (unknown,), kept = check_dividends(_paying(dividend=3.0))
    assert unknown.name == "wrong dividend" and not unknown.repair and kept["dividend"][4] == 3.0
    (missing,), _ = check_dividends(_paying(dividend=0.0))
    assert missing.name == "missing dividend" and "about 1" in missing.detail


def test_a_report_of_files_names_faults_of_form_and_refuses_nothing_that_can_be_read(tmp_path):
    made = rows("A")
    spoilt = [made[1], made[0], *made[2:], made[2], "2020-02-03,A,10,9,8,9.5,0"]
    faults, said = report([write(tmp_path / "x.csv", spoilt, HEADER)], exchange="XNYS", choices=Choices())
    names = {fault.name for fault in faults}
    assert {
        "wrong order",
        "duplicate rows",
        "high or low outside",
        "zero volume",
        "missing session",
        "jump without an action",
    } <= names
    assert any("cannot know" in line for line in said)
    text = "\n".join(lines(faults))
    assert "--repair duplicates --repair order" in text and "--accept range" in text
    assert lines([]) == ["no faults found"]
