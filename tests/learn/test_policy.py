"""The saved agent: it acts as the trained one, and refuses what it was not trained for."""

import dataclasses
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.env.spaces import Simplex
from lobjax.errors import InputError
from lobjax.learn import checkpoint
from lobjax.learn.config import config_from
from lobjax.learn.learner import assemble
from lobjax.learn.runfolder import RunFolder
from lobjax.nets import make_net
from lobjax.nets.statistics import normalise
from lobjax.policy import load_policy, make_head, save_policy
from tests.learn.probes import TASKS, ProbeConfig, make

SIMPLEX = make(ProbeConfig(probe="simplex"))


def test_the_saved_agent_acts_as_the_trained_one(finished_run):
    config = config_from(RunFolder(finished_run).about()["config"], TASKS.env_config)
    last = checkpoint.complete(finished_run / "checkpoints")[-1]
    template = jax.eval_shape(assemble(config, SIMPLEX).init, jax.random.key(0), SIMPLEX.default_params)
    shared = checkpoint.restore(last, template, "simplex").shared
    policy, head = load_policy(finished_run), make_head(Simplex(3), None)
    policy.check(SIMPLEX)
    observation = jnp.array([[1.0, 0.0], [-1.0, 0.0]])
    carry, action = jax.jit(policy.act)(jax.random.key(0), policy.initial_carry(2), observation, jnp.ones(2, bool))
    net = make_net(config.net, 2, head)
    _, (outputs, _) = jax.jit(net.step)(
        shared.params["net"], net.initial_carry(2), normalise(shared.statistics, observation), jnp.ones(2, bool)
    )
    np.testing.assert_allclose(action, head.to_action(outputs), atol=1e-6)
    assert carry.position == 1
    sampled = dataclasses.replace(policy, deterministic=False)
    draws = [sampled.act(jax.random.key(i), policy.initial_carry(2), observation, jnp.ones(2, bool))[1] for i in (0, 1)]
    assert np.abs(draws[0] - draws[1]).max() > 1e-3


def test_an_agent_is_saved_to_the_bit(finished_run, tmp_path):
    policy = load_policy(finished_run)
    save_policy(tmp_path, policy.params, policy.statistics, policy.config)
    assert load_policy(tmp_path).config == policy.config
    assert (tmp_path / "policy.npz").read_bytes() == (finished_run / "policy.npz").read_bytes()


def test_another_task_or_size_is_refused(finished_run):
    policy = load_policy(finished_run)
    with pytest.raises(InputError, match="trained for the task 'simplex', not 'recall'"):
        policy.check(make(ProbeConfig(probe="recall")))
    with pytest.raises(InputError, match="reads 2 numbers, 'simplex' gives 3"):
        policy.check(dataclasses.replace(SIMPLEX, observation_size=3))
    with pytest.raises(InputError, match=r"acts in Simplex\(n=3\), 'simplex' wants Simplex\(n=4\)"):
        policy.check(dataclasses.replace(SIMPLEX, action_space=Simplex(4)))


def test_missing_and_torn_agents_are_refused(finished_run, tmp_path):
    with pytest.raises(InputError, match="no saved agent there"):
        load_policy(tmp_path)
    whole = (finished_run / "policy.npz").read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 10):
        (tmp_path / "policy.npz").write_bytes(whole[:size])
        with pytest.raises(InputError, match="save it again"):
            load_policy(tmp_path)
    with np.load(finished_run / "policy.npz") as archive:
        arrays = dict(archive)
    arrays.pop("statistics.mean")
    np.savez(tmp_path / "policy.npz", **arrays)
    with pytest.raises(InputError, match="do not fit its configuration"):
        load_policy(tmp_path)
    shutil.rmtree(tmp_path)
