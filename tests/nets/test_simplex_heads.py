"""The heads on a simplex: densities by quadrature over three parts, samples, entropies, gradients at the edges of the numbers."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.env.spaces import Simplex
from lobjax.nets import (
    Dirichlet,
    DirichletConfig,
    LogisticNormal,
    LogisticNormalConfig,
    SoftmaxNormal,
    SoftmaxNormalConfig,
    head_on,
)

N_DRAWS = 40_000
UNEQUAL = {"log_std": jnp.log(jnp.array([0.3, 0.9, 0.6]))}
# name: the head, its parameters, outputs of the network
CASES = {
    "logistic normal": (LogisticNormal(3), (), [0.3, -0.8]),
    "softmax-normal": (SoftmaxNormal(3), (), [0.3, -0.8, 0.4]),
    "softmax-normal, learned": (SoftmaxNormal(3, SoftmaxNormalConfig(std="learned")), UNEQUAL, [0.3, -0.8, 0.4]),
    "dirichlet": (Dirichlet(3), (), [2.0, 0.6, 3.0]),
    "dirichlet, at the borders": (Dirichlet(3), (), [-1.0, -0.5, 1.0]),
}


@pytest.fixture(params=CASES)
def case(request):
    head, params, outputs = CASES[request.param]
    return head, head.inputs(params, jnp.array(outputs), 0.5)


def simplex_grid(half_width=60.0, n=481):
    """Logarithms of the points (s, (1 - s) t, (1 - s) (1 - t)), s and t logistic, and the area that each stands for."""
    x, y = np.meshgrid(*[np.linspace(-half_width, half_width, n)] * 2, indexing="ij")
    log_s, log_1_s, log_t, log_1_t = (-np.logaddexp(0, -z) for z in (x, -x, y, -y))
    log_a = np.stack([log_s, log_1_s + log_t, log_1_s + log_1_t], axis=-1).reshape(-1, 3)
    log_area = (log_s + 2 * log_1_s + log_t + log_1_t).ravel() + 2 * np.log(2 * half_width / (n - 1))
    return log_a, log_area


LOG_A, LOG_AREA = simplex_grid()


def raw_at(head, log_a):
    """A raw action whose shares these are."""
    if isinstance(head, LogisticNormal):
        return jnp.asarray(log_a[:, :-1] - log_a[:, -1:], jnp.float32)
    shift = 1.5 if isinstance(head, SoftmaxNormal) else 0.0  # no constant may matter
    return jnp.asarray(log_a + shift, jnp.float32)


@partial(jax.jit, static_argnums=0)
def draws(head, inputs):
    return jax.vmap(head.sample, in_axes=(0, None))(jax.random.split(jax.random.key(1), N_DRAWS), inputs)


def test_the_density_on_the_simplex_integrates_to_one_and_samples_follow_it(case):
    head, inputs = case
    raw = raw_at(head, LOG_A)
    np.testing.assert_allclose(head.to_action(raw), np.exp(LOG_A), atol=1e-5)
    weight = np.exp(np.asarray(head.action_log_prob(inputs, raw), np.float64) + LOG_AREA)
    assert weight.sum() == pytest.approx(1, abs=2e-4)
    actions = np.asarray(head.to_action(draws(head, inputs)), np.float64)
    for smooth in (lambda a: a, lambda a: a**2, lambda a: np.sin(8 * a), lambda a: a * a[:, [1, 2, 0]]):
        here = smooth(np.exp(LOG_A))
        mean = weight @ here
        tolerance = 5 * np.sqrt((weight @ here**2 - mean**2) / N_DRAWS)
        assert (np.abs(smooth(actions).mean(axis=0) - mean) < tolerance).all()
    assert jax.vmap(Simplex(3).contains)(jnp.asarray(actions, jnp.float32)).all()
    np.testing.assert_allclose(head.summary(draws(head, inputs))["mean"], actions.mean(axis=0), atol=1e-5)


def test_the_entropy_is_the_mean_surprise(case):
    head, inputs = case
    surprise = -np.asarray(head.log_prob(inputs, draws(head, inputs)), np.float64)
    assert surprise.mean() == pytest.approx(float(head.entropy(inputs)), abs=5 * surprise.std() / np.sqrt(N_DRAWS))


def test_both_densities_move_the_policy_alike(case):
    """The density that the learner uses and the one on the simplex have one policy gradient, which draws estimate."""
    head, inputs = case
    raw = draws(head, inputs)
    reward = head.to_action(raw) @ jnp.array([1.0, -2.0, 0.5])

    def scores(log_prob):
        by_draw = jax.jit(jax.vmap(jax.grad(log_prob), in_axes=(None, 0)))(inputs, raw)
        parts = jax.tree.leaves(jax.tree.map(lambda s: s * (reward - reward.mean())[:, None], by_draw))
        return np.concatenate(parts, axis=1).astype(np.float64)

    used, exact = scores(head.log_prob), scores(head.action_log_prob)
    error = 5 * (used - exact).std(axis=0) / np.sqrt(N_DRAWS) + 1e-5
    assert (np.abs((used - exact).mean(axis=0)) <= error).all()
    assert np.abs(exact.mean(axis=0)).max() > 0.05, "there is something to compare"


@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("head", [LogisticNormal(3), SoftmaxNormal(3), Dirichlet(3)], ids=lambda h: type(h).__name__)
def test_gradients_are_finite_wherever_the_network_goes(head, size):
    signs = jnp.array([[1, 1, 1], [-1, -1, -1], [1, -1, 1], [-1, 1, -1]], jnp.float32)[:, : len(head.bias)]
    outputs = size * signs

    def total(outputs, raw):
        inputs = head.inputs((), outputs, 1.0)
        return jnp.sum(head.log_prob(inputs, raw) + head.action_log_prob(inputs, raw) + head.entropy(inputs))

    inputs = head.inputs((), outputs, 1.0)
    raw = jnp.stack([head.mode(inputs), head.sample(jax.random.key(3), inputs)])
    value, slope = jax.jit(jax.vmap(jax.value_and_grad(total), in_axes=(None, 0)))(outputs, raw)
    assert np.isfinite(value).all() and np.isfinite(slope).all()
    assert jax.vmap(jax.vmap(Simplex(3).contains))(head.to_action(raw)).all()


def test_a_head_starts_where_its_configuration_says_and_means_what_it_plays():
    start = {
        LogisticNormalConfig(initial_mean=(1.0, -1.0)): np.exp([1, -1, 0]) / np.exp([1, -1, 0]).sum(),
        SoftmaxNormalConfig(initial_mean=(1.0, -1.0, 0.5)): np.exp([1, -1, 0.5]) / np.exp([1, -1, 0.5]).sum(),
        DirichletConfig(initial_concentrations=(1.0, 1.0, 10.0)): np.array([1, 1, 10]) / 12,
    }
    for config, want in start.items():
        head = head_on("simplex", 3, config)
        inputs = head.inputs(head.init(), jnp.array(head.bias), 0.0)
        np.testing.assert_allclose(head.to_action(head.mode(inputs)), want, rtol=1e-5)
    assert head_on("simplex", 3, DirichletConfig()) == Dirichlet(3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (SoftmaxNormalConfig(initial_mean=(0.0, 0.0)), "initial_mean has 2 numbers; the action needs 3"),
        (DirichletConfig(initial_concentrations=(1.0,)), "initial_concentrations has 1 numbers; the action needs 3"),
    ],
)
def test_wrong_numbers_of_initial_values_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        head_on("simplex", 3, config)


def test_impossible_widths_and_concentrations_are_refused():
    with pytest.raises(ValueError, match=r"initial_std: 0\.0 is out of range"):
        SoftmaxNormalConfig(initial_std=0.0)
    with pytest.raises(ValueError, match=r"initial_concentrations\[\d\]: .* is out of range; choose 0\.001"):
        DirichletConfig(initial_concentrations=(1.0, 0.0))
