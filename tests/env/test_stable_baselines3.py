"""Stable-Baselines3's own learners and wrappers over our environments."""

import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import A2C, PPO, SAC
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor, VecNormalize

from lobjax.env.gymnasium import programs_of_config
from lobjax.env.stable_baselines3 import LobjaxVecEnv, make_vec
from lobjax.errors import InputError
from lobjax.flow import PoissonConfig
from lobjax.tasks import EnvConfig, MarketConfig
from tests.env.environments import TASKS
from tests.env.gymnasium_probes import compiled_quickly, single, vector

N = 4


@pytest.fixture(scope="module")
def config():
    """The configuration of a market maker; its programs stay compiled for this module."""
    market = MarketConfig(capacity=64, max_messages=96)
    made = EnvConfig(task=TASKS["market_making"], flow=PoissonConfig(warm_up_s=4.0), market=market)
    with compiled_quickly():
        programs = programs_of_config(made)
    yield made
    assert programs_of_config(made) is programs


def probe(name, n=N, **keywords):
    return LobjaxVecEnv(vector(name, n, **keywords))


def learner(kind, envs, **keywords):
    return kind("MlpPolicy", envs, policy_kwargs={"net_arch": [16]}, device="cpu", seed=0, **keywords)


def test_ppo_learns_from_a_market_and_comes_back(config, tmp_path):
    envs = VecNormalize(VecMonitor(VecCheckNan(make_vec(config, N), raise_exception=True)))
    agent = learner(PPO, envs, n_steps=16, batch_size=32, n_epochs=1).learn(200)
    assert len(agent.ep_info_buffer) >= 200 // (4 * N) and {info["l"] for info in agent.ep_info_buffer} == {4}
    agent.save(tmp_path / "agent")
    envs.save(tmp_path / "scales")
    fresh = VecNormalize.load(tmp_path / "scales", make_vec(config, N))
    again = PPO.load(tmp_path / "agent", env=fresh, device="cpu")
    observation = fresh.reset()
    action, _ = again.predict(observation, deterministic=True)
    assert np.array_equal(action, agent.predict(observation, deterministic=True)[0])
    assert action.shape == (N, 2) and fresh.step(action)[0].shape == observation.shape


def test_ppo_finds_what_pays():
    """`contextual` pays 1 for the choice that matches what is seen, half of the time by chance."""
    envs = VecMonitor(probe("contextual", 16))
    agent = learner(PPO, envs, n_steps=16, batch_size=64, learning_rate=0.02, gamma=0.0)
    before, _ = evaluate_policy(agent, envs, 64, deterministic=True)
    agent.learn(3_000)
    after, _ = evaluate_policy(agent, envs, 64, deterministic=True)
    assert before < 0.8 and after > 0.95


@pytest.mark.parametrize("kind", [PPO, A2C, SAC])
def test_learners_of_shares(kind, tmp_path):
    keywords = (
        {"learning_starts": 16, "batch_size": 8, "buffer_size": 1000}
        if kind is SAC
        else {"n_steps": 8, **({"batch_size": 16} if kind is PPO else {})}
    )
    agent = learner(kind, probe("simplex"), **keywords).learn(64)
    agent.save(tmp_path / "agent")
    envs = probe("simplex")
    action, _ = kind.load(tmp_path / "agent", env=envs, device="cpu").predict(envs.reset())
    assert action.shape == (N, 3) and envs.action_space.contains(action[0])
    assert (envs.step(action)[1] <= 0).all()


@pytest.mark.parametrize(("name", "cut"), [("delayed", False), ("cut", True)])
def test_the_ends_of_episodes(name, cut):
    envs = VecMonitor(probe(name))
    envs.seed(1)
    first = envs.reset()
    nothing = np.zeros((N, 1), int)
    _, _, done, infos = envs.step(nothing)
    assert not done.any() and not any("terminal_observation" in info or info["TimeLimit.truncated"] for info in infos)
    observation, reward, done, infos = envs.step(nothing)
    assert done.all() and reward.tolist() == [1.0] * N and observation.tolist() == first.tolist()
    for info in infos:
        assert info["terminal_observation"].tolist() == [2.0, 0.0] and info["TimeLimit.truncated"] is cut
        assert info["episode_length"] == info["episode"]["l"] == 2 and type(info["episode_return"]) is float
    assert not any("terminal_observation" in info for info in envs.step(nothing)[3])


