"""Steps that end after a number of the flow's messages, worked by hand, and in an environment."""

import dataclasses

import jax
import numpy as np
import pytest

from lobjax.book import best_prices
from lobjax.errors import InputError
from lobjax.flow import PoissonConfig
from lobjax.kinds import Kind
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig, make
from lobjax.types import AGENT_ID_BASE, Side
from tests.compiling import quick_jit
from tests.env.environments import trajectory
from tests.market.scripted import SCRIPT, market_of, play

FAR = 1e9
SECONDS = (0.5, 1.0, 1.0, 2.25)
ROWS = [(at, (Kind.LIMIT, Side.BID, 100 + k, 3, 1 + k, 0)) for k, at in enumerate(SECONDS)]


@pytest.fixture(params=["xla", "host", "kernel"])
def two_a_step(request):
    market, params, _ = market_of(ROWS, step_messages=2)
    market = dataclasses.replace(market, engine=request.param)
    return market, params, market.open(jax.random.key(0), params)


def now(state) -> float:
    return float(state.now.s) + float(state.now.ns) * 1e-9


def test_a_step_ends_as_its_last_message_arrives_even_between_two_of_one_instant(two_a_step):
    market, params, state = two_a_step
    state = play(market, params, state, FAR)
    assert now(state) == 1.0 and int(state.tape.messages) == 2 and best_prices(state.book)[0] == 101
    # At that instant the agent comes before the flow, and its messages do not count.
    state = play(market, params, state, FAR, [(Kind.LIMIT, Side.ASK, 102, 3, AGENT_ID_BASE, 1)])
    assert now(state) == 2.25 and int(state.tape.messages) == 3
    assert state.accounts.lots.tolist() == [3, -3] and int(state.late) == 0


def test_closing_orders_come_at_the_moment_that_the_step_ended(two_a_step):
    market, params, state = two_a_step
    state = play(market, params, state, FAR)
    params = params.replace(limits=params.limits._replace(target=params.limits.target - 2))
    state = play(market, params, state, FAR, closing=[(Kind.MARKET, Side.ASK, 0, 9, 0, 1)])
    assert state.accounts.lots.tolist() == [2, -2]
    assert int(state.accounts.lot_ms.low[1]) == 2 * 2250


def test_a_record_that_runs_out_leaves_the_clock_at_its_last_message(two_a_step):
    market, params, state = two_a_step
    for _ in range(SCRIPT // 2 + 1):
        state = play(market, params, state, FAR)
    assert now(state) == 1e6 and int(state.tape.messages) == 0 and int(state.late) == 0


def test_until_still_ends_a_step_and_the_bound_is_counted(two_a_step):
    market, params, state = two_a_step
    assert now(play(market, params, state, 0.75)) == 0.5
    bound = dataclasses.replace(market, max_messages=1)
    state = play(bound, params, state, FAR)
    assert int(state.late) == 1 and int(state.tape.messages) == 1


def test_an_environment_sees_as_many_messages_a_step_as_it_says():
    task = ExecutionConfig(lots=12, decisions=3, step_messages=20)
    market = MarketConfig(capacity=64, max_messages=64, engine="host")
    env = make(EnvConfig(task=task, flow=PoissonConfig(warm_up_s=4.0), market=market))
    state, rows = trajectory(env, 2, 2)
    assert all(info["late"].sum() == 0 for *_, info in rows[1:])
    # All of the flow's, and the agent's own.
    assert (np.asarray(state.market.tape.messages) >= 20).all() and (np.asarray(state.market.tape.messages) < 40).all()


def test_what_does_not_go_with_counted_steps_is_refused():
    task = ExecutionConfig(step_messages=100)
    with pytest.raises(
        InputError, match="128 are too few for 100 messages of the flow and 32 in flight; set it to 132"
    ):
        make(EnvConfig(task=task))
    with pytest.raises(InputError, match="may be shorter than any delay; set feed_delay_ns and order_delay_ns to 0"):
        make(EnvConfig(task=task, market=MarketConfig(max_messages=256, order_delay_ns=1)))
    with pytest.raises(ValueError, match="step_messages: -1 is out of range"):
        ExecutionConfig(step_messages=-1)


@pytest.mark.slow
def test_two_engines_agree_on_a_whole_episode_of_counted_steps():
    results = []
    for engine in ("xla", "host"):
        task = ExecutionConfig(lots=12, decisions=3, step_messages=7)
        market = MarketConfig(capacity=64, max_messages=64, engine=engine)
        env = make(EnvConfig(task=task, flow=PoissonConfig(warm_up_s=4.0), market=market))
        results.append(trajectory(env, 2, 4, jit=quick_jit)[1])
    jax.tree.map(np.testing.assert_array_equal, *results)
