"""The environment: its P&L is the reference's and the backtest's, later rows change no bit of earlier ones, limits and odd actions."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax import testing
from lobjax.errors import InputError
from lobjax.portfolio import play, read_costs, tables
from lobjax.portfolio.device import on_device
from lobjax.portfolio.rules import BASELINES
from lobjax.tasks import TASKS, EnvConfig, PortfolioConfig, make, strategies
from lobjax.tasks.portfolio import environment, unpacked
from lobjax.tasks.portfolio.market import RUIN
from lobjax.tasks.portfolio.rewards import begun, followed, reward
from tests.compiling import quick_jit
from tests.portfolio.panels import random_panel

STEPS, ASSETS = 40, 5
COST = "volatility:0.0002,0.05"


@cache
def panel():
    return random_panel(np.random.default_rng(11), 60, ASSETS)


def config(**changes) -> PortfolioConfig:
    return PortfolioConfig(**{"decisions": STEPS, "window": 4, "cost": COST, "form": "signed", **changes})


def played(env, actions, params=None, start=0):
    """Observations, rewards and info of an episode from the numbered start, each with the steps in front."""

    def one(state, action):
        observation, state, earned, terminated, truncated, info = env.transition(
            jax.random.key(1), state, action, params
        )
        return state, (observation, earned, terminated, truncated, info)

    def whole(actions):
        first, state = env.reset(jax.random.key(0), params, jnp.int32(start))
        return first, jax.lax.scan(one, state, actions)[1]

    return jax.tree.map(np.asarray, quick_jit(whole)(jnp.asarray(actions, jnp.float32)))


def actions(seed=3):
    return np.random.default_rng(seed).normal(0, 1, (STEPS, 1 + ASSETS)).astype(np.float32)


def by_reference(prices, wanted, first=0):
    found = tables(prices)
    rates = read_costs(COST).rates(found.sigma)
    return play(found.returns, found.tradable, rates, lambda t, before: wanted[t - first], first, STEPS)


def test_its_steps_are_the_reference_s():
    given = actions()
    weights = (given / np.abs(given).sum(1, keepdims=True))[:, 1:].astype(np.float64)
    path = by_reference(panel(), weights)
    _, (observation, earned, terminated, truncated, info) = played(environment(panel(), config()), given)
    alive = np.isfinite(path.log_return)
    assert alive.sum() > 10
    assert np.abs(earned - path.log_return)[alive & (path.log_return > -1)].max() < 2e-6
    assert np.abs(info["step_turnover"] - path.turnover)[alive].max() < 2e-6
    assert np.abs(info["weights_after"][:, 1:] - path.after)[alive].max() < 5e-6
    assert np.abs(info["weights_before"].sum(1) - 1).max() < 1e-6
    if alive.all():
        assert truncated.tolist() == [False] * (STEPS - 1) + [True]
        assert not terminated.any()
    seen = unpacked(observation[5], 4, ASSETS)
    found = tables(panel())
    assert np.array_equal(seen.features, found.features[3:7].astype(np.float32))
    assert np.array_equal(seen.mask, found.mask[3:7])
    assert np.array_equal(seen.listed, found.listed[6])


def test_strategies_trade_as_the_backtest_s_baselines():
    env = environment(panel(), config(decisions=STEPS, form="clip"))
    span = tables(panel())
    for name in ("equal_daily", "equal_monthly", "buy_and_hold", "pamr"):
        rule = strategies(env, env.default_params, (name,))[name]

        def one(state, _, rule=rule):
            task, sent = rule.decide(env, state, env.default_params)
            step = env.play(jax.random.key(1), state.replace(task=task), sent)
            return step[1], step[5]["step_log_return"]

        def whole(rule, one=one):
            return jax.lax.scan(one, env.reset(jax.random.key(0), None, jnp.int32(0))[1], None, STEPS)[1]

        ours = np.asarray(quick_jit(whole)(rule))
        theirs = play(
            span.returns, span.tradable, read_costs(COST).rates(span.sigma), BASELINES[name](span, 0), 0, STEPS
        )
        assert np.abs(ours - theirs.log_return).max() < 2e-6, name


def test_later_rows_change_no_bit_of_earlier_steps_and_observations():
    t = 20
    changed = {
        name: getattr(panel(), name).copy()
        for name in ("open", "high", "low", "close", "volume", "split", "dividend_factor")
    }
    for values in changed.values():
        values[t + 1 :] *= np.random.default_rng(1).uniform(0.5, 2, values[t + 1 :].shape)
    ours = played(environment(panel(), config()), actions())
    theirs = played(environment(dataclasses.replace(panel(), **changed), config()), actions())
    (one, (seen, earned, *_, info)), (two, (their_seen, their_earned, *_, their_info)) = ours, theirs
    assert np.array_equal(one, two)
    # The step decided at t - 2 ends at the open of t; what it shows is of the close of t - 1.
    assert np.array_equal(earned[: t - 1], their_earned[: t - 1])
    assert not np.array_equal(earned[t - 1 :], their_earned[t - 1 :])
    shares = ASSETS + 1
    assert np.array_equal(seen[: t - 1], their_seen[: t - 1])
    assert np.array_equal(seen[t - 1, :-shares], their_seen[t - 1, :-shares])
    assert np.array_equal(info["weights_after"][: t - 1], their_info["weights_after"][: t - 1])


def test_assets_in_another_order_are_the_same_portfolio():
    order = np.array([3, 0, 4, 1, 2])
    given = actions()
    other = panel().select([panel().symbols[k] for k in order])
    _, (_, earned, *_) = played(environment(panel(), config()), given)
    _, (_, theirs, *_) = played(environment(other, config()), given[:, np.r_[0, 1 + order]])
    assert np.abs(earned - theirs).max() < 1e-6


def fills_at_the_open(prices, build=tables) -> bool:
    """The guard of timing: what the close of T is changes nothing of the step decided there, given its target."""
    t = 12
    higher = {name: getattr(prices, name).copy() for name in ("close", "high")}
    for values in higher.values():
        values[t] *= 1.5
    before, after = build(prices).returns, build(dataclasses.replace(prices, **higher)).returns
    return np.array_equal(before[t + 1], after[t + 1])


def at_the_same_close(prices):
    """The canary: a target is filled at the very close that it was decided at."""
    found = tables(prices)
    returns = np.zeros_like(found.returns)
    with np.errstate(invalid="ignore"):
        returns[1:] = np.nan_to_num(found.close[1:] / found.close[:-1] - 1)
    return dataclasses.replace(found, returns=returns)


def whole_bars(prices):
    """Every asset with a bar in every session, so that no mark is a close."""
    fields = {
        name: np.nan_to_num(getattr(prices, name), nan=50.0) for name in ("open", "high", "low", "close", "volume")
    }
    never = np.full(len(prices.symbols), -1, np.int32)
    return dataclasses.replace(prices, **fields, delisted_at=never)


def test_the_guard_of_timing_fails_on_same_close_fills():
    assert fills_at_the_open(whole_bars(panel()))
    assert not fills_at_the_open(whole_bars(panel()), at_the_same_close)


def at_the_open_before(prices):
    """A worse canary: filled at the open of the session whose close was seen."""
    found = tables(prices)
    returns = np.zeros_like(found.returns)
    returns[1:] = found.returns[:-1]
    return dataclasses.replace(found, returns=returns)


def test_fills_that_are_too_early_tell_on_real_bars(real_data):
    """Buying the day's winner is poor at the next open and rich beyond belief at the last; same-close fills change what OLMAR earns."""
    from lobjax.data.prices import panel_from_csv

    lean = real_data / "portfolio" / "lean"
    prices = panel_from_csv(lean / "panel_daily.csv.gz", lean / "actions.csv")
    prices = prices.select(["AAPL", "AIG", "BAC", "EEM", "GOOGL", "IBM", "IWM", "SPY", "USO", "WM"])
    honest = tables(prices)
    first = int(np.searchsorted(honest.sessions, np.datetime64("2008-01-02"))) - 1
    rates, day = read_costs("none").rates(honest.sigma), prices.close / prices.open

    def winner(t, before):
        return np.eye(10)[np.argmax(day[t])]

    def wealth(found, decide):
        return play(found.returns, found.tradable, rates, decide, first, 2768).wealth[-1]

    def olmar(found):
        return BASELINES["olmar1"](found, first)

    assert wealth(honest, olmar(honest)) == pytest.approx(0.270520, abs=1e-6)
    assert abs(np.log(wealth(at_the_same_close(prices), olmar(honest)) / wealth(honest, olmar(honest)))) > 1
    assert wealth(honest, winner) < 100
    assert wealth(at_the_open_before(prices), winner) > 1e9
    assert fills_at_the_open(whole_bars(prices))
    assert not fills_at_the_open(whole_bars(prices), at_the_same_close)


