"""Scalers: the contract's figures, statistics without the current value, streams in pieces to the bit, a planted leak caught."""

import numpy as np
import pytest

from lobjax.forecast.scaling import Expanding, Rolling, fit_fold

X = np.array([1, 2, 4, 8, 16, 15, 14.0])[:, None]


def test_the_contracts_figures():
    expanding = [0, 0, 5, 4.543441112511216, 4.569273560377538, 1.6131182652348863, 1.0621322893124001]
    rolling = [0, 0, 0, 4.543441112511214, 4.543441112511214, 1.1358602781278035, 0.2809757434745082]
    np.testing.assert_allclose(Expanding(2)(X)[:, 0], expanding, rtol=1e-12)
    np.testing.assert_allclose(Rolling(3)(X)[:, 0], rolling, rtol=1e-12)


def features(rows=400):
    rng = np.random.default_rng(0)
    x = rng.standard_t(3, (rows, 6)) * [1, 1e-6, 1e6, 1, 0, 3]
    x[:, 3] = np.cumsum(x[:, 3])
    x[:, 4] = 0.1
    x[:, 2] += 1e8
    return x


@pytest.mark.parametrize(("make", "span"), [(lambda: Expanding(20), None), (lambda: Rolling(25), 25)])
def test_from_the_definition_and_in_pieces_to_the_bit(make, span):
    x = features()
    whole = make()(x)
    for t in range(len(x)):
        before = x[t - span : t] if span else x[:t]
        if t < (span or 20):
            assert not whole[t].any()
        else:
            z = (x[t] - before.mean(0)) / np.maximum(before.std(0), 1e-8)
            np.testing.assert_allclose(
                whole[t, [0, 1, 2, 3, 5]], np.clip(z, -10, 10)[[0, 1, 2, 3, 5]], rtol=1e-6, atol=1e-9
            )
    assert not whole[:, 4].any()  # a constant
    for cuts in ((1, 2, 3), (19, 20, 21), (24, 25, 26, 200), (399,)):
        scaler, parts = make(), np.split(x, cuts)
        np.testing.assert_array_equal(np.concatenate([scaler(part) for part in parts]), whole)
        np.testing.assert_array_equal(make()(x[: cuts[-1]]), whole[: cuts[-1]])  # the prefix rule


def test_the_floor_and_the_clip():
    jump = np.array([1.0] * 30 + [2.0, -5.0])[:, None]
    assert Expanding(5)(jump)[-2:, 0].tolist() == [10, -10] and Rolling(5)(jump)[30, 0] == 10


def test_a_scaler_fitted_on_all_is_caught():
    """The leak that the contract names: the prefix rule fails for statistics of the whole sample, and holds for those of a fold."""
    x = features()
    leaky = (x - x.mean(0)) / np.maximum(x.std(0), 1e-8)
    cut = x[:300]
    assert not np.array_equal(((cut - cut.mean(0)) / np.maximum(cut.std(0), 1e-8)), leaky[:300])
    fold = fit_fold(x[:200])
    np.testing.assert_array_equal(fold(x)[:300], fold(cut))
    changed = x.copy()
    changed[200:] += 1e3
    np.testing.assert_array_equal(fit_fold(changed[:200]), fold)


def test_what_is_refused():
    for x, said in ((np.array([[1.0, np.nan]]), "feature 1 of row 0"), (np.array([1.0]), "give")):
        with pytest.raises(ValueError, match=said):
            Expanding(2)(x)
    for window in (0, 10**12):
        with pytest.raises(ValueError, match="window"):
            Rolling(window)(X)
    with pytest.raises(ValueError, match="no samples"):
        fit_fold(X[:0])
