"""Learning probes: each has a known answer and catches one class of bug; and a task that only a network with memory solves.

The five probes are Jones's ("Debugging RL, without the agonizing pain", 2021), as rejax and others run them, under both algorithms.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.learn.algorithm import ActorCriticConfig
from lobjax.nets import DirichletConfig, GRUConfig, LogisticNormalConfig, TransformerConfig
from lobjax.nets.statistics import normalise
from tests.learn.probes import AIM
from tests.learn.runs import SMALL, configuration, parts, train

# One gradient step an update where PPO takes eight: more updates, at a higher rate.
ACTOR_CRITIC = {"algorithm": ActorCriticConfig(learning_rate=0.01, discount=0.9), "n_updates": 150}
ALGORITHMS = {"ppo": {}, "actor_critic": ACTOR_CRITIC}
both = pytest.mark.parametrize("algorithm", ALGORITHMS)


def values_of(config, state, observations):
    _, net, _ = parts(config)
    seen = normalise(state.shared.statistics, jnp.asarray(observations, jnp.float32))
    return jax.jit(net.step)(state.shared.params["net"], (), seen, jnp.ones(len(seen), bool))[1][1]


@both
@pytest.mark.parametrize(
    ("probe", "observations", "values"),
    [
        ("constant", [[0, 0]], [1]),
        ("observed", [[-1, 0], [1, 0]], [-1, 1]),
        ("delayed", [[0, 0], [1, 0]], [0.9, 1]),
        ("truncated", [[0, 0]], [10]),  # 1 / (1 - 0.9)
    ],
)
def test_values_are_learnt(algorithm, probe, observations, values):
    """Probes 1 to 3, in the order in which to read failures, and one of truncation.

    constant (always 1): the value loss, its gradient, the optimiser. observed (a sign, paid at once): the observation reaches the network
    and is normalised, and targets stay with their observations. delayed (paid a step after nothing): discounting, bootstrapping, the
    order of time. truncated (1 a step, cut after three): a cut episode goes on through its final observation, it does not end there.
    """
    config = configuration(probe, **ALGORITHMS[algorithm])
    state, _ = train(config)
    np.testing.assert_allclose(values_of(config, state, observations), values, atol=0.05, rtol=0.005)


@both
@pytest.mark.parametrize("probe", ["action", "contextual"])
def test_actions_are_learnt(algorithm, probe):
    """Probes 4 and 5, on top of the values of 1 to 3.

    action (one of two pays): the sign of the surrogate and of the advantage, log-probabilities of the actions that were played. contextual
    (the one that matches a sign pays): advantages stay with their observation and action through batching and shuffling.
    """
    _, report = train(configuration(probe, **ALGORITHMS[algorithm]))
    assert report["scalars"]["episode/return"] > 0.97


def test_a_point_of_the_simplex_is_learnt():
    _, report = train(configuration("simplex"))
    np.testing.assert_allclose(report["vectors"]["action/mean"], AIM, atol=0.06)


@pytest.mark.parametrize("head", [LogisticNormalConfig(), DirichletConfig()], ids=lambda h: h.kind)
def test_actor_critic_learns_a_point_of_the_simplex(head):
    """At the end the actor plays around what is best, with the deviation of its schedule or the concentrations that it has found."""
    _, report = train(configuration("simplex", head=head, **ACTOR_CRITIC))
    np.testing.assert_allclose(report["vectors"]["action/mean"], AIM, atol=0.06)
    assert report["scalars"]["gradient/steps"] == 1


def recalled(net):
    return train(configuration("recall", net=net))[1]["scalars"]["episode/return"]


@pytest.mark.parametrize(
    "memory",
    [TransformerConfig(layers=1, width=32, heads=2, window=4), GRUConfig(width=32)],
    ids=lambda config: config.kind,
)
def test_memory_recalls(memory):
    """The cue of the first step pays in the fourth."""
    assert recalled(memory) > 0.95


def test_without_memory_recall_is_chance():
    assert 0.3 < recalled(SMALL) < 0.7
