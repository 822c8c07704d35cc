"""Each optimiser takes the step that its paper says, from the default on."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lobjax.learn.algorithm import PPOConfig
from lobjax.learn.optimiser import AdamConfig, AdamWConfig, SGDConfig, direction
from lobjax.learn.ppo import make_optimiser

PARAMS, GRADIENT = {"w": jnp.array([2.0, -1.0])}, {"w": jnp.array([0.3, -0.2])}


def first_step(config):
    optimiser = direction(config)
    return np.asarray(optimiser.update(GRADIENT, optimiser.init(PARAMS), PARAMS)[0]["w"])


def test_first_steps_by_hand():
    adam = np.array([0.3 / (0.3 + 1e-5), -0.2 / (0.2 + 1e-5)])  # unbiased moments of one gradient are it and its square
    np.testing.assert_allclose(first_step(AdamConfig()), adam, rtol=1e-5)
    np.testing.assert_allclose(first_step(AdamWConfig(weight_decay=0.1)), adam + 0.1 * np.array([2, -1]), rtol=1e-5)
    np.testing.assert_allclose(first_step(SGDConfig()), [0.3, -0.2])


def test_momentum_adds_up():
    optimiser = direction(SGDConfig(momentum=0.5))
    state = optimiser.init(PARAMS)
    for expected in (1.0, 1.5, 1.75):
        step, state = optimiser.update(GRADIENT, state, PARAMS)
        np.testing.assert_allclose(step["w"], expected * GRADIENT["w"], rtol=1e-6)


def test_the_default_is_adam_with_clipping():
    state = make_optimiser(PPOConfig()).init(PARAMS)
    assert isinstance(state[1], optax.ScaleByAdamState)
    large = {"w": jnp.array([30.0, 40.0])}
    step, _ = make_optimiser(PPOConfig(optimiser=SGDConfig())).update(
        large, make_optimiser(PPOConfig(optimiser=SGDConfig())).init(PARAMS)
    )
    np.testing.assert_allclose(step["w"], [0.3, 0.4], rtol=1e-5)


@pytest.mark.parametrize(
    "make", [lambda: SGDConfig(momentum=1.0), lambda: AdamConfig(epsilon=0), lambda: AdamWConfig(weight_decay=-1)]
)
def test_numbers_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="out of range; choose"):
        make()
