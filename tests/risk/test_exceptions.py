"""Tests of exceptions: the contract's figures, published regions, edges, JAX beside NumPy, and models that must fail."""

import jax
import numpy as np
import pytest
from scipy.stats import chi2

from lobjax import risk
from lobjax.risk.backtest import backtest, coverage_report

CRITICAL = chi2.ppf(0.95, 1)


def hits_on(n, *days):
    hits = np.zeros(n, int)
    hits[list(days)] = 1
    return hits


@pytest.mark.parametrize(
    ("n", "x", "p", "lr"),
    [
        (1043, 57, 0.05, 0.46146639532895506), (1043, 59, 0.05, 0.9102302821688681), (500, 40, 0.05, 8.079040952278405),
        (255, 6, 0.01, 3.415357526264515), (255, 7, 0.01, 5.316341340978191), (255, 0, 0.01, 5.12567128528574),
    ],
)  # fmt: skip
def test_proportion_of_failures(n, x, p, lr):
    found = risk.kupiec(n, x, p)
    assert abs(found.lr - lr) < 1e-9 and abs(found.p - chi2.sf(lr, 1)) < 1e-9


# Kupiec's table (1995), but for the first, where the exact ratio rejects no exception at all.
REGIONS = {
    255: [(1, 6), (3, 11), (7, 20), (12, 27), (17, 35)],
    510: [(2, 10), (7, 20), (17, 35), (28, 50), (39, 64)],
    1000: [(5, 16), (16, 35), (38, 64), (60, 91), (82, 119)],
}


@pytest.mark.parametrize("n", [*REGIONS])
def test_regions_of_non_rejection(n):
    x = np.arange(n + 1)
    for p, region in zip((0.01, 0.025, 0.05, 0.075, 0.1), REGIONS[n], strict=True):
        kept = x[risk.kupiec(n, x, p).lr < CRITICAL]
        assert (kept[0], kept[-1]) == region and len(kept) == kept[-1] - kept[0] + 1


def test_time_until_first_failure():
    assert abs(risk.tuff(58, 0.05).lr - 1.7353554170428183) < 1e-9
    v = np.arange(1, 1000)
    kept = v[risk.tuff(v, 0.01).lr < CRITICAL]
    assert (kept[0], kept[-1]) == (7, 438)
    assert risk.tuff(100, 0.01).lr == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("days", "lr_ind", "lr_cc"),
    [
        ((4, 5, 40, 41, 42, 77), 10.445253467637961, 10.643675595024469),
        ((4, 20, 40, 55, 70, 90), 0.7747315195351732, 0.9731536469216806),
    ],
)
def test_independence(days, lr_ind, lr_cc):
    found = coverage_report(hits_on(100, *days), 0.05)
    wanted = {
        "lr_uc": 0.19842212738650744, "lr_ind": lr_ind, "p_ind": chi2.sf(lr_ind, 1), "lr_cc": lr_cc, "p_cc": chi2.sf(lr_cc, 2),
        "lr_tuff": 1.3977866668265078, "p_tuff": 0.2370945064965105,
    }  # fmt: skip
    assert found["n"] == 100 and found["exceptions"] == 6
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)


def test_none_all_one_and_no_days():
    none, whole = coverage_report(np.zeros(250), 0.01), coverage_report(np.ones(5), 0.01)
    assert (none["lr_ind"], none["p_ind"], none["lr_tuff"], none["p_tuff"]) == (0, 1, None, None)
    assert none["lr_uc"] == none["lr_cc"] == pytest.approx(5.025167926750726, abs=1e-9)
    assert whole["lr_uc"] == pytest.approx(-10 * np.log(0.01), abs=1e-9) and whole["lr_ind"] == 0
    one = coverage_report(np.array([1]), 0.05)
    assert one["lr_uc"] == pytest.approx(-2 * np.log(0.05)) == one["lr_tuff"] and one["lr_ind"] == 0
    assert {
        value for name, value in coverage_report(np.array([]), 0.05).items() if name not in ("n", "exceptions")
    } == {None}


def test_basels_zones():
    assert [risk.zone(250, x, 0.01)[0] for x in range(12)] == [*"gggggyyyyyrr"]


def test_jax_gives_what_numpy_gives():
    hits = np.random.default_rng(3).random((64, 250)) < np.linspace(0, 0.2, 64)[:, None]

    def ratios(h):
        found = risk.coverage(h, 0.05)
        return [found.uc, found.ind, found.cc, found.tuff]

    for mine, theirs in zip(
        jax.tree.leaves(jax.jit(jax.vmap(ratios))(hits)), jax.tree.leaves(ratios(hits)), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=2e-3, atol=2e-4)


@pytest.fixture(scope="module")
def markets():
    """Returns whose volatility comes in clusters (GARCH(1, 1)), float64 [20, 2000]."""
    rng = np.random.default_rng(4)
    returns, variance = np.empty((20, 2000)), np.full(20, 1e-4)
    for t in range(2000):
        returns[:, t] = rng.standard_normal(20) * np.sqrt(variance)
        variance = 2e-6 + 0.13 * returns[:, t] ** 2 + 0.85 * variance
    return returns


def test_a_constant_for_value_at_risk_fails_its_backtest(markets):
    """A constant far off fails by the number of exceptions; one that has just the right number, since they come together."""
    for returns in markets:
        assert coverage_report(-returns > 0.5, 0.05)["p_uc"] < 1e-6
        right = np.quantile(-returns, 0.95)
        assert coverage_report(-returns > right, 0.05)["p_uc"] > 0.5
    failed = [coverage_report(-r > np.quantile(-r, 0.95), 0.05)["p_cc"] < 0.05 for r in markets]
    assert np.mean(failed) > 0.7


def test_a_model_that_follows_the_volatility_passes_more_often(markets):
    passed = {m: np.mean([backtest(r, 0.95, m, 250)["p_cc"] > 0.05 for r in markets]) for m in ("ewma", "historical")}
    assert passed["ewma"] >= 0.7 > passed["historical"]


def test_cvar_that_is_too_small_is_found(markets):
    returns = markets.ravel()
    scale = returns.std()
    shocks = np.random.default_rng(5).standard_t(3, 40_000) * scale / np.sqrt(3)
    found = risk.normal(np.random.default_rng(6).normal(0, scale, 100_000), 0.975)
    honest = risk.historical(shocks, 0.975)
    z1, _ = risk.acerbi_szekely(shocks, np.full(40_000, found.var), np.full(40_000, found.cvar), 0.025)
    assert z1 < -0.2
    assert (
        np.abs(risk.acerbi_szekely(shocks, np.full(40_000, honest.var), np.full(40_000, honest.cvar), 0.025)).max()
        < 0.01
    )
    assert np.isnan(risk.acerbi_szekely(np.zeros(10), np.ones(10), np.ones(10), 0.025)[0])
