"""Almgren and Chriss's own example, the minimum found another way, and the whole lots of the strategy."""

from dataclasses import replace

import numpy as np
import pytest

from lobjax.strategies.almgren_chriss import ImpactConfig, almgren_chriss, cost, frontier, optimal_trades

# Table 1 of the paper: a million shares at $50 in five days.
SHARES, DAYS = 1e6, 5
EXAMPLE = ImpactConfig(risk_aversion=1e-6, volatility=0.95, temporary=2.5e-6, permanent=2.5e-7, fixed=0.0625)


def test_the_published_example():
    trades = optimal_trades(EXAMPLE, SHARES, DAYS, 1.0)
    np.testing.assert_allclose(trades, [458044, 252101, 141957, 85756, 62142], atol=0.5)
    mean, std = cost(EXAMPLE, trades, 1.0)
    assert round(mean) == 911_227 and round(std) == 603_431


def test_without_risk_aversion_it_is_twap():
    careless = replace(EXAMPLE, risk_aversion=0.0)
    np.testing.assert_allclose(optimal_trades(careless, SHARES, DAYS, 1.0), SHARES / DAYS)
    errors = [
        np.abs(optimal_trades(replace(EXAMPLE, risk_aversion=value), SHARES, DAYS, 1.0) - SHARES / DAYS).max()
        for value in (1e-8, 1e-10, 1e-12, 1e-26)
    ]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-9 * SHARES
    np.testing.assert_array_equal(
        almgren_chriss(60, 10, 15.0, ImpactConfig(risk_aversion=0, volatility=1)).lots, [6] * 10
    )


@pytest.mark.parametrize("period", [1.0, 0.5])
def test_nothing_costs_less(period):
    """Mean plus lambda times variance is quadratic in what is left: its minimum by linear equations is the closed form."""
    n = 7
    impact = replace(EXAMPLE, risk_aversion=3e-6)

    def utility(left: np.ndarray) -> float:
        mean, std = cost(impact, -np.diff(left, prepend=SHARES, append=0), period)
        return mean + impact.risk_aversion * std**2

    base = np.linspace(SHARES, 0, n + 1)[1:-1]
    steps = np.eye(n - 1) * 1000.0
    gradient = np.array([utility(base + d) - utility(base - d) for d in steps]) / 2000
    curvature = np.array([
        [utility(base + a + b) - utility(base + a - b) - utility(base - a + b) + utility(base - a - b) for b in steps] for a in steps
    ]) / 4e6  # fmt: skip
    left = base - np.linalg.solve(curvature, gradient)
    trades = optimal_trades(impact, SHARES, n, period)
    np.testing.assert_allclose(-np.diff(left, prepend=SHARES, append=0), trades, rtol=1e-4)


def test_the_frontier_trades_mean_for_deviation():
    points = frontier(EXAMPLE, SHARES, DAYS, 1.0, [0.0, 1e-7, 1e-6, 1e-5, 1.0])
    means, stds = np.array(points).T
    assert (np.diff(means) > 0).all() and (np.diff(stds) < 0).all()
    assert round(means[2]) == 911_227
    # Everything at once has no risk.
    assert stds[-1] < 1e-4 * SHARES and means[-1] == pytest.approx(0.0625 * SHARES + 2.5e-6 * SHARES**2, rel=1e-3)


def test_the_strategy_sells_whole_lots_earlier_than_twap():
    urgent = ImpactConfig(risk_aversion=0.05, volatility=0.13)
    for lots in (1, 7, 20, 61):
        planned = optimal_trades(urgent, lots, 10, 15.0)
        sent = np.asarray(almgren_chriss(lots, 10, 15.0, urgent).lots)
        assert sent.sum() == lots and (sent >= 0).all()
        assert np.abs(np.cumsum(sent) - np.cumsum(planned)).max() <= 0.5
        assert (np.diff(planned) < 0).all()
    extreme = ImpactConfig(risk_aversion=1e6, volatility=10.0)
    np.testing.assert_array_equal(almgren_chriss(20, 10, 15.0, extreme).lots, [20] + [0] * 9)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"temporary": 0.0}, "temporary: 0.0 is out of range"),
        ({"risk_aversion": -1.0}, "risk_aversion: -1.0 is out of range"),
        ({"volatility": -1.0}, "volatility: -1.0 is out of range"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(change, text):
    with pytest.raises(ValueError, match=text):
        replace(EXAMPLE, **change)


def test_what_has_no_optimum_is_refused():
    with pytest.raises(ValueError, match="half the permanent impact"):
        optimal_trades(replace(EXAMPLE, permanent=1e-5), SHARES, DAYS, 1.0)
    with pytest.raises(ValueError, match="volatility is not known"):
        optimal_trades(replace(EXAMPLE, volatility=None), SHARES, DAYS, 1.0)
