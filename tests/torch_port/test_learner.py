"""The torch learner against the Flax one: same rollouts, same update, for every option of both algorithms."""

import jax
import pytest

from lobjax.learn import devices
from lobjax.learn.algorithm import ActorCriticConfig, PPOConfig
from lobjax.learn.learner import make_learner
from lobjax.learn.torch.group import Group, group
from lobjax.learn.torch.learner import make_torch_learner
from lobjax.nets import LogisticNormalConfig, TransformerConfig
from tests.learn.runs import configuration, parts
from tests.torch_port.both import distance

NET = TransformerConfig(layers=1, width=16, heads=2, window=6)
EVERYTHING = PPOConfig(
    learning_rate=1e-3, schedule="linear", epochs=3, minibatches=2, value_clip=0.1, entropy_coefficient=0.01, target_kl=3e-4,
    max_gradient_norm=0.1,
)  # fmt: skip
CASES = {
    "ppo": (
        "simplex",
        {
            "algorithm": EVERYTHING,
            "head": LogisticNormalConfig(std="learned", initial_std=0.5),
            "normalise_rewards": True,
        },
    ),
    "actor-critic, episodes cut short": (
        "cut",
        {"algorithm": ActorCriticConfig(max_gradient_norm=0.5), "bank_size": 1},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_two_updates_are_those_of_flax(name):
    probe, settings = CASES[name]
    config = configuration(probe, n_envs=8, length=7, n_updates=3, net=NET, **settings)
    env, net, head = parts(config)
    learner = make_learner(config, env, net, head)
    state = jax.jit(learner.init)(jax.random.key(config.seed), env.default_params)
    update = devices.compile_update(learner.make_update, state, env.default_params, 1)
    with group("cpu") as alone:
        assert alone.size == 1
        theirs = make_torch_learner(config, env, head, alone)
        own = theirs.init()
        for _ in range(2):
            state, report = update(state, env.default_params)
            said = theirs.update(own)
            wanted = jax.device_get(report)
            assert not said.broken and said.scalars.keys() == wanted["scalars"].keys()
            for key, value in said.scalars.items():
                assert value == pytest.approx(float(wanted["scalars"][key]), rel=2e-3, abs=2e-4), key
            for key, value in said.vectors.items():
                assert value == pytest.approx(wanted["vectors"][key], abs=1e-4), key
    if name == "ppo":
        assert own.returns is not None
        assert distance(own.returns.variance, state.shared.returns.variance) < 1e-5
        assert distance(own.local.returned, state.local.returned) < 1e-5
        assert said.scalars["gradient/steps"] < 6, "target_kl stops some steps"
        assert distance(own.agent.head.log_std, state.shared.params["head"]["log_std"]) < 1e-4
    start = jax.device_get(jax.jit(learner.init)(jax.random.key(config.seed), env.default_params).shared.params["net"])
    for (path, a), b, c in zip(
        jax.tree_util.tree_leaves_with_path(own.agent.to_params()["net"]),
        jax.tree.leaves(jax.device_get(state.shared.params["net"])),
        jax.tree.leaves(start),
        strict=True,
    ):
        assert distance(a - c, b - c) < 2e-2, jax.tree_util.keystr(path)  # of what changed, after Adam's first steps
        assert distance(a, b) < 1e-4 or abs(b).max() < 1e-2
    assert distance(own.statistics.mean, state.shared.statistics.mean) < 1e-5
    assert distance(own.cache.keys[0], state.local.carry.keys[0]) < 1e-4
    assert (jax.random.key_data(own.local.key) == jax.random.key_data(state.local.key)).all()


def test_a_number_that_is_not_finite_is_named():
    config = configuration("broken", n_envs=2, length=11, n_updates=1, net=NET)
    env, _, head = parts(config)
    with group("cpu") as alone:
        learner = make_torch_learner(config, env, head, alone)
        assert learner.update(learner.init()).broken[0] == "reward"


def test_environments_divide_over_processes():
    assert Group(1, 2, None).part(8) == slice(4, 8)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="8 does not divide over 3 processes"):
        Group(0, 3, None).part(8)  # type: ignore[arg-type]
