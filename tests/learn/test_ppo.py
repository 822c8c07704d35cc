"""The update: which environments meet in a minibatch, when it stops, and what it leaves alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.learn.checkpoint import digest
from lobjax.learn.config import PPOConfig
from lobjax.learn.ppo import learning_rate, minibatch_indices
from lobjax.nets import TransformerConfig
from tests.learn.runs import configuration, train


def test_every_epoch_uses_every_environment_once():
    chosen = minibatch_indices(jax.random.key(0), jnp.arange(24), epochs=3, minibatches=4)
    assert chosen.shape == (12, 6)
    for epoch in np.asarray(chosen).reshape(3, 24):
        assert sorted(epoch) == list(range(24))
    assert (chosen[0] != chosen[4]).any(), "epochs are shuffled anew"


def test_minibatches_are_the_same_sets_on_any_number_of_devices():
    index = jnp.arange(24)
    whole = np.asarray(minibatch_indices(jax.random.key(1), index, 2, 4))
    parts = [np.asarray(minibatch_indices(jax.random.key(1), half, 2, 4)) for half in (index[:12], index[12:])]
    for minibatch in range(8):
        together = {*parts[0][minibatch], *(parts[1][minibatch] + 12)}
        assert together == set(whole[minibatch])


SUDDEN = {"target_kl": 1e-3, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def stopped():
    return train(configuration("contextual", **SUDDEN), n_updates=6)


def test_divergence_stops_the_steps_of_an_update(stopped):
    _, report = stopped
    assert 1 <= report["scalars"]["gradient/steps"] < 8
    assert report["scalars"]["policy/kl"] <= 1e-3


def test_the_first_step_of_an_update_starts_on_policy():
    """With one step an update, old and new log-probabilities are the same: no divergence, nothing clipped."""
    net = TransformerConfig(layers=1, width=16, heads=2, window=4)
    config = configuration("recall", n_envs=8, epochs=1, minibatches=1, net=net, value_clip=0.2, schedule="linear")
    _, report = train(config, n_updates=3)
    assert report["scalars"]["policy/kl"] < 1e-9
    assert report["scalars"]["policy/clip_fraction"] == 0
    assert report["scalars"]["learning_rate"] == pytest.approx(3e-3 * (1 - 2 / 59), rel=1e-5)


def test_the_learning_rate_follows_its_schedule():
    linear = PPOConfig(learning_rate=0.1, schedule="linear")
    assert [float(learning_rate(linear, jnp.float32(p))) for p in (0, 0.5, 1)] == pytest.approx([0.1, 0.05, 0])
    assert float(learning_rate(PPOConfig(learning_rate=0.1), jnp.float32(0.7))) == pytest.approx(0.1)


def test_same_seed_same_state_and_another_seed_another(stopped):
    state, _ = stopped
    again, _ = train(configuration("contextual", **SUDDEN), n_updates=6)
    other, _ = train(configuration("contextual", **SUDDEN, seed=1), n_updates=6)
    assert digest(state) == digest(again) != digest(other)
