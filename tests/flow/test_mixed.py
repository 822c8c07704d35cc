"""A mixed flow is, in each episode, one of its flows to the bit."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.clock import from_seconds, plus
from lobjax.config import build
from lobjax.errors import InputError
from lobjax.flow import (
    MixedConfig,
    MixedFlow,
    PoissonConfig,
    PoissonFlow,
    StrategicConfig,
    StrategicFlow,
    TacticalConfig,
)
from lobjax.flow.mixed import mixed_params, numbers_of
from lobjax.market import Fees, Limits, Market, MarketParams, MarketState, Orders
from lobjax.tasks import EnvConfig
from lobjax.types import Message
from tests.market.test_host import assert_equal

FLOWS = (
    PoissonConfig(),
    PoissonConfig(tactical=TacticalConfig()),
    PoissonConfig(tactical=TacticalConfig(), strategic=StrategicConfig()),
)
CAPACITY, MARKETS = 64, 48


def played(flow, numbers, key) -> MarketState:
    """A market without agents, half a minute on."""
    zeros = jnp.zeros((2,), jnp.int32)
    time = from_seconds(0.0)
    delay = jax.tree.map(lambda word: jnp.stack([word] * 2), time)
    params = MarketParams(numbers, Fees(zeros, zeros), delay, delay, Limits(zeros, zeros, zeros))
    market = Market(flow=flow, capacity=CAPACITY, max_messages=512, queue_places=1)
    state = market.open(key, params)
    nothing = Message(*[jnp.zeros((1,), jnp.int32)] * 6)
    return market.step(key, state, Orders(nothing, nothing), plus(state.now, from_seconds(30.0)), params)


def test_each_episode_is_one_of_its_flows_to_the_bit():
    params = mixed_params(FLOWS, CAPACITY)
    keys = jax.random.split(jax.random.key(0), MARKETS)
    mixed = jax.jit(jax.vmap(partial(played, MixedFlow(), params)))(keys)
    which = np.asarray(mixed.flow.which)
    assert sorted(set(which.tolist())) == [0, 1, 2]
    one = StrategicFlow(PoissonFlow())
    alone = jax.jit(jax.vmap(lambda key, which: played(one, numbers_of(params, which), key)))(keys, mixed.flow.which)
    assert_equal(mixed.replace(flow=mixed.flow.one), alone)


def test_traders_that_a_flow_lacks_have_no_effect():
    params = mixed_params(FLOWS, CAPACITY)
    keys = jax.random.split(jax.random.key(1), 256)
    one = StrategicFlow(PoissonFlow())
    market = jax.jit(jax.vmap(lambda key, which: played(one, numbers_of(params, which), key)))
    plain = jax.jit(jax.vmap(partial(played, PoissonFlow(), PoissonFlow().params(FLOWS[0], CAPACITY))))(keys)
    filled = market(keys, jnp.zeros(256, jnp.int32))
    lots = [np.asarray(state.tape.market_lots.sum(1), float) for state in (plain, filled)]
    events = [np.asarray(state.tape.messages, float) for state in (plain, filled)]
    for a, b in (lots, events):
        assert abs(a.mean() - b.mean()) < 4 * np.sqrt((a.var() + b.var()) / 256)
    assert int((filled.book.owner == -2).sum()) == 0
    traded = market(keys, jnp.full(256, 2, jnp.int32))
    assert int((traded.book.owner == -2).sum()) > 0


def test_flows_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="flows must have the same warm_up_s"):
        MixedConfig(flows=(PoissonConfig(), PoissonConfig(warm_up_s=3.0)))
    with pytest.raises(InputError, match=r"env.flow.flows: 0 values; give 1 to 64"):
        build(EnvConfig, {"flow": {"kind": "mixed", "flows": []}}, "env")
