"""The execution task worked by hand: lots, places in the queue, rewards, the deadline."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import volume_at
from lobjax.env.base import AGENT
from lobjax.flow import PoissonConfig
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig, make
from lobjax.types import Side
from lobjax.wide import to_int

# A market where nothing happens but what the agent does: bid 1000 and ask 1001, ten lots a level.
STILL = PoissonConfig(
    limit_per_s=(0.0,), cancel_per_lot_s=(0.0,), market_per_s=0.0, opening_lots=(10, 10, 10), warm_up_s=0.0
)


def environment(side="sell", fees=0, **task):
    task = ExecutionConfig(**{"side": side, "lots": 8, "decisions": 3, "step_s": 1.0, **task})
    return make(
        EnvConfig(task=task, flow=STILL, market=MarketConfig(capacity=16, max_messages=16, taker_fee_milliticks=fees))
    )


def played(env, *actions):
    """Play actions of shares; returns states and steps."""
    transition = jax.jit(env.transition)
    observation, state = jax.jit(env.reset)(jax.random.key(0), env.default_params)
    steps = [(observation, state, 0.0, False, False, {})]
    for action in actions:
        steps.append(transition(jax.random.key(1), steps[-1][1], jnp.asarray(action, jnp.float32), env.default_params))
    return steps


def share(env, **parts):
    """An action from named shares: market, l1.., the rest waits."""
    action = np.zeros(env.action_space.n)
    action[0] = parts.pop("market", 0)
    for name, value in parts.items():
        action[int(name[1:])] = value
    action[-1] = 1 - action.sum()
    return action


@pytest.mark.parametrize(
    ("side", "fee", "reward"), [("sell", 0, 0.0), ("buy", 0, 0.0), ("sell", 500, -0.5), ("buy", -250, 0.25)]
)
def test_a_market_order_within_the_best_level_costs_the_fee_only(side, fee, reward):
    env = environment(side, fee)
    _, state, got, terminated, truncated, info = played(env, share(env, market=1.0))[-1]
    assert int(state.market.accounts.lots[AGENT]) == (-8 if side == "sell" else 8)
    assert float(got) == pytest.approx(reward) and bool(terminated) and not bool(truncated)
    assert float(info["shortfall_ticks"]) == pytest.approx(0.5 - reward)  # half the spread, and the fee
    assert (
        float(info["fill_rate"]) == 1.0 and float(info["time_to_fill_s"]) == 0.0 and float(info["maker_share"]) == 0.0
    )


def test_walking_the_book_is_paid_for():
    env = environment(lots=15)
    *_, info = played(env, share(env, market=1.0))[-1]
    assert float(info["episode_return"]) == pytest.approx(-5 / 15)  # ten lots at 1000, five at 999


def test_shares_are_rounded_half_to_even_in_order_and_the_rest_waits():
    env = environment(lots=5)
    _, state, *_ = played(env, share(env, l1=0.5, l2=0.3))[-1]
    prices = jnp.arange(1001, 1006)
    assert volume_at(state.market.book, Side.ASK, prices, AGENT).tolist() == [2, 2, 0, 0, 0]  # 2.5 -> 2, 1.5 -> 2


def test_orders_that_stay_wanted_keep_their_place_and_the_newest_go_first():
    env = environment(lots=8)
    first = share(env, l1=0.5)  # 4 lots behind the 10 of the opening book
    steps = played(env, first, share(env, l1=0.75), share(env, l1=0.25))
    ids = []
    for _, state, *_ in steps[1:3]:
        book = state.market.book
        mine = np.asarray(book.owner[Side.ASK]) == AGENT
        live = mine & (np.asarray(book.size[Side.ASK]) > 0)
        ids.append(np.asarray(book.order_id[Side.ASK])[live].tolist())
    assert ids[1][0] == ids[0][0] and len(ids[1]) == 2  # six wanted: the four stay, two are added behind
    # The last decision keeps two lots of the oldest order; then the deadline sells everything at market.
    _, state, reward, terminated, _, info = steps[-1]
    assert bool(terminated) and int(state.market.accounts.lots[AGENT]) == -8
    assert float(info["fill_rate"]) == 0.0 and int(state.task.liquidated) == 8
    assert float(info["time_to_fill_s"]) == pytest.approx(3.0)
    assert float(reward) == 0.0  # all eight at 1000, the best bid at arrival


def test_what_the_book_cannot_take_is_valued_at_the_last_price_and_counted():
    env = environment(lots=40)
    wait = share(env)
    _, state, reward, terminated, _, info = played(env, wait, wait, wait)[-1]
    assert int(state.market.accounts.lots[AGENT]) == -30 and float(info["stuck_lots"]) == 10
    assert float(reward) == pytest.approx((10 * 0 + 10 * -1 + 10 * -2 + 10 * -2) / 40)
    assert bool(terminated)


def test_the_agent_can_never_sell_what_it_no_longer_has():
    env = make(
        EnvConfig(
            task=ExecutionConfig(lots=6, decisions=8, step_s=2.0), market=MarketConfig(order_delay_ns=1_500_000_000)
        )
    )
    transition = jax.jit(jax.vmap(env.transition, in_axes=(0, 0, 0, None)))
    _, state = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))(
        jax.random.split(jax.random.key(0), 32), env.default_params
    )
    for t in range(8):
        actions = jax.vmap(env.action_space.sample)(jax.random.split(jax.random.key(t), 32))
        _, state, *_ = transition(jax.random.split(jax.random.key(100 + t), 32), state, actions, env.default_params)
        lots = np.asarray(state.market.accounts.lots[:, AGENT])
        assert (lots <= 0).all() and (lots >= -6).all()
    assert (lots == -6).all()


def test_reward_and_observation_are_of_one_moment():
    """The price that the observation shows is the price that an order sent on it gets."""
    env = environment()
    before, after = played(env, share(env, market=1.0))
    best_bid = int(before[1].market.depth.price_ticks[0, 0])
    cash = int(to_int(jax.tree.map(lambda x: x[AGENT], after[1].market.accounts.cash)))
    assert cash == 8 * best_bid


def test_a_delay_as_long_as_a_step_is_refused():
    from lobjax.errors import InputError

    with pytest.raises(InputError, match=r"shorter than a step.*lengthen env\.task\.step_s"):
        make(EnvConfig(task=ExecutionConfig(step_s=1.0), market=MarketConfig(order_delay_ns=10**9)))
