"""Scores, uncertainty, calibration: the contract's figures, edges, and what calibration should do to data of a known kind."""

import numpy as np
import pytest

from lobjax.forecast import calibration, scores
from lobjax.forecast.bootstrap import block_bootstrap, block_indices

P = np.array([
    [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.05, 0.05, 0.9], [0.3, 0.4, 0.3], [0.45, 0.1, 0.45],
    [0.2, 0.2, 0.6],
])  # fmt: skip
Y = np.array([0, 1, 1, 0, 2, 0, 2, 1])


def test_the_contracts_figures():
    found = scores.scores(P, Y)
    wanted = {
        "accuracy": 0.5, "macro_f1": 0.48888888888888893, "mcc": 0.2619047619047619, "nll": 0.7514869814975629, "brier": 0.44375,
        "ece": 0.26875,
    }  # fmt: skip
    assert found == pytest.approx(wanted, abs=1e-12)
    assert scores.confusion(Y, scores.predicted(P), 3).tolist() == [[2, 1, 0], [0, 1, 2], [1, 0, 1]]
    temperature = calibration.fit_temperature(P, Y)
    softer = calibration.softened(P, temperature)
    assert temperature == pytest.approx(0.7648594671020352, abs=1e-9)
    assert scores.nll_each(softer, Y).mean() == pytest.approx(0.738209933240024, abs=1e-9)
    assert scores.ece(softer, Y) == pytest.approx(0.35319004613799715, abs=1e-9)
    quantile = calibration.conformal_quantile(calibration.set_scores(P, Y), 0.25)
    assert quantile == pytest.approx(0.7, abs=1e-12)
    assert calibration.prediction_sets(P, quantile).sum(1).tolist() == [1, 1, 2, 2, 1, 3, 2, 1]


def test_uncertainty_of_an_ensemble():
    members = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.9, 0.05, 0.05], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    found = scores.uncertainty(members)
    np.testing.assert_allclose(found, [0.9540297558846678, 0.8306935993953413, 0.1233361564893265], atol=1e-12)
    np.testing.assert_allclose(scores.uncertainty(np.eye(3)[[0, 0]]), 0)  # sure, and of one mind
    batch = scores.uncertainty(np.stack([members, members[::-1]], 1))
    np.testing.assert_allclose(batch, np.stack([found, found], 1), atol=1e-12)


def test_against_scikit_learns_definitions_on_classes_that_are_empty():
    """One class never called, one that never is: F1 counts all three, MCC is 0 where all are called the same."""
    p, y = np.tile([0.8, 0.1, 0.1], (6, 1)), np.array([0, 0, 1, 1, 1, 0])
    assert scores.scores(p, y)["macro_f1"] == pytest.approx((2 * 3 / 9) / 3)
    assert scores.scores(p, y)["mcc"] == 0 == scores.scores(p[:1], y[:1])["mcc"]
    assert scores.scores(np.array([[1.0, 0, 0]]), np.array([1]))["nll"] == np.inf
    assert scores.scores(p[:1], y[:1])["accuracy"] == 1
    third = np.full((4, 3), 1 / 3)
    assert scores.predicted(third).tolist() == [0] * 4  # ties: the lowest


@pytest.mark.parametrize("bins", [1, 3, 5, 10, 15])
def test_a_confidence_at_an_edge_belongs_below(bins):
    for i in range(1, bins + 1):
        sure = i / bins
        rest = (1 - sure) / (bins + 1)
        p = np.array([[sure] + [rest] * (bins + 1)])
        assert scores.reliability(p, np.array([0]), bins).count.tolist() == [float(j == i - 1) for j in range(bins)]


@pytest.mark.parametrize(
    ("p", "y", "said"),
    [
        ([[0.5, 0.5]], [2], "class"),
        ([[0.5, 0.5]], [-1], "undefined labels"),
        ([[0.5, 0.6]], [0], "no probabilities"),
        ([[1.5, -0.5]], [0], "no probabilities"),
        ([[np.nan, 0.5]], [0], "no probabilities"),
        ([[0.5, 0.5]], [0, 1], "give"),
        (np.empty((0, 3)), np.empty(0, int), "N from 1"),
    ],
)
def test_what_is_refused(p, y, said):
    with pytest.raises(ValueError, match=said):
        scores.scores(np.array(p), np.array(y))


