"""The closed forms as players: prices by hand, limits kept, one program for all, numbers measured or given, refusals in one line."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from backtest.config import load_config
from backtest.players import players
from lobjax.book import Book
from lobjax.errors import InputError
from lobjax.evaluation import Episodes, Evaluator
from lobjax.flow import PoissonConfig
from lobjax.kinds import Kind
from lobjax.strategies import DepthQuoter, ModelsConfig, QuotingConfig, depth_quoter
from lobjax.strategies.depths import NO_QUOTE
from lobjax.strategies.measure import fit_fills, measure_fills, measure_mids
from lobjax.tasks import TASKS, EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, make, strategies
from lobjax.types import Side
from tests.strategies.test_execution import environment

LIMIT, QUOTE = 12, 5
MAKING = MakingConfig(decisions=12, step_s=2.0, quote_lots=QUOTE, inventory_limit_lots=LIMIT, offsets_ticks=(0,))
KNOWN = ModelsConfig(quoting=QuotingConfig(volatility=0.15, fill_rate=0.11, decay=2.4, risk_aversion=0.5))
QUOTERS = TASKS["market_making"].strategies.models


@pytest.fixture(scope="module")
def env():
    market = MarketConfig(capacity=64, max_messages=96)
    return make(EnvConfig(task=MAKING, flow=PoissonConfig(warm_up_s=12.0), market=market))


def at_first(env, bid=100, ask=104, own_bid=0, own_lots=0):
    """A state at the first decision: 5 lots of others' at the best prices (0: none), and a bid of one's own that stands."""
    _, state = env.reset(jax.random.key(0), env.default_params)
    price, lots, owner = np.zeros((3, 2, 64), np.int32)
    price[:, 0], price[0, 1] = (bid, ask), own_bid
    lots[:, 0], lots[0, 1] = np.where(price[:, 0] > 0, 5, 0), own_lots
    owner[0, 1] = int(own_lots > 0)
    book = Book(
        *(jnp.asarray(x, jnp.int32) for x in (price, lots, np.arange(1, 129).reshape(2, 64) * (lots > 0), owner))
    )
    working = jnp.array([own_bid, 0], jnp.int32)
    return state.replace(market=state.market.replace(book=book), task=state.task.replace(working=working))


def prices(env, quoter, state):
    """The prices of the bid and the ask that are quoted (0: none), and the task's state after it."""
    task, orders = quoter.decide(env, state, env.default_params)
    live = np.asarray(orders.sent.kind) == Kind.POST_ONLY
    found = {int(side): int(price) for side, price in zip(orders.sent.side[live], orders.sent.price[live], strict=True)}
    return [found.get(side, 0) for side in Side], task


def holding(state, lots):
    accounts = state.market.accounts
    return state.replace(market=state.market.replace(accounts=accounts.replace(lots=accounts.lots.at[1].set(lots))))


def flat_table(bid, ask):
    """Depths that neither time nor inventory changes, two units each way."""
    return np.stack([np.full((1, 5), float(bid)), np.full((1, 5), float(ask))], axis=1)


@pytest.mark.parametrize(
    ("best", "depth", "quoted"),
    [
        ((100, 104), (1.0, 1.0), [101, 103]),  # the mid is 102
        ((100, 104), (1.3, 0.6), [101, 103]),
        ((100, 104), (1.5, 1.5), [100, 104]),  # of two equally near, the farther
        ((100, 104), (7.2, 40.0), [95, 142]),
        ((100, 103), (0.5, 0.4), [101, 102]),  # the mid is 101.5
        ((100, 103), (1.0, 1.0), [100, 103]),
        ((100, 104), (-9.0, 11.0), [103, 113]),  # never through the other side's best
        ((100, 104), (11.0, -9.0), [91, 101]),
        ((100, 104), (0.2, 0.2), [101, 103]),  # 102 is nearest to both
        ((100, 104), (0.3, 0.1), [101, 102]),
        ((100, 104), (0.1, 0.3), [102, 103]),
        ((100, 104), (150.0, 1.0), [1, 103]),
        ((100, 0), (0.5, 0.5), [100, 101]),  # an empty side is a tick away
    ],
)
def test_prices_are_the_nearest_ticks(env, best, depth, quoted):
    assert prices(env, depth_quoter(flat_table(*depth), QUOTE, LIMIT), at_first(env, *best))[0] == quoted


