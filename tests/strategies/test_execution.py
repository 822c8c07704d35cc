"""What the strategies send, by hand, on a book that was put there."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book
from lobjax.env.base import AGENT
from lobjax.errors import InputError
from lobjax.evaluation import Episodes, play_episodes
from lobjax.flow import PoissonConfig
from lobjax.kinds import Kind
from lobjax.strategies import scheduled, submit_and_leave, twap, volume_profile, vwap
from lobjax.tasks import EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, make, strategies
from lobjax.types import INT32_MAX, Side

LOTS, DECISIONS = 23, 4


def environment(side="sell", task=None):
    task = task or ExecutionConfig(side=side, lots=LOTS, decisions=DECISIONS, step_s=4.0)
    return make(
        EnvConfig(task=task, flow=PoissonConfig(warm_up_s=4.0), market=MarketConfig(capacity=32, max_messages=96))
    )


def opened(env, bid=100, ask=104):
    """A state of `env` at its first decision, one order of 5 lots a side in the book; a price of 0 leaves that side empty."""
    _, state = env.reset(jax.random.key(0), env.default_params)
    price = np.zeros((2, 32), np.int32)
    price[:, 0] = bid, ask
    lots = np.where(price > 0, 5, 0)
    ids = np.where(price > 0, [[1], [2]], 0)
    book = Book(*(jnp.asarray(x, jnp.int32) for x in (price, lots, ids, np.zeros_like(price))))
    return state.replace(market=state.market.replace(book=book))


def sent(env, strategy, state):
    """The messages of every decision on an unchanging book: (kind, side, price, size) each, and the closing kinds."""
    found, closing = [], []
    for _ in range(DECISIONS):
        task, orders = strategy.decide(env, state, env.default_params)
        (kind,), (side,), (price,), (size,) = (np.asarray(x) for x in orders.sent[:4])
        found.append((int(kind), int(side), int(price), int(size)))
        closing.append((int(orders.closing.kind[0]), int(orders.closing.size[0])))
        assert int(orders.sent.owner[0]) == AGENT
        state = state.replace(task=task)
    return found, closing


def test_twap_sends_equal_lots_first_at_the_own_best_then_a_tick_inside_the_opposite():
    env = environment()
    found, closing = sent(env, twap(LOTS, DECISIONS), opened(env))
    limit, ask = int(Kind.LIMIT), int(Side.ASK)
    assert found == [(limit, ask, 104, 6), (limit, ask, 101, 6), (limit, ask, 101, 6), (limit, ask, 101, 5)]
    assert closing == [(Kind.NOOP, 0)] * 3 + [(Kind.MARKET, INT32_MAX)]


def test_a_buyer_is_the_mirror_image():
    env = environment("buy")
    found, _ = sent(env, twap(LOTS, DECISIONS), opened(env))
    assert [(side, price) for _, side, price, _ in found] == [(Side.BID, 100)] + [(Side.BID, 103)] * 3


@pytest.mark.parametrize(("bid", "ask", "prices"), [(100, 0, (101, 101)), (0, 104, (104, 104))])
def test_an_empty_side_is_taken_to_be_a_tick_from_the_other(bid, ask, prices):
    env = environment()
    found, _ = sent(env, twap(LOTS, DECISIONS), opened(env, bid, ask))
    assert (found[0][2], found[1][2]) == prices


def test_submit_and_leave_sends_one_order():
    env = environment()
    found, _ = sent(env, submit_and_leave(LOTS, DECISIONS), opened(env))
    assert found[0] == (Kind.LIMIT, Side.ASK, 104, LOTS)
    assert len(found) == DECISIONS and all(kind == Kind.NOOP and size == 0 for kind, _, _, size in found[1:])


def test_immediate_sends_everything_at_market_at_once():
    env = environment()
    players = strategies(env, env.default_params, ("immediate",))
    found, _ = sent(env, players["immediate"], opened(env))
    assert (found[0][0], found[0][1], found[0][3]) == (Kind.MARKET, Side.ASK, LOTS)
    assert all(kind == Kind.NOOP for kind, *_ in found[1:])
    figures = play_episodes(env, env.default_params, players["immediate"], Episodes(count=8, seed=1))
    assert (figures["fill_rate"] == 1).all() and (figures["episode_length"] == 1).all()
    assert (figures["time_to_fill_s"] == 0).all() and (figures["maker_share"] == 0).all()


def test_a_market_that_stops_with_the_episode_gives_the_same_ends():
    env = environment()
    (player,) = strategies(env, env.default_params, ("immediate",)).values()
    on, stopped = (
        play_episodes(env, env.default_params, player, Episodes(count=32, seed=2, stops=stops))
        for stops in (False, True)
    )
    assert on["episode_length"].min() < env.decisions
    for name in on:
        np.testing.assert_array_equal(on[name], stopped[name], err_msg=name)


def test_twap_remainder_goes_first():
    np.testing.assert_array_equal(twap(23, 4).lots, [6, 6, 6, 5])
    np.testing.assert_array_equal(twap(3, 5).lots, [1, 1, 1, 0, 0])


def test_vwap_follows_its_profile_and_adds_up():
    np.testing.assert_array_equal(vwap(20, np.array([1.0, 2.0, 1.0])).lots, [5, 10, 5])
    np.testing.assert_array_equal(vwap(20, np.array([0.0, 1.0, 0.0])).lots, [0, 20, 0])
    for lots in (1, 7, 20, 61):
        profile = np.random.default_rng(lots).random(10)
        assert int(vwap(lots, profile).lots.sum()) == lots


@pytest.mark.parametrize("profile", [np.zeros(4), np.array([1.0, -1.0, 2.0, 3.0])])
def test_a_profile_that_says_nothing_is_refused(profile):
    with pytest.raises(ValueError, match="volume profile"):
        vwap(20, profile)
    with pytest.raises(ValueError, match="negative"):
        scheduled([3, -1])


def test_the_profile_is_the_markets_own_volume():
    env = environment()
    keys = jax.random.split(jax.random.key(5), 256)
    profile = volume_profile(env, env.default_params, keys)
    # Market orders of both sides arrive at 0.1237 a second and are 2.58 lots in the mean; nearly all of them are filled.
    expected = 2 * 0.1237 * 2.579 * 4.0
    np.testing.assert_allclose(profile, expected, rtol=0.2)


def test_a_profile_of_another_environment_is_the_one_followed():
    env = environment()
    flow = env.default_params.market.flow
    silent = env.default_params.replace(
        market=env.default_params.market.replace(flow=flow.replace(market=flow.market * 0))
    )
    with pytest.raises(InputError, match="nothing was traded"):
        strategies(env, env.default_params, ("vwap",), replace(env, default_params=silent))


def test_quoters_stand_the_same_distance_on_both_sides():
    env = environment(task=MakingConfig(decisions=DECISIONS, step_s=2.0, quote_lots=3, offsets_ticks=(-1, 0, 2)))
    players = strategies(env, env.default_params)
    assert list(players) == ["symmetric_-1", "symmetric_0", "symmetric_2"]
    for name, quotes in zip(players, ([101, 103], [100, 104], [98, 106]), strict=True):
        _, orders = players[name].decide(env, opened(env), env.default_params)
        live = np.asarray(orders.sent.kind) == Kind.POST_ONLY
        assert np.asarray(orders.sent.price)[live].tolist() == quotes
        assert np.asarray(orders.sent.size)[live].tolist() == [3, 3]


def test_an_unknown_strategy_names_the_nearest():
    env = environment()
    with pytest.raises(InputError, match="did you mean 'twap'"):
        strategies(env, env.default_params, ("twop",))
