"""The Dirichlet head against SciPy's."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lobjax.nets import Dirichlet, DirichletConfig

CONCENTRATIONS = [(1.0,) * 7, (1.0,) * 6 + (10.0,), (0.2, 3.0, 0.5, 12.0, 1.0, 0.05, 40.0), (300.0, 20.0, 5.0)]


@partial(jax.jit, static_argnums=0)
def draws(head, inputs):
    return jax.vmap(head.sample, in_axes=(0, None))(jax.random.split(jax.random.key(4), 5_000), inputs)


@pytest.mark.parametrize("concentrations", CONCENTRATIONS)
def test_density_mean_and_entropy_are_those_of_scipy(concentrations):
    head = Dirichlet(len(concentrations), DirichletConfig(initial_concentrations=concentrations))
    inputs = head.inputs(head.init(), jnp.array(head.bias), 0.0)
    np.testing.assert_allclose(inputs, concentrations, rtol=2e-6)
    theirs = stats.dirichlet(concentrations)
    raw = np.log(np.random.default_rng(0).dirichlet(np.ones(len(concentrations)), 200))
    want = [theirs.logpdf(share / share.sum()) for share in np.exp(raw)]
    np.testing.assert_allclose(head.log_prob(inputs, jnp.asarray(raw, jnp.float32)), want, rtol=1e-5, atol=2e-3)
    assert float(head.entropy(inputs)) == pytest.approx(theirs.entropy(), rel=1e-4)
    np.testing.assert_allclose(head.to_action(head.mode(inputs)), theirs.mean(), rtol=1e-5)


@pytest.mark.parametrize("concentrations", CONCENTRATIONS[2:])
def test_each_share_of_a_sample_has_its_beta_distribution(concentrations):
    shares = np.exp(np.asarray(draws(Dirichlet(len(concentrations)), jnp.array(concentrations)), np.float64))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    for i, concentration in enumerate(concentrations):
        beta = stats.beta(concentration, sum(concentrations) - concentration)
        assert stats.kstest(shares[:, i], beta.cdf).pvalue > 1e-5


def test_shares_too_small_for_single_precision_keep_their_density():
    """Of concentrations far below 1 most shares are 0 as numbers; their logarithms are not."""
    head, inputs = Dirichlet(3), jnp.array([0.005, 0.005, 2.0])
    raw = draws(head, inputs)
    assert (np.exp(raw) == 0).any() and np.isfinite(raw).all()
    log_prob = np.asarray(head.log_prob(inputs, raw), np.float64)
    assert np.isfinite(log_prob).all()
    log_beta = np.log(stats.dirichlet([0.005, 0.005, 2.0]).pdf([0.25, 0.25, 0.5]) / (0.25**-0.995 * 0.25**-0.995 * 0.5))
    np.testing.assert_allclose(log_prob, log_beta + np.asarray(raw, np.float64) @ [-0.995, -0.995, 1.0], rtol=1e-5)
