"""The plain actor-critic: one update against gradients written by hand, and the configuration that names it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.config import to_dict
from lobjax.learn import devices, evaluate, rollout
from lobjax.learn.algorithm import ActorCriticConfig
from lobjax.learn.config import config_from
from lobjax.learn.learner import make_learner
from lobjax.learn.runfolder import RunFolder
from lobjax.nets import LogisticNormalConfig, MLPConfig
from tests.learn.conftest import QUICK, command
from tests.learn.probes import TASKS
from tests.learn.runs import configuration, parts

PAPER = {
    "env": {"probe": "simplex"},
    "net": {"kind": "mlp", "hidden": [128, 128], "output_scale": 1e-5},
    "head": {"kind": "logistic_normal", "initial_std": 1.0, "final_std": 0.32, "initial_mean": [-1.0, 1.0]},
    "algorithm": {"kind": "actor_critic"},
    "n_envs": 128,
    "rollout_length": 100,
    "total_steps": 5_120_000,
    "bank_size": 16,
    "normalise_observations": False,
}


def layers(params):
    """(weights, bias) of both layers of a perceptron, in double precision."""
    return [tuple(np.asarray(params[f"Dense_{i}"][x], np.float64) for x in ("kernel", "bias")) for i in (0, 1)]


def forward(params, x):
    (w, b), (v, c) = layers(params)
    hidden = np.tanh(x @ w + b)
    return hidden, hidden @ v + c


def backward(params, x, hidden, slope):
    """Gradients of the layers where `slope` [N, outputs] is that of the outputs."""
    (_, _), (v, _) = layers(params)
    inner = slope @ v.T * (1 - hidden**2)
    return {
        "Dense_0": {"kernel": x.T @ inner, "bias": inner.sum(axis=0)},
        "Dense_1": {"kernel": hidden.T @ slope, "bias": slope.sum(axis=0)},
    }


def returns_of(played):
    """Undiscounted sums of what is left of each episode, [T, B], and at the end of the rollout the value of what comes."""
    left, reward = np.asarray(played.next_value[-1], np.float64), np.asarray(played.reward, np.float64)
    result = np.zeros(reward.shape)
    for t in reversed(range(len(reward))):
        left = reward[t] + np.where(played.terminated[t], 0.0, left)
        result[t] = left
    return result


def gradients_by_hand(params, played, std):
    """Those of -mean(A log pi) + 0.5 * mean(0.5 (V - R)^2), A = R - V normalised, pi a normal of fixed width."""
    x = np.asarray(played.observation, np.float64).reshape(-1, 2)
    raw = np.asarray(played.raw_action, np.float64).reshape(-1, 2)
    returns, value = returns_of(played).ravel(), np.asarray(played.value, np.float64).ravel()
    advantage = returns - value
    advantage = (advantage - advantage.mean()) / advantage.std()
    hidden, mean = forward(params["actor"], x)
    actor = backward(params["actor"], x, hidden, -(advantage / len(x))[:, None] * (raw - mean) / std**2)
    hidden, again = forward(params["critic"], x)
    np.testing.assert_allclose(again[:, 0], value, atol=1e-5)
    critic = backward(params["critic"], x, hidden, 0.5 * (value - returns)[:, None] / len(x))
    return {"actor": actor, "critic": critic}


def test_an_update_is_the_gradient_written_by_hand():
    """Two updates of Adam on a batch of 4 x 5 steps whose episodes of 3 end within it and at its end are cut."""
    config = configuration(
        "simplex",
        n_envs=4,
        length=5,
        n_updates=3,
        net=MLPConfig(hidden=(4,), output_scale=1.0),
        head=LogisticNormalConfig(initial_std=0.9, final_std=0.5),
        algorithm=ActorCriticConfig(learning_rate=0.1),
        normalise_observations=False,
    )
    env, net, head = parts(config)
    learner = make_learner(config, env, net, head)
    state = jax.jit(learner.init)(jax.random.key(3), env.default_params)
    update = devices.compile_update(learner.make_update, state, env.default_params, 1)

    @jax.jit
    def play(state):
        progress = state.shared.update / 2
        policy = rollout.PolicyState(state.shared.params, state.shared.statistics, progress)
        return rollout.collect(config, env, env.default_params, net, head, policy, state.local, state.shared.update)[1]

    first = second = jax.tree.map(np.zeros_like, state.shared.params["net"])
    for i, std in enumerate((0.9, 0.7), start=1):
        played, params = jax.device_get(play(state)), jax.device_get(state.shared.params["net"])
        assert played.terminated.any() and not played.terminated[-1].all()
        gradient = gradients_by_hand(params, played, std)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, second, gradient)
        state, report = update(state, env.default_params)

        def moved(p, m, v, i=i):
            return p - 0.1 * (m / (1 - 0.9**i)) / (np.sqrt(v / (1 - 0.999**i)) + 1e-5)

        want = jax.tree.map(moved, params, first, second)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), state.shared.params["net"], want)
        norm = np.sqrt(sum((g**2).sum() for g in jax.tree.leaves(gradient)))
        assert float(report["scalars"]["gradient/norm"]) == pytest.approx(norm, rel=1e-4)


def test_the_papers_learner_is_one_section():
    config = config_from(PAPER, TASKS.env_config)
    assert config.batch_size == 12_800 and config.n_updates == 400
    assert to_dict(config.algorithm) == {
        "kind": "actor_critic",
        "discount": 1.0,
        "trace_decay": 1.0,
        "value_coefficient": 0.5,
        "entropy_coefficient": 0.0,
        "normalise_advantages": True,
        "learning_rate": 5e-4,
        "schedule": "constant",
        "max_gradient_norm": None,
        "optimiser": {"kind": "adam", "epsilon": 1e-5},
    }
    _, net, head = parts(config)
    params = net.init(jax.random.key(0))
    for tower, scale in (("actor", 1e-5), ("critic", 1.0)):
        kernels = [np.asarray(params[tower][f"Dense_{i}"]["kernel"], np.float64) for i in range(3)]
        for kernel, gain in zip(kernels, (np.sqrt(2), np.sqrt(2), scale), strict=True):
            short = kernel if kernel.shape[0] < kernel.shape[1] else kernel.T
            np.testing.assert_allclose(short @ short.T / gain**2, np.eye(len(short)), atol=1e-5)
        assert all((np.asarray(params[tower][f"Dense_{i}"]["bias"]) == 0).all() for i in (0, 1))
    observation = jax.random.normal(jax.random.key(1), (5, 2))
    _, (outputs, _) = net.step(params, (), observation, jnp.ones(5, bool))
    np.testing.assert_allclose(outputs, np.tile([-1.0, 1.0], (5, 1)), atol=1e-3)
    assert [float(jnp.exp(head.inputs((), outputs, p).log_std[0, 0])) for p in (0, 1)] == pytest.approx([1, 0.32])


def test_an_algorithm_without_a_kind_is_ppo():
    assert (
        config_from({"env": {"probe": "simplex"}, "algorithm": {"epochs": 2}}, TASKS.env_config).algorithm.kind == "ppo"
    )


def test_a_run_of_it_saves_and_resumes(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(QUICK.replace("{learning_rate: 3e-3, epochs: 1, minibatches: 2}", "{kind: actor_critic}"))
    settings = [
        "total_steps=192",
        "net={kind: mlp, hidden: [8]}",
        "head={kind: dirichlet}",
        "evaluation.actions=sampled",
    ]
    command("run", path, "--out", tmp_path / "run", "--set", *settings)
    agent = (tmp_path / "run" / "policy.npz").read_bytes()
    (tmp_path / "run" / "policy.npz").unlink()
    command("resume", tmp_path / "run")
    assert (tmp_path / "run" / "policy.npz").read_bytes() == agent
    folder = RunFolder(tmp_path / "run")
    config = config_from(folder.about()["config"], TASKS.env_config)
    assert config.algorithm == ActorCriticConfig()
    assert not evaluate.agent_of(folder, config).deterministic


def test_agents_are_evaluated_at_their_mode_unless_told_otherwise(finished_run):
    folder = RunFolder(finished_run)
    assert evaluate.agent_of(folder, config_from(folder.about()["config"], TASKS.env_config)).deterministic