def drawn(rng, n, spread=1.0):
    """Probabilities, and classes drawn from them."""
    p = rng.dirichlet([0.8, 0.8, 0.8], n)
    return calibration.softened(p, spread), (rng.random((n, 1)) < np.cumsum(p, 1)).argmax(1)


def test_temperature_undoes_what_was_too_sure():
    p, y = drawn(np.random.default_rng(0), 20_000, spread=0.5)
    found = calibration.fit_temperature(p, y)
    assert found == pytest.approx(2, rel=0.05)
    assert scores.ece(calibration.softened(p, found), y) < 0.02 < scores.ece(p, y)
    assert calibration.fit_temperature(np.eye(3) * 0.4 + 0.2, np.arange(3)) == calibration.LEAST_T
    assert calibration.fit_temperature(np.eye(3) * 0.4 + 0.2, np.array([1, 2, 0])) == calibration.MOST_T


def test_split_conformal_covers():
    rng = np.random.default_rng(1)
    p, y = drawn(rng, 20_000)
    q = calibration.conformal_quantile(calibration.set_scores(p[:5000], y[:5000]), 0.1)
    assert 0.88 < calibration.coverage(calibration.prediction_sets(p[5000:], q), y[5000:]) < 0.92
    assert calibration.conformal_quantile(np.arange(8.0), 0.1) == np.inf  # 9 scores are needed for 90%
    assert calibration.conformal_quantile(np.arange(9.0), 0.1) == 8
    assert calibration.prediction_sets(P, np.inf).all()


def test_adaptive_sets_hold_their_coverage_where_split_ones_lose_it():
    rng = np.random.default_rng(2)
    (p, y), (q, z) = drawn(rng, 3000), drawn(rng, 6000, spread=0.3)  # from then on far too sure
    known = calibration.set_scores(p, y)
    split = calibration.prediction_sets(q, calibration.conformal_quantile(known, 0.1))
    adaptive = calibration.adaptive_sets(known, q, z, 0.1, rate=0.02, delay=10)
    assert calibration.coverage(split, z) < 0.85
    for part in (slice(0, 3000), slice(3000, None)):
        assert 0.87 < calibration.coverage(adaptive[part], z[part]) < 0.93


def test_adaptive_sets_know_a_class_only_after_the_delay():
    rng = np.random.default_rng(3)
    p, y = drawn(rng, 300)
    known = calibration.set_scores(*drawn(rng, 200))
    whole = calibration.adaptive_sets(known, p, y, 0.1, rate=0.05, delay=7)
    changed = y.copy()
    changed[150:] = (changed[150:] + 1) % 3
    np.testing.assert_array_equal(
        calibration.adaptive_sets(known, p, changed, 0.1, rate=0.05, delay=7)[:157], whole[:157]
    )
    assert not np.array_equal(calibration.adaptive_sets(known, p, changed, 0.1, rate=0.05, delay=7), whole)


def test_block_bootstrap_is_wider_where_samples_hang_together():
    rng = np.random.default_rng(4)
    noise = rng.normal(size=2000)
    series = np.convolve(noise, np.ones(20) / 20, "same")
    widths = {}
    for block in (1, 100):
        found = block_bootstrap(lambda i: float(series[i].mean()), 2000, block, draws=300)
        assert found.low < found.value < found.high and found.value == pytest.approx(series.mean())
        widths[block] = found.high - found.low
    assert widths[100] > 2.5 * widths[1]
    drawn_ = block_indices(10, 4, 5, 0)
    assert drawn_.shape == (5, 10) and ((np.diff(drawn_[:, :4]) % 10) == 1).all()
    with pytest.raises(ValueError, match="blocks"):
        block_indices(3, 4, 1, 0)
