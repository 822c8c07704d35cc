"""The Gymnasium adapter: its contract, the same numbers as our own loop, and an agent that knows nothing of JAX and learns here."""

import functools
from dataclasses import dataclass

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.utils import env_checker
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from lobjax.env.gymnasium import LobjaxVectorEnv, make_vec, shares
from lobjax.errors import InputError
from lobjax.tasks import EnvConfig, MakingConfig
from tests.env.environments import simulated
from tests.env.gymnasium_probes import probe

N = 3


@functools.cache
def market() -> LobjaxVectorEnv:
    """One for all tests: a reset begins everything anew."""
    return LobjaxVectorEnv(simulated("market_making"), N)


def test_spaces_and_types():
    envs = market()
    observation, infos = envs.reset(seed=0)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP and infos == {}
    assert envs.single_observation_space.shape == (envs.env.observation_size,) and envs.single_action_space.shape == (
        2,
    )
    assert envs.observation_space.contains(observation) and observation.flags.writeable
    env_checker.check_action_space(envs.single_action_space)
    env_checker.check_observation_space(envs.single_observation_space)
    env_checker.check_reset_return_type(envs)
    env_checker.check_reset_options(envs)
    env_checker.check_reset_seed_determinism(envs)
    observation, reward, terminated, truncated, _ = envs.step(envs.action_space.sample())
    assert envs.observation_space.contains(observation)
    assert reward.shape == (N,) and reward.dtype == np.float32
    assert terminated.dtype == truncated.dtype == bool and terminated.shape == truncated.shape == (N,)


def test_steps_are_those_of_our_own_loop_to_the_bit():
    envs, env, seed = market(), market().env, 7
    reset, step = jax.jit(jax.vmap(env.reset, in_axes=(0, None))), jax.jit(jax.vmap(env.step, in_axes=(0, 0, 0, None)))

    def keys(t):
        return jax.vmap(lambda i: jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), i), t))(np.arange(N))

    ours, state = reset(keys(0), env.default_params)
    theirs, _ = envs.reset(seed=seed)
    assert np.array_equal(ours, theirs)
    rng = np.random.default_rng(0)
    for t in range(1, 2 * env.decisions + 2):  # past the end of two episodes
        actions = rng.integers(0, env.action_space.nvec, (N, 2))
        ours, state, reward, terminated, truncated, info = step(keys(t), state, actions, env.default_params)
        observation, *rest, infos = envs.step(actions)
        assert np.array_equal(ours, observation)
        assert all(np.array_equal(a, b) for a, b in zip((reward, terminated, truncated), rest, strict=True))
        assert np.array_equal(info["profit_ticks"], infos["profit_ticks"])
        done = np.asarray(terminated)
        assert ("final_obs" in infos) == done.any() == (t % env.decisions == 0)
        if done.any():
            assert infos["_final_obs"].all() and not infos["_profit_ticks"].any()
            assert np.array_equal(np.stack(infos["final_obs"]), info["final_observation"])
            assert np.array_equal(infos["final_info"]["episode_return"], info["episode_return"])
            assert not np.array_equal(np.stack(infos["final_obs"]), observation)


def test_seeds():
    envs = probe("observed")
    first, _ = envs.reset(seed=3)
    again, _ = envs.reset()  # goes on from the generator that the seed set, as Gymnasium's own environments do
    assert not np.array_equal(first, again)
    assert np.array_equal(envs.reset(seed=3)[0], first) and np.array_equal(envs.reset()[0], again)
    assert not np.array_equal(envs.reset(seed=4)[0], first)


def test_truncation_is_told_apart_from_termination():
    for name, ends in (("cut", (False, True)), ("delayed", (True, False))):
        envs = probe(name)
        envs.reset(seed=0)
        envs.step(np.zeros((16, 1), int))
        *_, terminated, truncated, infos = envs.step(np.zeros((16, 1), int))
        assert (terminated.all(), truncated.all()) == ends
        assert [tuple(last) for last in infos["final_obs"]] == [
            (2.0, 0.0)
        ] * 16  # the clock at the end, not at the new start


