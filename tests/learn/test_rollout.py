"""Rollouts: how episodes end and go on, and that an environment's randomness is its own."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.learn.rollout import PolicyState, collect, start
from lobjax.nets.statistics import unit_statistics
from tests.learn.runs import configuration, parts


@lru_cache
def program(length, bank_size):
    """A rollout program for every probe with two choices, at fixed random parameters."""
    config = configuration("constant", length=length, bank_size=bank_size)
    env, net, head = parts(config)
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(net.init, jax.random.key(0))
    params = {"net": jax.tree.map(lambda x: jnp.asarray(rng.normal(0, 0.4, x.shape), jnp.float32), shapes), "head": ()}
    policy = PolicyState(params, unit_statistics(2), jnp.float32(0))
    first = jax.jit(lambda constants, n: start(env, constants, net, jax.random.key(0), n), static_argnums=1)
    go = jax.jit(lambda local, constants, update: collect(config, env, constants, net, head, policy, local, update))

    def value(observations):
        return net.step(policy.params["net"], (), jnp.asarray(observations), jnp.ones(len(observations), bool))[1][1]

    return first, go, value


def played(probe, n_envs=4, length=8, bank_size=2, rollouts=1):
    env, _, _ = parts(configuration(probe))
    first, go, value = program(length, bank_size)
    local, results = first(env.default_params, n_envs), []
    for update in range(rollouts):
        local, *rest = go(local, env.default_params, jnp.int32(update))
        results.append(rest)
    return results, value


def test_episodes_that_are_cut_are_told_from_those_that_end():
    [[cut, sums]], _ = played("truncated")
    assert cut.truncated[:, 0].tolist() == [False, False, True] * 2 + [False, False]
    assert cut.reset[:, 0].tolist() == [True, False, False] * 2 + [True, False]
    assert not cut.terminated.any()
    assert sums["count"] == 8 and sums["episode_length"] == 24 and sums["episode_return"] == 24
    assert sums["refused"] == 16
    [[ended, _]], _ = played("delayed")
    assert ended.terminated[:, 0].tolist() == [False, True] * 4
    assert not ended.truncated.any()


def test_a_cut_episode_is_valued_by_its_final_observation_not_by_the_next_first_one():
    """Observations of an episode are 0, 1 and, after it was cut, 2; the next begins at 0."""
    [[trajectory, _]], value = played("cut")
    values = value([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    np.testing.assert_allclose(trajectory.value[:, 0], np.tile(values[:2], 4), atol=1e-5)
    np.testing.assert_allclose(trajectory.next_value[:, 0], np.tile(values[1:], 4), atol=1e-5)


def test_episodes_go_on_from_the_bank_and_meet_its_starts_again():
    """One-step episodes with a hidden sign: after the first, the starts of the bank take turns."""
    [[trajectory, _], [again, _]], _ = played("observed", n_envs=32, length=7, rollouts=2)
    signs = np.asarray(trajectory.observation[:, :, 0])
    assert (signs[1::2] == signs[1]).all() and (signs[2::2] == signs[2]).all()
    assert (signs[1] != signs[2]).any()
    assert (np.asarray(again.observation[1:, :, 0]) != signs[1:]).any(), "a new rollout fills the bank anew"


def test_environments_differ_and_do_not_know_their_neighbours():
    """The first 4 of 8 environments play as 4 alone do."""
    [[many, _]], _ = played("recall", n_envs=8)
    [[few, _]], _ = played("recall", n_envs=4)
    for name in ("observation", "reward", "terminated", "reset", "raw_action"):
        np.testing.assert_array_equal(getattr(many, name)[:, :4], getattr(few, name))
    assert len(np.unique(np.asarray(many.raw_action[:, :, 0]), axis=1).T) > 4
