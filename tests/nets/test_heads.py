"""Action heads: densities against numerical integration, samples against densities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.nets import Categoricals, CategoricalsConfig, LogisticNormal, LogisticNormalConfig

MEAN = jnp.array([0.3, -0.8])


def grid(half_width=9.0, n=721):
    """Points of the plane [n * n, 2] and the area that each stands for."""
    line = np.linspace(-half_width, half_width, n)
    points = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    return jnp.asarray(points, jnp.float32), (line[1] - line[0]) ** 2


def test_logistic_normal_density_integrates_to_one_and_gives_its_entropy():
    head = LogisticNormal(3)
    inputs = head.inputs((), MEAN, 0.5)
    points, area = grid()
    log_prob = np.asarray(head.log_prob(inputs, points), np.float64)
    density = np.exp(log_prob)
    assert density.sum() * area == pytest.approx(1, abs=1e-4)
    assert -(density * log_prob).sum() * area == pytest.approx(float(head.entropy(inputs)), abs=1e-3)


def test_logistic_normal_density_on_the_simplex_by_its_jacobian():
    """With the Jacobian of the map, -sum log a, the density of actions integrates to one over the simplex."""
    head = LogisticNormal(2)
    inputs = head.inputs((), jnp.array([0.7]), 0.0)
    share = np.linspace(1e-5, 1 - 1e-5, 200_001)
    raw = np.log(share / (1 - share))[:, None]
    log_density = head.log_prob(inputs, jnp.asarray(raw, jnp.float32)) - np.log(share) - np.log(1 - share)
    assert np.trapezoid(np.exp(np.asarray(log_density)), share) == pytest.approx(1, abs=1e-3)


def test_logistic_normal_samples_fall_as_the_density_says():
    head = LogisticNormal(3)
    inputs = head.inputs((), MEAN, 0.5)
    n = 40_000
    raw = jax.vmap(head.sample, in_axes=(0, None))(jax.random.split(jax.random.key(1), n), inputs)
    points, area = grid()
    density = np.exp(np.asarray(head.log_prob(inputs, points))) * area
    actions, cells = head.to_action(raw), head.to_action(points)
    for part in range(3):
        edges = np.linspace(0, 1, 9)
        want = np.histogram(cells[:, part], edges, weights=density)[0]
        have = np.histogram(actions[:, part], edges)[0] / n
        np.testing.assert_allclose(have, want, atol=5 * np.sqrt(0.25 / n))
    assert jax.vmap(Simplex(3).contains)(actions).all()


def test_logistic_normal_aims_where_the_paper_says():
    """The first policy of Cheridito and Weiss: softmax(-1, -1, -1, -1, -1, 1, 0)."""
    head = LogisticNormal(7, LogisticNormalConfig(initial_mean=(-1, -1, -1, -1, -1, 1)))
    mode = head.to_action(head.mode(head.inputs((), jnp.array(head.bias), 0.0)))
    np.testing.assert_allclose(mode, [0.066, 0.066, 0.066, 0.066, 0.066, 0.489, 0.180], atol=1e-3)


def test_standard_deviation_is_scheduled_or_learned():
    scheduled = LogisticNormal(3)
    for progress, std in ((0.0, 1.0), (0.5, 0.66), (1.0, 0.32)):
        np.testing.assert_allclose(jnp.exp(scheduled.inputs((), MEAN, progress).log_std), std, rtol=1e-5)
    learned = LogisticNormal(3, LogisticNormalConfig(std="learned", initial_std=0.5))
    params = learned.init()
    np.testing.assert_allclose(jnp.exp(learned.inputs(params, MEAN, 1.0).log_std), 0.5, rtol=1e-6)
    slope = jax.grad(lambda p: learned.log_prob(learned.inputs(p, MEAN, 1.0), MEAN))(params)
    np.testing.assert_allclose(slope["log_std"], -1.0, rtol=1e-6)


def test_categoricals_are_a_product():
    head = Categoricals((2, 3), CategoricalsConfig(initial_logits=(0.0, 1.0, 0.5, -0.5, 0.0)))
    inputs = head.inputs((), jnp.array(head.bias), 0.0)
    every = jnp.array([[i, j] for i in range(2) for j in range(3)])
    log_prob = np.asarray(jax.vmap(head.log_prob, in_axes=(None, 0))(inputs, every))
    assert np.exp(log_prob).sum() == pytest.approx(1, abs=1e-6)
    assert -(np.exp(log_prob) * log_prob).sum() == pytest.approx(float(head.entropy(inputs)), abs=1e-6)
    n = 40_000
    raw = jax.vmap(head.sample, in_axes=(0, None))(jax.random.split(jax.random.key(2), n), inputs)
    have = np.bincount(np.asarray(raw[:, 0] * 3 + raw[:, 1]), minlength=6) / n
    np.testing.assert_allclose(have, np.exp(log_prob), atol=5 * np.sqrt(0.25 / n))
    assert jax.vmap(MultiDiscrete((2, 3)).contains)(raw).all()
    assert head.mode(inputs).tolist() == [1, 0]
    np.testing.assert_allclose(head.summary(raw)["histogram_0"], [have[:3].sum(), have[3:].sum()], atol=1e-5)


def test_wrong_numbers_of_initial_values_are_refused():
    with pytest.raises(ValueError, match="initial_mean has 1 numbers; the action needs 2"):
        LogisticNormal(3, LogisticNormalConfig(initial_mean=(0.0,)))
    with pytest.raises(ValueError, match="initial_logits has 2 numbers, not 5"):
        Categoricals((2, 3), CategoricalsConfig(initial_logits=(0.0, 1.0)))
