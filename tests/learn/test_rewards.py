"""Reward normalisation: returns by hand, their statistics over rollouts, and what learning sees of them."""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.learn import learner, rewards
from lobjax.learn.checkpoint import to_arrays
from lobjax.learn.rollout import Local, Trajectory
from tests.learn.runs import configuration, parts, train

RNG = np.random.default_rng(0)


def by_hand(reward, done, discount):
    """Discounted returns [T, B], one number at a time."""
    returns, so_far = np.zeros_like(reward), np.zeros(reward.shape[1])
    for t in range(len(reward)):
        so_far = discount * so_far + reward[t]
        returns[t] = so_far
        so_far = np.where(done[t], 0.0, so_far)
    return returns


def test_returns_end_with_their_episodes_and_go_on_over_rollouts():
    reward, done = RNG.normal(size=(12, 3)), RNG.random((12, 3)) < 0.3
    so_far, found = jnp.zeros(3), []
    for part in (slice(0, 5), slice(5, 12)):
        so_far, returns = rewards.discounted(so_far, jnp.asarray(reward[part]), jnp.asarray(done[part]), 0.9)
        found.append(np.asarray(returns))
    np.testing.assert_allclose(np.concatenate(found), by_hand(reward, done, 0.9), rtol=1e-5, atol=1e-6)


def test_scaled_rewards_keep_sign_and_order_and_are_bounded():
    statistics = rewards.unit_scale().replace(mean=jnp.float32(50), variance=jnp.float32(4))
    scaled = rewards.scaled(statistics, jnp.array([-1.0, 0.0, 3.0, 1e6]))
    np.testing.assert_allclose(scaled, [-0.5, 0.0, 1.5, 10.0], rtol=1e-5)


def rollout_of(reward, done):
    """A trajectory that holds rewards and endings; the rest is not read."""
    return Trajectory(
        *[None] * 6, reward=jnp.asarray(reward), terminated=jnp.asarray(done), truncated=jnp.zeros_like(done)
    )


def test_an_update_learns_from_rewards_over_the_deviation_of_all_returns_so_far():
    """Two rollouts; the second goes on within the episodes of the first, and its scale knows the returns of both."""
    config = configuration("constant", n_envs=3, length=6, n_updates=2, minibatches=1, normalise_rewards=True)
    reward, done = RNG.normal(2, 5, size=(12, 3)).astype(np.float32), RNG.random((12, 3)) < 0.3
    local, statistics = Local(*[None] * 6, returned=jnp.zeros(3)), rewards.unit_scale()
    for part in (slice(0, 6), slice(6, 12)):
        played = rollout_of(reward[part], done[part])
        local, statistics, seen = learner._rewards(config, local, statistics, played, None)
    returns = by_hand(reward, done, config.algorithm.discount)
    assert float(statistics.count) == 36
    np.testing.assert_allclose(statistics.variance, returns.var(), rtol=1e-5)
    np.testing.assert_allclose(seen, np.clip(reward[6:] / returns.std(), -10, 10), rtol=1e-4)


def test_training_keeps_the_statistics_in_its_state():
    """Three steps that pay 1 at discount 0.9: returns are 1, 1.9 and 2.71."""
    config = configuration("truncated", n_envs=8, length=6, normalise_rewards=True, compile="quick")
    state, report = train(config, n_updates=3)
    np.testing.assert_allclose(state.shared.returns.variance, np.var([1, 1.9, 2.71]), rtol=1e-4)
    np.testing.assert_allclose(report["scalars"]["rollout/return_deviation"], np.std([1, 1.9, 2.71]), rtol=1e-4)
    np.testing.assert_array_equal(state.local.returned, 0)
    assert {"shared.returns.variance", "local.returned"} <= to_arrays(state).keys()
    assert report["scalars"]["rollout/reward"] == 1, "metrics show what the environment pays"


def test_without_it_nothing_is_kept():
    config = configuration("truncated")
    env, net, head = parts(config)
    state = jax.eval_shape(learner.make_learner(config, env, net, head).init, jax.random.key(0), env.default_params)
    assert state.shared.returns is None and state.local.returned is None