def test_costs_and_universes_are_swept_without_compiling_again():
    env = environment(panel(), config(cost="fixed:0.001"))
    params, given = env.default_params, jnp.asarray(actions())

    def growth(rate, universe):
        costs = params.market.costs.replace(buy_base=rate, sell_base=rate)
        swept = params.replace(market=params.market.replace(costs=costs, universe=universe))

        def one(state, action):
            step = env.transition(jax.random.key(1), state, action, swept)
            return step[1], (step[2], step[5]["weights_after"])

        return jax.lax.scan(one, env.reset(jax.random.key(0), swept, jnp.int32(0))[1], given)[1]

    rates = jnp.asarray([0.0, 0.001, 0.01], jnp.float32)
    some = jnp.asarray([[True] * ASSETS, [True] * ASSETS, [False] + [True] * (ASSETS - 1)])
    earned, after = (np.asarray(x) for x in quick_jit(jax.vmap(growth))(rates, some))
    _, (_, alone, *_) = played(env, actions())
    assert np.abs(earned[1] - alone).max() < 1e-6
    assert earned[0].sum() > earned[1].sum()
    assert (after[2][:, 1] == 0).all()


def test_limits_hold():
    _, (*_, info) = played(environment(panel(), config(leverage_limit=0.5, cost="none")), actions())
    assert np.abs(info["weights_after"][0, 1:]).sum() <= 0.5 + 1e-6
    _, (*_, info) = played(environment(panel(), config(turnover_limit=0.1, cost="none")), actions())
    assert info["step_turnover"].max() <= 0.1 + 1e-6
    _, (*_, info) = played(environment(panel(), config(least_turnover=2.0)), actions())
    assert info["turnover"][-1] == 0
    assert info["held_steps"][-1] == STEPS


