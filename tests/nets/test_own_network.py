"""The recipe of CONTRIBUTING for a network: a configuration, a function to `NetFns`, one line; then everything knows it by its kind."""

from dataclasses import dataclass
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.config import build
from lobjax.errors import InputError
from lobjax.nets import NETS, LogisticNormal, NetConfig, NetFns, NetSpec, make_net, register_net
from lobjax.ranges import Range, check


@dataclass(frozen=True, kw_only=True)
class Learner:
    """What has a network among its choices, as a training configuration does."""

    net: NetConfig


@dataclass(frozen=True, kw_only=True)
class LinearConfig:
    """One layer for the policy and one for the value."""

    kind: Literal["own_linear"] = "own_linear"
    scale: Annotated[float, Range(1e-3, 10.0)] = 0.1

    def __post_init__(self) -> None:
        check(self)


def make_linear(config: LinearConfig, observation_size: int, outputs: int, bias: tuple[float, ...]) -> NetFns:
    def init(key):
        kernel = config.scale * jax.random.normal(key, (observation_size, outputs + 1), jnp.float32)
        return {"kernel": kernel, "bias": jnp.asarray([*bias, 0.0], jnp.float32)}

    def read(params, observation):
        found = observation @ params["kernel"] + params["bias"]
        return found[..., :-1], found[..., -1]

    def step(params, carry, observation, reset):
        del reset
        return carry, read(params, observation)

    def sequence(params, carry, observation, reset):
        del carry, reset
        return read(params, observation)

    return NetFns(init, lambda batch: (), step, sequence)


@pytest.fixture(scope="module")
def registered():
    register_net(NetSpec(config=LinearConfig, make=make_linear))
    yield
    NETS._entries.pop("own_linear")


def test_a_network_of_ones_own_is_configured_built_and_the_same_both_ways(registered):
    config = build(Learner, {"net": {"kind": "own_linear", "scale": 0.5}}).net
    assert config == LinearConfig(scale=0.5)
    net = make_net(config, 5, LogisticNormal(4))
    params = net.init(jax.random.key(0))
    observation, reset = np.random.default_rng(0).normal(size=(7, 6, 5)).astype(np.float32), np.zeros((7, 6), bool)
    carry, whole = net.initial_carry(6), None
    whole = net.sequence(params, carry, observation, reset)
    for t in range(7):
        carry, stepped = net.step(params, carry, observation[t], reset[t])
        np.testing.assert_allclose(stepped[0], whole[0][t], atol=1e-6)
        np.testing.assert_allclose(stepped[1], whole[1][t], atol=1e-6)
    with pytest.raises(InputError, match="'own_liner' is not known; did you mean 'own_linear'"):
        build(Learner, {"net": {"kind": "own_liner"}})
    with pytest.raises(InputError, match=r"scale: 100\.0 is out of range"):
        build(Learner, {"net": {"kind": "own_linear", "scale": 100.0}})
    with pytest.raises(InputError, match="registered already"):
        register_net(NetSpec(config=LinearConfig, make=lambda *arguments: make_linear(*arguments)))
