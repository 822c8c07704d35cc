"""Learning probes: each has a known answer and catches one class of bug; and a memory that only the Transformer has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.nets import DirichletConfig, LogisticNormalConfig, TransformerConfig
from lobjax.nets.statistics import normalise
from tests.train.probes import AIM
from tests.train.runs import configuration, parts, train
from train.algorithm import ActorCriticConfig


def values_of(config, state, observations):
    _, net, _ = parts(config)
    seen = normalise(state.shared.statistics, jnp.asarray(observations, jnp.float32))
    return jax.jit(net.step)(state.shared.params["net"], (), seen, jnp.ones(len(seen), bool))[1][1]


@pytest.mark.parametrize(
    ("probe", "observations", "values"),
    [
        ("constant", [[0, 0]], [1]),  # the value loss and its optimiser
        ("observed", [[-1, 0], [1, 0]], [-1, 1]),  # the value sees the observation
        ("delayed", [[0, 0], [1, 0]], [0.9, 1]),  # discounting, and what comes later
        ("truncated", [[0, 0]], [10]),  # 1 / (1 - 0.9): a cut episode bootstraps through its final observation
    ],
)
def test_values_are_learnt(probe, observations, values):
    config = configuration(probe)
    state, _ = train(config)
    np.testing.assert_allclose(values_of(config, state, observations), values, atol=0.05)


@pytest.mark.parametrize("probe", ["action", "contextual"])
def test_actions_are_learnt(probe):
    """The advantage reaches the policy; and does so for the observation it belongs to."""
    _, report = train(configuration(probe))
    assert report["scalars"]["episode/return"] > 0.97


def test_a_point_of_the_simplex_is_learnt():
    _, report = train(configuration("simplex"))
    np.testing.assert_allclose(report["vectors"]["action/mean"], AIM, atol=0.06)


# One gradient step an update where PPO takes eight: more updates, at a higher rate.
ACTOR_CRITIC = {"algorithm": ActorCriticConfig(learning_rate=0.01, discount=0.9), "n_updates": 150}


def test_actor_critic_learns_values_through_cut_episodes():
    config = configuration("truncated", **ACTOR_CRITIC)
    state, _ = train(config)
    np.testing.assert_allclose(values_of(config, state, [[0, 0]]), [10], atol=0.1)


def test_actor_critic_learns_actions():
    _, report = train(configuration("contextual", **ACTOR_CRITIC))
    assert report["scalars"]["episode/return"] > 0.97


@pytest.mark.parametrize("head", [LogisticNormalConfig(), DirichletConfig()], ids=lambda h: h.kind)
def test_actor_critic_learns_a_point_of_the_simplex(head):
    """At the end the actor plays around what is best, with the deviation of its schedule or the concentrations that it has found."""
    _, report = train(configuration("simplex", head=head, **ACTOR_CRITIC))
    np.testing.assert_allclose(report["vectors"]["action/mean"], AIM, atol=0.06)
    assert report["scalars"]["gradient/steps"] == 1


def test_only_memory_recalls():
    """The cue of the first step pays in the fourth: a Transformer learns it, an MLP cannot do better than chance."""
    memory = TransformerConfig(layers=1, width=32, heads=2, window=4)
    _, without = train(configuration("recall"))
    _, with_memory = train(configuration("recall", net=memory))
    assert with_memory["scalars"]["episode/return"] > 0.95
    assert without["scalars"]["episode/return"] < 0.7
