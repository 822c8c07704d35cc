"""Rules: each against what defines it, by hand or by its optimality; and against published wealth where the data are there."""

import dataclasses
import json

import numpy as np
import pytest

from bench.papers.olps.playing import play, read_relatives, rule_of
from bench.papers.olps.published import agrees
from lobjax.portfolio import tables
from lobjax.portfolio.rules import BASELINES, ONLINE
from lobjax.portfolio.rules.allocation import inverse_volatility, min_variance, risk_parity
from lobjax.portfolio.rules.hierarchical import hrp
from lobjax.portfolio.rules.hindsight import best_constant, grid_mean
from lobjax.portfolio.rules.medians import spatial_median
from lobjax.portfolio.rules.simplex import least_quadratic, projected
from tests.portfolio.panels import random_panel


def covariance(assets: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1, (300, 1)) * rng.uniform(0, 2, assets)
    return np.cov((common + rng.normal(0, 1, (300, assets))) * rng.uniform(0.001, 0.05, assets), rowvar=False)


@pytest.mark.parametrize("assets", [2, 10, 100])
def test_min_variance_is_where_no_weight_can_move(assets):
    matrix = covariance(assets, assets)
    weights = min_variance(matrix)
    gradient = matrix @ weights
    level = weights @ gradient
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert np.abs(gradient[weights > 0] / level - 1).max() < 1e-9
    assert (gradient[weights == 0] >= level * (1 - 1e-9)).all()


@pytest.mark.parametrize("assets", [2, 10, 100])
def test_risk_parity_gives_each_the_same_risk(assets):
    matrix = covariance(assets, assets)
    weights = risk_parity(matrix)
    risk = weights * (matrix @ weights)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert np.abs(risk / risk.sum() * assets - 1).max() < 1e-10


def test_copies_and_what_does_not_move_are_no_fault():
    matrix = covariance(4, 1)
    twins = matrix[np.ix_([0, 1, 1, 2], [0, 1, 1, 2])]
    for allocate in (min_variance, risk_parity, hrp, inverse_volatility):
        assert allocate(twins).sum() == pytest.approx(1)
    still = np.zeros((3, 3))
    still[1:, 1:] = covariance(2, 2)
    for allocate in (min_variance, risk_parity, hrp, inverse_volatility):
        assert allocate(still).tolist() == [1, 0, 0]


def test_hrp_by_hand_for_three():
    sigma, rho = np.array([0.1, 0.2, 0.4]), np.array([[1, 0.0, 0.9], [0.0, 1, 0.0], [0.9, 0.0, 1]])
    weights = hrp(rho * np.outer(sigma, sigma))
    # 0 and 2 join first; the lone 1 stands left of their pair, whose variance under 1/variance weights is v.
    part = np.array([1 / 0.01, 1 / 0.16])
    part /= part.sum()
    v = part[0] ** 2 * 0.01 + part[1] ** 2 * 0.16 + 2 * part[0] * part[1] * 0.9 * 0.04
    alone = v / (v + 0.04)
    assert weights == pytest.approx([(1 - alone) * 0.16 / 0.17, alone, (1 - alone) * 0.01 / 0.17])


def test_projection_is_the_nearest_point():
    rng = np.random.default_rng(3)
    for point in rng.normal(0, 1, (50, 6)):
        found = projected(point)
        assert found.sum() == pytest.approx(1)
        assert found.min() >= 0
        assert found == pytest.approx(least_quadratic(np.eye(6), point, np.full(6, 1 / 6)), abs=1e-12)


def test_spatial_median_of_a_triangle_and_of_a_point_that_wins():
    corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])
    assert spatial_median(corners) == pytest.approx(corners.mean(0), abs=1e-8)
    flat = np.array([[0.0, 0.0], [10.0, 0.1], [-10.0, 0.1]])  # an angle beyond 120 degrees: the corner itself
    assert spatial_median(flat) == pytest.approx([0, 0], abs=1e-3)