def test_depths_follow_time_and_inventory(env):
    # Two decisions; three units each way, of which two fit the limit of 12 lots, in quotes of 5.
    bid = np.array([[1.0, 2.0, 3.0, 4.0, np.inf], [5.0, 6.0, 7.0, 8.0, np.inf]])
    quoter = depth_quoter(np.stack([bid, bid[:, ::-1]], axis=1), QUOTE, LIMIT)
    state = at_first(env, 100, 104)
    assert prices(env, quoter, state)[0] == [99, 105]
    assert prices(env, quoter, holding(state, 5))[0] == [98, 104]
    assert prices(env, quoter, holding(state, -5))[0] == [100, 106]
    assert prices(env, quoter, holding(state, 2))[0] == [99, 105]  # 3.4 and 2.6
    assert prices(env, quoter, holding(state, 4))[0] == [98, 104]  # 3.8 and 2.2
    assert prices(env, quoter, holding(state, 9))[0] == [98, 103]  # a part of the last unit may still be bought
    assert prices(env, quoter, holding(state, 10))[0] == [0, 103]
    assert prices(env, quoter, holding(state, -12))[0] == [101, 0]
    assert prices(env, quoter, state.replace(task=state.task.replace(step=jnp.int32(1))))[0] == [95, 109]


def test_a_quote_that_stands_is_topped_up_and_one_elsewhere_taken_off(env):
    state = at_first(env, own_bid=98, own_lots=3)

    def sent(depth):
        _, orders = depth_quoter(flat_table(depth, 4), QUOTE, LIMIT).decide(env, state, env.default_params)
        kind, side, price, size = (np.asarray(x) for x in orders.sent[:4])
        return [
            tuple(map(int, row)) for row in zip(kind, price, size, strict=True) if row[0] != Kind.NOOP and side[0] == 0
        ]

    assert sent(4.0) == [(Kind.POST_ONLY, 98, 2), (Kind.POST_ONLY, 106, 5)]
    assert sent(5.0) == [(Kind.REDUCE, 98, 3), (Kind.POST_ONLY, 97, 5), (Kind.POST_ONLY, 106, 5)]


@pytest.fixture(scope="module")
def measured(env):
    keys = jax.random.split(jax.random.key(2), 256)
    mids = measure_mids(env, env.default_params, keys)
    return mids, measure_fills(env, env.default_params, keys, mids.spread)


def test_the_measured_market_is_the_one_that_is_simulated(measured):
    """The specification's figures for this flow: a mean spread of 1.253 and 1.57 ticks in 150 s; over 24 s the mid bounces more."""
    mids, fills = measured
    assert mids.spread == pytest.approx(1.253, abs=0.04)
    assert 0.128 < mids.volatility < 0.24
    # At the touch at most all that market orders bring can be filled: 0.1237 orders of 2.58 lots a second, in quotes of 5.
    assert 0 < fills.fill_rate * np.exp(-fills.decay * mids.spread / 2) < 0.1237 * 2.58 / QUOTE
    assert 0.5 < fills.decay < 5


def test_exponential_fills_are_fitted_exactly():
    depths = np.array([0.5, 1.0, 2.0, 4.0])
    rates = 1.7 * np.exp(-0.8 * depths)
    assert fit_fills(depths, rates, rates) == pytest.approx((1.7, 0.8))
    rates[-1] = 0  # never seen: left out
    assert fit_fills(depths, rates, rates) == pytest.approx((1.7, 0.8))
    for none in (np.zeros(4), np.array([1.0, 0, 0, 0]), np.array([1.0, 2.0, 3.0, 4.0])):
        with pytest.raises(InputError, match="do not fall"):
            fit_fills(depths, none, np.ones(4))


def test_tables_mirror_buying_and_selling_and_bid_lower_the_more_is_held(env):
    for quoter in strategies(env, env.default_params, QUOTERS, models=KNOWN).values():
        table = np.asarray(quoter.depths)
        assert table.shape == (12, 2, 2 * LIMIT + 1)
        np.testing.assert_array_equal(table[:, 0], table[:, 1, ::-1])
        assert (np.diff(table[:, 0, LIMIT - 10 : LIMIT + 6], axis=-1) > 0).all()
        assert (table[:, 0, LIMIT + 10 :] == NO_QUOTE).all() and (table[:, 0, : LIMIT + 10] < NO_QUOTE).all()