def test_an_action_without_a_number_holds_and_is_counted_or_is_refused():
    given = actions()
    given[7, 2] = np.nan
    env = environment(panel(), config())
    _, (observation, earned, *_, info) = played(env, given)
    assert info["unsound_actions"].tolist() == [0] * 7 + [1] * (STEPS - 7)
    assert info["step_turnover"][7] == 0
    assert np.isfinite(observation).all() and np.isfinite(earned).all()
    _, state = env.reset(jax.random.key(0))
    with pytest.raises(InputError, match="not finite"):
        env.task.act(state.task, state.market, jnp.asarray(given[7]), env.default_params.task)


@pytest.mark.parametrize(
    ("form", "action", "weights"),
    [
        ("clip", [1, 3, -2], [0.75, 0]),
        ("signed", [1, 1, -2], [0.25, -0.5]),
        ("signed", [0, 0, 0], [0, 0]),
        ("signed", [0, 3e38, 3e38], [0.5, 0.5]),
        ("long_short", [1, 1, 0, 0, 2], [0.25, -0.5]),
        ("softmax", [0, np.log(2), np.log(5)], [0.25, 0.625]),
    ],
)
def test_what_actions_mean(form, action, weights):
    from lobjax.portfolio.actions import weights_of

    found, sound = weights_of(jnp.asarray(action, jnp.float32), form)
    assert bool(sound)
    assert np.asarray(found) == pytest.approx(weights, abs=1e-6)


def test_ruin_terminates_and_rewards_stay_finite():
    prices = whole_bars(panel())
    for name in ("open", "high", "low", "close"):
        getattr(prices, name)[10:, 0] *= 50.0
    short = np.zeros((STEPS, 1 + ASSETS), np.float32)
    short[:, 1] = -1
    _, (_, earned, terminated, truncated, _) = played(environment(prices, config(cost="none")), short)
    assert terminated.any() and np.isfinite(earned).all()
    assert earned[np.argmax(terminated)] == np.float32(RUIN)
    assert not (terminated & truncated).any()


def test_episodes_begin_and_end_within_the_dates():
    env = environment(panel(), config(decisions=20, least_decisions=5))
    keys = jax.random.split(jax.random.key(0), 256)
    _, state = quick_jit(jax.vmap(env.reset, in_axes=(0, None)))(keys, env.default_params)
    t, length = np.asarray(state.market.t), np.asarray(state.market.length)
    assert (length.min(), length.max()) == (5, 20)
    assert t.min() == 0
    assert (t + length).max() == 58  # the last decision has two opens after it
    assert env.starts == 2


def test_rewards_by_hand():
    decay, one = jnp.float32(0.1), begun()
    two = followed(one, jnp.log(jnp.float32(1.1)), decay)
    three = followed(two, jnp.log(jnp.float32(0.9)), decay)
    assert float(reward("differential_sharpe", one, two, jnp.log(jnp.float32(1.1)), decay)) == 0
    a, b = 0.01, 0.001
    wanted = (b * (-0.1 - a) - 0.5 * a * (0.01 - b)) / (b - a * a) ** 1.5
    assert float(reward("differential_sharpe", two, three, jnp.log(jnp.float32(0.9)), decay)) == pytest.approx(
        wanted, rel=1e-4
    )
    fell = float(reward("drawdown", two, three, jnp.log(jnp.float32(0.9)), jnp.float32(2.0)))
    assert fell == pytest.approx(np.log(0.9) - 2 * 0.1, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decisions": 5000}, "more than the"),
        ({"symbols": ("A1", "B")}, "no 'B'"),
        ({"benchmark": "SPI"}, "no 'SPI'"),
        ({"since": "yesterday"}, "no date"),
        ({"prices": "absent.csv"}, "absent.csv"),
        ({"listings": "some.csv"}, "without env.task.prices"),
    ],
)
def test_what_does_not_fit_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        make(EnvConfig(task=PortfolioConfig(**{"decisions": 10, "made_up_sessions": 50, **changes})))


def test_a_cost_that_is_none_is_refused():
    with pytest.raises(ValueError, match="did you mean 'fixed'"):
        PortfolioConfig(cost="fixd:0.1")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["clip", "signed", "long_short"])
def test_the_contract_of_environments(form):
    task = PortfolioConfig(
        decisions=3, window=3, made_up_assets=3, made_up_sessions=40, form=form, reward="drawdown", cost=COST
    )
    testing.check_task(TASKS["portfolio"], EnvConfig(task=task), jit=quick_jit)


def test_the_panel_lies_on_the_device_once():
    env = environment(panel(), config())
    assert env.default_params.task.panel is env.default_params.market.panel
    assert on_device(tables(panel())).features.dtype == jnp.float32