def test_seeds_are_those_of_single_environments():
    envs, seen = probe("observed"), []
    assert list(envs.seed(7)) == [7, 8, 9, 10]
    for _ in range(2):
        seen.append([envs.reset().tolist(), envs.reset().tolist()])
        envs.seed(np.int64(7))
    assert seen[0] == seen[1] and seen[0][0] == [single("observed").reset(seed=7 + i)[0].tolist() for i in range(N)]
    assert make_vec(None, 2, task="execution", seed=3)._seeds == [3, 4]


def test_attributes_and_methods(config):
    envs = make_vec(config, N, render_mode="rgb_array")
    envs.reset()
    assert envs.get_attr("render_mode") == ["rgb_array"] * N and envs.get_attr("index", [1, 3]) == [1, 3]
    assert (
        envs.get_attr("action_space")[0] == envs.action_space
        and envs.has_attr("unwrapped")
        and not envs.has_attr("foo")
    )
    envs.set_attr("stage", 5, indices=2)
    assert envs.get_attr("stage", 2) == [5] and not envs.has_attr("stage")
    assert envs.env_method("has_wrapper_attr", "stage") == [False, False, True, False]
    assert envs.env_is_wrapped(Monitor, indices=[0, 1]) == [False, False]
    images = envs.get_images()
    assert len(images) == N and np.array_equal(envs.env_method("render", indices=1)[0], images[1])
    assert envs.render().shape == (720, 960, 3)
    with pytest.raises(InputError, match="'render_mode' is the same for all"):
        envs.set_attr("render_mode", None)
    with pytest.raises(AttributeError, match="did you mean 'render'"):
        envs.env_method("rendr")
    with pytest.warns(UserWarning, match="images need rgb_array"):
        assert probe("observed").get_images() == [None] * N
    stepped = envs.step(np.zeros((N, 2), int))[0]
    observation, _ = envs.env_method("reset", seed=3, indices=2)[0]
    assert not np.array_equal(observation, stepped[2])


def test_wrong_calls_are_refused_in_a_line(config):
    envs = probe("observed")
    envs.reset()
    for call, words in (
        (envs.step_wait, "call step_async first"),
        (lambda: envs.step(np.zeros((N, 2), int)), r"actions have shape \(4, 2\)"),
        (lambda: LobjaxVecEnv(vector("observed", N, autoreset_mode="NextStep")), "needs SameStep"),
        (lambda: (envs.set_options({"start": 3}), envs.reset()), r"\['start'\] are not known"),
        (lambda: make_vec(config, 0), "n_envs: 0"),
        (lambda: make_vec("no.yaml", 2), "no.yaml"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)
    envs.close()
    envs.close()
    with pytest.raises(gymnasium.error.ClosedEnvironmentError):
        envs.reset()


def test_copies_go_on_alike():
    envs = probe("recall")
    envs.seed(0)
    envs.reset()
    envs.step(np.ones((N, 1), int))
    twin = pickle.loads(pickle.dumps(envs))
    for _ in range(5):
        for a, b in zip(envs.step(np.ones((N, 1), int)), twin.step(np.ones((N, 1), int)), strict=True):
            assert str(a) == str(b)


def test_single_environments_under_its_own_means():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "We recommend you to use a symmetric")  # shares are from 0 to 1
        for name in ("contextual", "simplex", "cut"):
            check_env(single(name))
    envs = make_vec_env(lambda: single("contextual"), 2, seed=0)
    learner(PPO, envs, n_steps=8, batch_size=16, n_epochs=1).learn(16)
