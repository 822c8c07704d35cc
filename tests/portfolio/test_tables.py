"""Features, marks and what may be traded: by hand, and what later rows may not change."""

import dataclasses

import numpy as np
import pytest

from lobjax.data.prices.panel import PricePanel
from lobjax.portfolio import tables
from lobjax.portfolio.tables import UNKNOWN_SIGMA
from tests.portfolio.panels import CLOSE, OPEN, VOLUME, random_panel

NAMES = ("features", "mask", "bar", "listed", "tradable", "returns", "close", "sigma")


def by_hand(**changes) -> PricePanel:
    opens, close, volume = (np.array(rows, np.float64) for rows in (OPEN, CLOSE, VOLUME))
    whole = PricePanel(
        sessions=np.datetime64("2024-01-01") + np.arange(5), symbols=("A", "B"), open=opens, close=close, volume=volume,
        high=np.maximum(opens, close), low=np.minimum(opens, close), split=np.ones((5, 2)), dividend_factor=np.ones((5, 2)),
        delisted_at=np.full(2, -1, np.int32), delist_return=np.zeros(2),
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)


def test_features_by_hand():
    found = tables(by_hand())
    wanted = [0.095310, 0.018349, 0.058269, -0.018692, -0.287682]
    assert found.features[2, :, 0] == pytest.approx(wanted, abs=1e-6)
    assert found.features[2, :, 1] == pytest.approx([0, 0.067011, 0, 0.067011, 0.441833], abs=1e-6)
    assert found.sigma[2, 0] == pytest.approx(0.067637, abs=1e-6)
    assert found.sigma[1, 0] == UNKNOWN_SIGMA
    assert not found.mask[0].any()
    assert found.returns[1] == pytest.approx([0.1, 0.0])


def test_a_missing_bar_is_marked_at_the_last_close_and_features_reach_over_it():
    panel = by_hand()
    for name in ("open", "high", "low", "close", "volume"):
        getattr(panel, name)[2, 0] = np.nan
    found = tables(panel)
    assert found.returns[1, 0] == pytest.approx(108 / 100 - 1)  # open d1 to the close of d1, the last one known at d2
    assert not found.tradable[2, 0]
    assert not found.mask[2, 0]
    assert found.features[3, 3, 0] == pytest.approx(np.log(103 / 108))


def test_a_delisting_pays_its_return_once_and_then_nothing_moves():
    panel = by_hand(delisted_at=np.array([-1, 3], np.int32), delist_return=np.array([0, -0.3]))
    found = tables(panel)
    assert found.returns[2, 1] == pytest.approx(54 * 0.7 / 50 - 1)
    assert found.returns[3, 1] == 0
    assert not found.tradable[3:, 1].any()
    assert not found.listed[3:, 1].any()
    assert not found.mask[3:, 1].any()


def test_the_first_bar_cannot_be_bought():
    panel = by_hand()
    for name in ("open", "high", "low", "close", "volume"):
        getattr(panel, name)[:2, 1] = np.nan
    assert tables(panel).tradable[:, 1].tolist() == [False, False, False, True, True]


def test_a_dividend_is_reinvested_at_its_date_and_lost_in_price_returns():
    factor = np.ones((5, 2))
    factor[2, 0] = 0.98
    panel = by_hand(dividend_factor=factor)
    assert tables(panel).returns[1, 0] == pytest.approx(110 / 0.98 / 100 - 1)
    assert tables(panel, total_return=False).returns[1, 0] == pytest.approx(0.1)


def test_a_split_changes_nothing():
    panel, split = by_hand(), np.ones((5, 2))
    split[3, 0] = 2.0
    for name in ("open", "high", "low", "close"):
        getattr(panel, name)[3:, 0] /= 2
    panel.volume[3:, 0] *= 2
    changed, plain = tables(dataclasses.replace(panel, split=split)), tables(by_hand())
    for name in NAMES[:-2]:
        assert np.abs(np.asarray(getattr(changed, name), float) - getattr(plain, name)).max() < 1e-15, name


@pytest.fixture(scope="module")
def wild():
    return random_panel(np.random.default_rng(7), 60, 40)


def test_what_comes_later_changes_no_bit_of_what_was_before(wild):
    rng, t = np.random.default_rng(8), 30
    changed = {
        name: getattr(wild, name).copy()
        for name in ("open", "high", "low", "close", "volume", "split", "dividend_factor")
    }
    for name, values in changed.items():
        values[t + 1 :] *= rng.uniform(0.5, 2, values[t + 1 :].shape)
        assert not np.array_equal(values, getattr(wild, name), equal_nan=True)
    before, after = tables(wild), tables(dataclasses.replace(wild, **changed))
    for name in NAMES:
        rows = slice(0, t if name == "returns" else t + 1)  # the return from the open of t ends at the next one
        assert np.array_equal(getattr(before, name)[rows], getattr(after, name)[rows], equal_nan=True), name


def test_a_cut_panel_is_the_beginning_of_the_whole(wild):
    t = 25
    cut, whole = tables(wild.until(wild.sessions[t])), tables(wild)
    for name in NAMES:
        rows = slice(0, t if name == "returns" else t + 1)
        assert np.array_equal(getattr(cut, name)[rows], getattr(whole, name)[rows], equal_nan=True), name


def test_assets_permuted_are_permuted(wild):
    order = np.random.default_rng(9).permutation(40)
    found, other = tables(wild), tables(wild.select([wild.symbols[k] for k in order]))
    for name in NAMES:
        assert np.array_equal(getattr(found, name)[..., order], getattr(other, name), equal_nan=True), name


@pytest.mark.parametrize(("times", "within"), [(8.0, 0.0), (7.0, 1e-15)])
def test_the_level_of_prices_tells_nothing(wild, times, within):
    """A power of two to the bit; seven, which rounds each price, to a bit or two."""
    levels = {name: getattr(wild, name) * times for name in ("open", "high", "low", "close")}
    found, other = tables(wild), tables(dataclasses.replace(wild, **levels))
    for name in ("features", "returns", "sigma", "mask", "tradable"):
        assert np.abs(np.asarray(getattr(found, name), float) - getattr(other, name)).max() <= within, name
