"""Walk-forward folds and drift: the contract's figures, what no fold may share, and what is refused."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from lobjax.errors import InputError
from lobjax.forecast import drift
from lobjax.forecast.folds import walk_forward


def test_the_contracts_folds():
    settings = {"first": 40, "test": 15, "purge": 5, "embargo": 2}
    assert walk_forward(100, **settings) == [(0, 33, 40, 55), (0, 48, 55, 70), (0, 63, 70, 85), (0, 78, 85, 100)]
    rolling = walk_forward(100, **settings, rolling=30)
    assert rolling == [(3, 33, 40, 55), (18, 48, 55, 70), (33, 63, 70, 85), (48, 78, 85, 100)]


@pytest.mark.parametrize("n", [41, 55, 99, 1000])
@pytest.mark.parametrize("rolling", [None, 10])
def test_no_label_of_training_reaches_a_test(n, rolling):
    folds = walk_forward(n, first=40, test=15, purge=5, embargo=2, reach=5, rolling=rolling)
    tested = np.concatenate([np.arange(f.test_start, f.test_stop) for f in folds])
    np.testing.assert_array_equal(tested, np.arange(40, n))
    for fold in folds:
        assert 0 <= fold.train_start < fold.train_stop <= fold.test_start - 7
        assert (fold.train_stop - 1) + 5 < fold.test_start - 2  # the last label's window, and the embargo


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"purge": 4}, "shorter than the 5 samples"),
        ({"first": 7}, "no room for purge"),
        ({"rolling": 40}, "no room for purge"),
        ({"first": 100}, "of 100 samples"),
        ({"test": 0}, "test is 0"),
        ({"embargo": -1}, "embargo is -1"),
    ],
)
def test_folds_without_room_are_refused(changed, said):
    with pytest.raises(InputError, match=said):
        walk_forward(100, **{"first": 40, "test": 15, "purge": 5, "embargo": 2, "reach": 5, **changed})


def test_drift():
    rng = np.random.default_rng(0)
    reference, same, moved = rng.normal(size=2000), rng.normal(size=1500), rng.normal(0.6, 1.2, 1500)
    assert drift.psi(reference, reference) == 0 == drift.ks(reference, reference)
    assert drift.psi(reference, same) < drift.WATCH < drift.ACT < drift.psi(reference, moved)
    for other in (same, moved, np.round(moved, 1)):
        assert drift.ks(reference, other) == pytest.approx(ks_2samp(reference, other).statistic, abs=1e-12)


def test_drift_with_ties_and_constants():
    constant = np.full(50, 3.0)
    assert drift.psi(constant, constant) == 0 == drift.ks(constant, constant)
    assert drift.psi(constant, constant - 1) == pytest.approx((1 - 1e-4) * np.log(1e4) * 2)
    assert drift.ks(constant, constant + 1) == 1
    ties, moved = np.repeat([0.0, 1.0, 2.0], [50, 30, 20]), np.repeat([0.0, 1.0, 2.0], [20, 30, 50])
    edges = [-np.inf, *np.quantile(ties, np.arange(1, 10) / 10), np.inf]
    a, b = (np.maximum(np.histogram(x, edges)[0] / 100, 1e-4) for x in (ties, moved))
    assert drift.psi(ties, moved) == pytest.approx(((b - a) * np.log(b / a)).sum()) and drift.psi(ties, moved) > 0.5
    for wrong in ([], [np.nan], [[1.0]]):
        with pytest.raises(ValueError, match="sample"):
            drift.psi(np.array([1.0]), np.array(wrong))