def test_quoters_keep_their_limits_share_a_program_and_end_nearer_to_flat_than_without_a_skew(env):
    quoters = strategies(env, env.default_params, QUOTERS, models=KNOWN)
    skewed = quoters["cartea_jaimungal"].depths
    quoters["unskewed"] = DepthQuoter(jnp.broadcast_to(skewed[:, :, LIMIT : LIMIT + 1], skewed.shape))
    watch = chex.assert_max_traces(lambda state: {}, n=2)  # at the opening and in the loop, of one program
    evaluator = Evaluator(env, env.default_params, Episodes(count=512, seed=4), watch)
    closed = {}
    for name, quoter in quoters.items():
        figures = evaluator.play(quoter).final
        assert 0 < figures["peak_inventory_lots"].max() <= LIMIT
        for count in ("refused", "invalid", "unknown", "dropped", "late", "stuck_lots"):
            assert (figures[count] == 0).all(), count
        assert figures["traded_lots"].mean() > 2
        closed[name] = figures["closed_lots"].astype(float)
    difference = closed["unskewed"] - closed["cartea_jaimungal"]
    assert difference.mean() > 3 * difference.std() / np.sqrt(len(difference))


def test_models_play_only_where_they_are_named(env):
    assert list(strategies(env, env.default_params)) == ["symmetric_0"]
    both = strategies(env, env.default_params, (QUOTERS[1], "symmetric", QUOTERS[0]), models=KNOWN)
    assert list(both) == [QUOTERS[1], "symmetric_0", QUOTERS[0]]
    execution = environment()
    assert TASKS["execution"].strategies.names == ("twap", "vwap", "submit_and_leave", "immediate")
    named = strategies(execution, execution.default_params, ("almgren_chriss", "twap"))
    assert list(named) == ["almgren_chriss", "twap"]
    lots = np.asarray(named["almgren_chriss"].lots)
    assert lots.sum() == 23 and (lots > 0).all()


def test_a_backtest_takes_the_numbers_from_its_configuration(env):
    numbers = [f"models.quoting.{name}={value}" for name, value in dataclasses.asdict(KNOWN.quoting).items()]
    config = load_config(None, [*numbers, "strategies=[avellaneda_stoikov]"], {"task": {"kind": "market_making"}})
    assert config.models == KNOWN
    found = players(dataclasses.replace(config, env=EnvConfig(task=MAKING)), env, None)
    expected = strategies(env, env.default_params, ("avellaneda_stoikov",), models=KNOWN)
    np.testing.assert_array_equal(found["avellaneda_stoikov"].depths, expected["avellaneda_stoikov"].depths)
    with pytest.raises(InputError, match="did you mean 'decay'"):
        load_config(None, ["models.quoting.decy=1"])
    with pytest.raises(InputError, match="decay: 0 is out of range"):
        load_config(None, ["models.quoting.decay=0"])


def test_what_does_not_fit_is_refused_in_one_line(env):
    counted = make(
        EnvConfig(
            task=dataclasses.replace(MAKING, step_messages=20),
            flow=PoissonConfig(warm_up_s=4.0),
            market=MarketConfig(capacity=32, max_messages=96),
        )
    )
    with pytest.raises(InputError, match="steps are counted in messages"):
        strategies(counted, counted.default_params, QUOTERS[:1], models=KNOWN)
    with pytest.raises(InputError, match="give them, or other hours"):
        strategies(dataclasses.replace(env, starts=3), env.default_params, QUOTERS)
    with pytest.raises(InputError, match="did you mean 'cartea_jaimungal'"):
        strategies(env, env.default_params, ("cartea",))
    hard = ModelsConfig(quoting=dataclasses.replace(KNOWN.quoting, running_penalty=1e3, decay=1e3))
    with pytest.raises(InputError, match="cartea_jaimungal: these rates and penalties are too large"):
        strategies(env, env.default_params, ("cartea_jaimungal",), models=hard)
    execution = make(EnvConfig(task=ExecutionConfig(), flow=PoissonConfig(), market=MarketConfig()))
    odd = ModelsConfig(impact=dataclasses.replace(ModelsConfig().impact, permanent=10.0, volatility=1.0))
    with pytest.raises(InputError, match="almgren_chriss: temporary impact"):
        strategies(execution, execution.default_params, ("almgren_chriss",), models=odd)
