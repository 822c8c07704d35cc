"""The market-making task worked by hand: quotes, places kept, inventory, the end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import volume_at
from lobjax.env.base import AGENT
from lobjax.flow import PoissonConfig
from lobjax.tasks import EnvConfig, MakingConfig, MarketConfig, make
from lobjax.types import Side
from lobjax.wide import to_int

# Bid 1000, ask 1003: room to improve by one tick.
OPENING = {"opening_lots": (10, 10), "spread_ticks": 3, "warm_up_s": 0.0}
STILL = PoissonConfig(limit_per_s=(0.0,), cancel_per_lot_s=(0.0,), market_per_s=0.0, **OPENING)
TASK = MakingConfig(
    quote_lots=3, inventory_limit_lots=6, decisions=3, step_s=1.0, offsets_ticks=(-1, 0, 1), inventory_penalty=0.0
)
IMPROVE, JOIN, BEHIND, NONE = range(4)


def environment(flow=STILL, fees=(0, 0), **task):
    import dataclasses

    market = MarketConfig(capacity=32, max_messages=64, maker_fee_milliticks=fees[0], taker_fee_milliticks=fees[1])
    return make(EnvConfig(task=dataclasses.replace(TASK, **task), flow=flow, market=market))


def play(env, *actions):
    transition = jax.jit(env.transition)
    _, state = jax.jit(env.reset)(jax.random.key(0), env.default_params)
    steps = []
    for t, action in enumerate(actions):
        steps.append(transition(jax.random.key(t), state, jnp.asarray(action, jnp.int32), env.default_params))
        state = steps[-1][1]
    return steps


def own(state, side, *prices):
    return volume_at(state.market.book, side, jnp.asarray(prices), AGENT).tolist()


def test_quotes_stand_where_the_action_says():
    env = environment()
    state = play(env, (IMPROVE, BEHIND))[-1][1]
    assert own(state, Side.BID, 1001, 1000, 999) == [3, 0, 0] and own(state, Side.ASK, 1002, 1003, 1004) == [0, 0, 3]
    state = play(env, (NONE, JOIN))[-1][1]
    assert own(state, Side.BID, 1001, 1000, 999) == [0, 0, 0] and own(state, Side.ASK, 1003) == [3]


def test_a_quote_that_stays_keeps_its_order_and_one_that_moves_is_replaced():
    env = environment()
    states = [step[1] for step in play(env, (JOIN, JOIN), (JOIN, IMPROVE))]
    ids = [
        set(np.asarray(s.market.book.order_id)[np.asarray((s.market.book.owner == AGENT) & (s.market.book.size > 0))])
        for s in states
    ]
    assert len(ids[0] & ids[1]) == 1
    assert own(states[1], Side.BID, 1000) == [3] and own(states[1], Side.ASK, 1002, 1003) == [3, 0]


def test_no_trade_no_profit_and_doing_nothing_is_not_rewarded():
    env = environment()
    steps = play(env, (NONE, NONE), (NONE, NONE), (NONE, NONE))
    assert [float(step[2]) for step in steps] == [0.0, 0.0, 0.0]
    assert bool(steps[-1][3])


def test_profit_is_cash_plus_inventory_less_fees_and_the_end_is_flat():
    flow = PoissonConfig(
        limit_per_s=(0.0,), cancel_per_lot_s=(0.0,), market_per_s=4.0, **{**OPENING, "opening_lots": (60, 60)}
    )
    env = environment(flow, (-500, 1000))
    steps = play(env, (IMPROVE, IMPROVE), (IMPROVE, IMPROVE), (IMPROVE, IMPROVE))
    state, info = steps[-1][1], steps[-1][5]
    accounts = state.market.accounts
    assert int(accounts.lots[AGENT]) == 0 and int(accounts.maker_lots[AGENT]) > 0
    profit = to_int(accounts.cash)[AGENT] - to_int(accounts.fees)[AGENT] / 1000
    assert float(info["profit_ticks"]) == pytest.approx(profit)
    assert sum(float(step[2]) for step in steps) == pytest.approx(profit / 3, rel=1e-5)
    fees = -500 * int(accounts.maker_lots[AGENT]) + 1000 * int(accounts.taker_lots[AGENT])
    assert int(to_int(accounts.fees)[AGENT]) == fees


def test_inventory_never_passes_its_limit():
    flow = PoissonConfig(
        limit_per_s=(0.1,), cancel_per_lot_s=(0.0,), market_per_s=3.0, **{**OPENING, "opening_lots": (60, 60)}
    )
    env = environment(flow, decisions=20)
    steps = play(env, *[(IMPROVE, NONE)] * 19)
    inventory = [int(step[1].market.accounts.lots[AGENT]) for step in steps]
    assert max(inventory) == 6 and int(steps[-1][5]["peak_inventory_lots"]) == 6


def test_inventory_is_penalised():
    flow = PoissonConfig(
        limit_per_s=(0.0,), cancel_per_lot_s=(0.0,), market_per_s=3.0, **{**OPENING, "opening_lots": (60, 60)}
    )
    free, dear = (play(environment(flow, inventory_penalty=p), (IMPROVE, NONE))[-1] for p in (0.0, 0.3))
    held = int(free[1].market.accounts.lots[AGENT])
    assert held > 0 and float(free[2]) - float(dear[2]) == pytest.approx(0.3 * held**2 / 3, rel=1e-5)


def test_a_quoter_that_improves_does_not_outbid_itself():
    env = environment()
    states = [step[1] for step in play(env, (IMPROVE, IMPROVE), (IMPROVE, IMPROVE))]
    assert [own(s, Side.BID, 1001, 1002) for s in states] == [[3, 0], [3, 0]]