def test_gymnasiums_own_wrappers_read_the_infos():
    envs = DictInfoToList(RecordEpisodeStatistics(probe("simplex")))
    envs.reset(seed=1)
    envs.action_space.seed(1)
    for _ in range(3):
        *_, infos = envs.step(envs.action_space.sample())
    assert len(infos) == 16
    for info in infos:
        assert info["episode"]["l"] == 3 and info["episode"]["r"] == pytest.approx(info["final_info"]["episode_return"])


def test_shares_are_made_points_of_the_simplex():
    point = np.array([[0.6, 0.3, 0.1]], np.float32)  # what the probe wants
    assert np.array_equal(shares(point), point), "a point stays to the bit"
    assert np.allclose(shares(np.array([[1, 1, 2], [0, 0, 0]], np.float32)), [[0.25, 0.25, 0.5], [1 / 3] * 3])
    rewards = [
        probe("simplex").reset(seed=0) and probe("simplex").step(np.tile(a, (16, 1)))[1] for a in (point, 5 * point)
    ]
    assert np.allclose(rewards[0], 0, atol=1e-6) and np.allclose(rewards[0], rewards[1], atol=1e-6)


def test_what_is_no_action_is_refused():
    envs = probe("contextual")
    with pytest.raises(gymnasium.error.ResetNeeded):
        LobjaxVectorEnv(envs.env, 2).step(np.zeros((2, 1), int))
    envs.reset(seed=0)
    for actions, message in (
        (np.zeros((3, 1), int), r"actions have shape \(3, 1\); expected \(16, 1\)"),
        (np.full((16, 1), 2), "out of range"),
        (np.zeros((16, 1)), "expected integers"),
    ):
        with pytest.raises(ValueError, match=message):
            envs.step(actions)
    probe("simplex").reset(seed=0)
    with pytest.raises(ValueError, match="must be finite and not negative"):
        probe("simplex").step(np.full((16, 3), -1.0))
    with pytest.raises(InputError, match=r"options \['masks'\] are not known"):
        envs.reset(options={"masks": 1})


def test_environments_are_made_from_configurations(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("env: {task: {kind: market_making, decisions: 9}, flow: {kind: poisson, warm_up_s: 0}}\n")
    envs = gymnasium.make_vec("lobjax.env.gymnasium:lobjax/Market-v0", num_envs=2, config=path)
    assert envs.num_envs == 2 and envs.unwrapped.env.decisions == 9
    assert make_vec(path, 2, ("env.task.decisions=8",)).env.decisions == 8
    assert make_vec(EnvConfig(task=MakingConfig(decisions=7)), 2).env.decisions == 7
    for change, message in (
        (("env.task.decision=8",), "did you mean 'decisions'"),
        (("env.task=8",), "config.env.task"),
    ):
        with pytest.raises(InputError, match=message):
            make_vec(path, 2, change)
    (tmp_path / "empty.yaml").write_text("task: {}\n")
    with pytest.raises(InputError, match="no section 'env'"):
        make_vec(tmp_path / "empty.yaml", 2)
    with pytest.raises(InputError, match="n_envs: 0"):
        make_vec(path, 0)


@dataclass
class Reinforce:
    """A linear softmax policy and the score-function gradient, in NumPy: what another library's agent is to this one."""

    weights: np.ndarray
    rng: np.random.Generator

    def act(self, observation):
        logits = observation @ self.weights
        self.p = np.exp(logits - logits.max(1, keepdims=True))
        self.p /= self.p.sum(1, keepdims=True)
        return (self.rng.random((len(self.p), 1)) < self.p[:, 1:]).astype(int)

    def learn(self, observation, action, reward):
        hot = np.eye(2)[action[:, 0]]
        self.weights += observation.T @ ((reward - reward.mean())[:, None] * (hot - self.p)) / len(reward)


def test_an_agent_of_another_library_learns():
    envs = RecordEpisodeStatistics(probe("contextual"))
    agent = Reinforce(np.zeros((2, 2)), np.random.default_rng(0))
    observation, _ = envs.reset(seed=0)
    returns = []
    for _ in range(60):
        action = agent.act(observation)
        following, reward, terminated, _, infos = envs.step(action)
        agent.learn(observation, action, reward)
        returns.append(infos["episode"]["r"][terminated].mean())
        observation = following
    assert np.mean(returns[:5]) < 0.8 and np.mean(returns[-5:]) > 0.97