def test_one_period_of_each_update_by_hand():
    x = np.array([1.2, 0.9])
    eg, pamr, olmar = (ONLINE[name](2) for name in ("eg", "pamr", "olmar1"))
    for rule in (eg, pamr, olmar):
        assert rule.weights.tolist() == [0.5, 0.5]
        rule.observe(x)
    grown = np.exp(0.05 * x / 1.05)
    assert eg.weights == pytest.approx(grown / grown.sum())
    assert pamr.weights == pytest.approx([0, 1])  # .55/.045 of [.15, -.15] away, back on the simplex
    assert olmar.weights == pytest.approx([1, 0])  # the last relative is the forecast still


def test_constant_weights_in_hindsight_are_optimal():
    rng = np.random.default_rng(4)
    x = np.exp(rng.normal(0, 0.1, (200, 8)))
    weights = best_constant(x)
    gradient = (x / (x @ weights)[:, None]).mean(0)  # 1 where there is weight, at most 1 elsewhere
    assert np.abs(gradient[weights > 0] - 1).max() < 1e-10
    assert gradient.max() < 1 + 1e-10


def test_costs_are_the_toolbox_s():
    played = play(np.array([[1.1, 0.9], [1.0, 1.0]]), rule_of("ubah", np.ones((1, 2))), gamma=0.02)
    first = 1 - 0.01  # a dollar is bought
    assert played.turnover == pytest.approx(1 + (1 / first - 1))
    assert played.wealth == pytest.approx(first * (1 - 0.01 * (1 / first - 1)))


@pytest.fixture(scope="module")
def wild():
    return random_panel(np.random.default_rng(5), 330, 6)


@pytest.mark.parametrize("name", list(BASELINES))
def test_no_baseline_sees_what_comes_later(wild, name):
    first, last = 300, 310
    changed = {field: getattr(wild, field).copy() for field in ("open", "high", "low", "close", "volume", "split")}
    for values in changed.values():
        values[last + 1 :] *= np.random.default_rng(6).uniform(0.5, 2, values[last + 1 :].shape)
    one, two = tables(wild), tables(dataclasses.replace(wild, **changed))
    ours, theirs = BASELINES[name](one, first), BASELINES[name](two, first)
    for t in range(first, last + 1):
        a, b = ours(t, np.zeros(6)), theirs(t, np.zeros(6))
        assert (a is None and b is None) or np.array_equal(a, b)
        assert a is None or (a.min() >= 0 and a.sum() <= 1 + 1e-9)


QUICK = ("ubah", "ucrp", "eg", "ons", "pamr", "cwmr_stdev", "olmar2", "rmr", "olmar1", "best", "bcrp")


@pytest.mark.parametrize("name", QUICK)
def test_published_wealth(real_data, name):
    data = real_data / "portfolio" / "olps" / "olps_datasets.npz"
    values = json.loads((real_data.parent / "values" / "portfolio_values.json").read_text())["olps"]
    for where in ("djia", "tse"):
        if name not in values[where]:
            continue
        x, known = read_relatives(data, where), values[where][name]
        assert play(x, rule_of(name, x)).wealth == pytest.approx(known["wealth"], rel=1e-8)
        if "turnover" in known:
            costly = play(x, rule_of(name, x), 1e-3)
            assert (costly.wealth, costly.turnover) == (
                pytest.approx(known["wealth_cost_1e_3"], rel=1e-8),
                pytest.approx(known["turnover"], rel=1e-8),
            )


def test_cover_s_pair(real_data):
    x = read_relatives(real_data / "portfolio" / "olps" / "olps_datasets.npz", "nyse_o", (19, 22))
    assert grid_mean(x) == pytest.approx(38.6727, abs=1e-4)
    assert play(x, rule_of("bcrp", x)).wealth == pytest.approx(73.7012, abs=1e-4)


@pytest.mark.slow
def test_anticor_in_one_and_two_layers(real_data):
    """Two layers are held to 0.5%: windows that have not begun hold the same, and how their ties are broken moves the figure by 1%."""
    x = read_relatives(real_data / "portfolio" / "olps" / "olps_datasets.npz", "djia")
    assert agrees(play(x, rule_of("anticor_bah30", x)).wealth, "1.6063")
    assert play(x, rule_of("anticor", x)).wealth == pytest.approx(2.2879, rel=5e-3)
