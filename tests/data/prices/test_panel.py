"""The dense panel and its adjusted prices: what a later action does to levels it does to no change."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lobjax.data.prices import PricePanel, adjusted, panel_from_csv
from lobjax.data.prices.dense import dense
from lobjax.data.prices.panel import FIELDS
from lobjax.errors import InputError
from tests.data.prices.made_up import DAYS, rows, write


def _panel(close, split=None, factor=None) -> PricePanel:
    close = np.asarray(close, np.float64)
    ones = np.ones_like(close)
    return PricePanel(
        sessions=DAYS[: len(close)].astype("datetime64[D]"),
        symbols=tuple("ABCDEF"[: close.shape[1]]),
        **{name: close for name in FIELDS},
        split=ones if split is None else np.asarray(split, np.float64),
        dividend_factor=ones if factor is None else np.asarray(factor, np.float64),
        delisted_at=np.full(close.shape[1], -1, np.int32),
        delist_return=np.zeros(close.shape[1]),
    )


def test_adjusted_prices_by_hand():
    panel = _panel([[100], [102], [50], [52]], split=[[1], [1], [2], [1]], factor=[[1], [0.98], [1], [0.9]])
    assert adjusted(panel).close[:, 0] == pytest.approx([100 * 0.98 / 2 * 0.9, 102 / 2 * 0.9, 50 * 0.9, 52])
    assert adjusted(panel, dividends=False).close[:, 0] == pytest.approx([50, 51, 50, 52])
    assert adjusted(panel).volume[:, 0] == pytest.approx([200, 204, 50, 52])


actions = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1), st.sampled_from([0.1, 0.5, 2.0, 3.0]), st.floats(0.5, 1.0)),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(actions=actions, last=st.integers(2, 9), seed=st.integers(0, 99))
def test_a_later_action_changes_no_change_before_it(actions, last, seed):
    close = np.random.default_rng(seed).uniform(5, 50, (10, 2))
    split, factor = np.ones((10, 2)), np.ones((10, 2))
    for at, asset, s, f in actions:
        split[at, asset], factor[at, asset] = s, f
    whole = _panel(close, split, factor)
    early = whole.until(whole.sessions[last - 1])
    assert len(early.sessions) == last
    now, then = (np.diff(np.log(adjusted(panel).close), axis=0)[: last - 1] for panel in (whole, early))
    np.testing.assert_allclose(now, then, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(adjusted(early).close[-1], close[last - 1])


def test_rows_become_arrays_with_holes():
    lines = [line for line in rows("AB") if not line.startswith(f"{DAYS[2]},A")]
    bars = pl.DataFrame(
        [line.split(",") for line in lines], schema=["time", "symbol", *FIELDS], orient="row"
    ).with_columns(pl.col("time").str.to_date(), *(pl.col(name).cast(float) for name in FIELDS))
    moved = pl.DataFrame(
        {
            "time": np.array([DAYS[0] - 3, np.datetime64("2020-01-20"), DAYS[-1] + 9, DAYS[5]]),
            "symbol": ["A", "B", "B", "C"],
            "split": [7.0, 3.0, 5.0, 9.0],
            "dividend_factor": [1.0, 0.9, 1.0, 1.0],
        }
    ).with_columns(pl.col("time").cast(pl.Date))
    panel = dense(bars.sample(fraction=1.0, shuffle=True, seed=1), moved, {"A": (DAYS[6], -0.3)})
    assert (
        panel.close.shape == (len(DAYS), 2) and np.isnan(panel.close[2, 0]) and panel.has_bar.sum() == 2 * len(DAYS) - 1
    )
    after = int(np.searchsorted(DAYS, np.datetime64("2020-01-20")))  # a holiday: the next session's open
    assert panel.split[after, 1] == 3.0 and panel.dividend_factor[after, 1] == 0.9 and (panel.split != 1).sum() == 1
    assert panel.delisted_at.tolist() == [6, -1] and panel.delist_return.tolist() == [-0.3, 0.0]
    tradable = panel.tradable()
    assert not tradable[0].any() and not tradable[2, 0] and not tradable[6:, 0].any() and tradable[1:, 1].all()
    assert panel.select(["B"]).close.shape == (len(DAYS), 1)
    assert panel.until(DAYS[5]).delisted_at.tolist() == [-1, -1]


def test_arrays_that_do_not_fit_are_refused():
    good = _panel([[1.0], [2.0]])
    for name, value, said in (
        ("close", good.close.astype(np.float32), "close is not float64"),
        ("split", np.ones((3, 1)), "split is not float64"),
        ("sessions", good.sessions[::-1], "do not rise"),
        ("symbols", ("A", "A"), "twice"),
        ("delisted_at", np.array([9], np.int32), "delisted_at is not -1 to 2"),
    ):
        with pytest.raises(ValueError, match=said):
            dataclasses.replace(good, **{name: value})


def test_a_panel_from_files(tmp_path):
    bars = write(tmp_path / "p.csv", rows("BA"))
    moves = write(tmp_path / "a.csv", [f"{DAYS[3]},A,2,0.5", f"{DAYS[3]},X,3,1"], "date,symbol,split,dividend_factor")
    panel = panel_from_csv(bars, moves)
    assert panel.symbols == ("A", "B") and panel.split[3].tolist() == [2.0, 1.0] and panel.dividend_factor[3, 0] == 0.5
    assert panel.has_bar.all() and panel.sessions.dtype == "datetime64[D]"
    write(tmp_path / "back.csv", rows("A")[::-1])
    with pytest.raises(InputError, match="wrong order: row 3"):
        panel_from_csv(tmp_path / "back.csv")
    for line, said in (
        ("2020-01-08,A,-1,1", "row 2, column 'split'"),
        ("2020-01-08,A,1,2", "row 2, column 'dividend_factor': 2"),
    ):
        with pytest.raises(InputError, match=said):
            panel_from_csv(bars, write(tmp_path / "b.csv", [line], "date,symbol,split,dividend_factor"))
