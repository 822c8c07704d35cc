"""Value at risk and expected shortfall: the contract's figures, edges, and JAX beside NumPy."""

import jax
import numpy as np
import pytest

from lobjax import risk

RETURNS = np.array(
    [12, -4, 7, -21, 3, 9, -13, 1, -8, 15, -32, 6, 2, -5, 11, -17, 4, -1, 8, -10]
) / 1000  # fmt: skip


@pytest.mark.parametrize(
    ("model", "level", "var", "cvar"),
    [
        (risk.historical, 0.95, 0.021, 0.032),
        (risk.historical, 0.90, 0.017, 0.0265),
        (risk.historical, 0.92, 0.021, 0.027875),
        (risk.normal, 0.95, 0.02170511191332681, 0.026799919434645502),
        (risk.normal, 0.99, 0.030014327499273238, 0.03414600364811194),
        (risk.ewma, 0.99, 0.02739534881612428, None),
    ],
)
def test_the_contracts_figures(model, level, var, cvar):
    found = model(RETURNS, level)
    assert abs(found.var - var) < 1e-12
    assert cvar is None or abs(found.cvar - cvar) < 1e-12


def test_the_deviation_of_the_next_day():
    assert abs(risk.ewma_deviation(RETURNS) - 0.011776118748972336) < 1e-12
    assert abs(risk.ewma_deviations(RETURNS)[-1] - 0.011776118748972336) < 1e-12


@pytest.mark.parametrize("n", [10, 20, 40, 50, 100, 200, 250, 300, 500, 1000])
@pytest.mark.parametrize("percent", [10, 50, 75, 80, 90, 95, 97.5, 99])
def test_the_kth_loss_is_that_of_exact_arithmetic(n, percent):
    from fractions import Fraction

    tail = n * (1 - Fraction(str(percent)) / 100)
    losses = np.arange(n, 0, -1.0)  # the k-th largest is n - k + 1
    found = risk.historical(-losses, percent / 100)
    assert found.var == n - int(tail)
    whole, part = int(tail), tail - int(tail)
    mean = (sum(Fraction(n - k) for k in range(whole)) + part * (n - whole)) / tail
    assert abs(found.cvar - float(mean)) < 1e-9 * n


def test_cvar_is_no_less_than_var_and_the_worst_loss_no_less_than_cvar():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 33, 250):
        returns = rng.standard_t(3, (50, n)) / 100
        for level in (0.9, 0.99):
            found = risk.historical(returns, level)
            assert (found.cvar >= found.var - 1e-15).all() and (found.cvar <= -returns.min(-1) + 1e-15).all()


def test_one_return_none_and_constant_ones():
    assert risk.historical(np.array([-0.01]), 0.99) == (0.01, 0.01)
    assert np.isnan(risk.normal(np.array([-0.01]), 0.99)).all()
    assert np.isnan(risk.historical(np.array([]), 0.99)).all() and np.isnan(risk.ewma_deviation(np.array([])))
    assert risk.ewma_deviation(np.array([-0.01])) == pytest.approx(0.01, abs=1e-15)
    np.testing.assert_allclose(risk.historical(np.full(50, 0.01), 0.95), -0.01, atol=1e-15)
    np.testing.assert_allclose(risk.normal(np.full(50, 0.01), 0.95), -0.01, atol=1e-15)
    with pytest.raises(ValueError, match="level"):
        risk.historical(RETURNS, 1.0)


def test_filtered_historical_follows_the_volatility():
    rng = np.random.default_rng(1)
    calm, wild = rng.normal(0, 0.005, 300), rng.normal(0, 0.03, 60)
    returns = np.concatenate([calm, wild])
    assert risk.filtered_historical(returns, 0.95).var > 1.5 * risk.historical(returns, 0.95).var
    assert np.isnan(risk.filtered_historical(returns[:20], 0.95).var)
    assert np.isfinite(risk.filtered_historical(np.zeros(50), 0.95).var)


@pytest.mark.parametrize("name", [*risk.MODELS])
def test_jax_gives_what_numpy_gives_jitted_mapped_and_differentiable(name):
    returns = np.random.default_rng(2).normal(0, 0.01, (8, 60)).astype(np.float32)
    model = risk.MODELS[name]
    found = jax.jit(jax.vmap(lambda r: model(r, 0.95)))(returns)
    np.testing.assert_allclose(found, model(returns.astype(np.float64), 0.95), rtol=2e-5)
    slope = jax.grad(lambda r: model(r, 0.95).cvar)(returns[0])
    assert np.isfinite(slope).all() and np.abs(slope).sum() > 0
