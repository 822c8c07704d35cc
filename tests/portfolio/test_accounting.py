"""One step's accounting: by hand, in two independent forms on random panels, and on the device."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.portfolio import accounting, tables
from lobjax.portfolio.accounting import Rates
from lobjax.portfolio.device import DevicePanel, on_device, played
from lobjax.portfolio.ledger import kept_books
from tests.portfolio.panels import random_panel, random_targets

SESSIONS, MANY, ASSETS = 14, 1000, 4
STEPS = SESSIONS - 2


@pytest.fixture(scope="module")
def many():
    """A thousand panels side by side, with targets, holds and rates of their own; rates up to 5%."""
    rng = np.random.default_rng(16)
    panel = random_panel(rng, SESSIONS, MANY * ASSETS)
    targets = random_targets(rng, STEPS, MANY, ASSETS)
    holds = rng.random((STEPS, MANY)) < 0.2
    buy, sell = rng.uniform(0, 0.05, (2, STEPS, MANY, ASSETS))
    return panel, tables(panel), targets, holds, buy, sell


def by_weights(found, targets, holds, buy, sell):
    tradable, returns = (a.reshape(SESSIONS, MANY, ASSETS) for a in (found.tradable, found.returns))
    before, rows = np.zeros((MANY, ASSETS)), []
    for t in range(STEPS):
        trade = accounting.sent(before, targets[t], tradable[t + 1], Rates(buy[t], sell[t]))
        still = accounting.held(before)
        trade = accounting.Trade(
            *(np.where(holds[t].reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in zip(still, trade, strict=True))
        )
        result = accounting.earned(trade, returns[t + 1])
        rows.append((before, trade.weights, trade.kept, trade.turnover, result.log_return))
        before = result.drifted
    return [np.stack(column) for column in zip(*rows, strict=True)]


def test_weights_and_dollars_agree_on_a_thousand_random_panels(many):
    panel, found, targets, holds, buy, sell = many
    before, after, kept, turnover, log_return = by_weights(found, targets, holds, buy, sell)
    books = kept_books(panel, targets, holds, buy, sell, many=MANY)
    alive = np.cumprod(np.isfinite(log_return), 0).astype(bool)
    ended_before = np.vstack([np.zeros((1, MANY), bool), ~alive[:-1]])
    wealth = np.exp(np.cumsum(np.where(alive, log_return, 0), 0))
    assert np.abs(np.where(alive, books.wealth / wealth - 1, 0)).max() < 1e-12
    for ours, theirs in ((before, books.before), (after, books.after), (kept, books.kept), (turnover, books.turnover)):
        gone = ended_before.reshape(STEPS, MANY, *[1] * (ours.ndim - 2))
        assert np.abs(np.where(gone, 0, ours - theirs)).max() < 1e-12
    blocked = ~found.tradable.reshape(SESSIONS, MANY, ASSETS)[1:-1] & (before != 0) & ~holds[..., None]
    assert blocked.sum() > 1000  # the panels hold what they are for
    short = blocked.any(-1) & (after.sum(-1) > 1 - 1e-12) & alive
    assert short.sum() > 10  # cash ran out, and targets were scaled
    assert after[alive].sum(-1).max() < 1 + 1e-12


def test_the_kept_fraction_solves_its_equation(many):
    _, found, targets, holds, buy, sell = many
    before, after, kept, _, _ = by_weights(found, targets, holds, buy, sell)
    may = found.tradable.reshape(SESSIONS, MANY, ASSETS)[1:-1]
    traded = np.where(may & ~holds[..., None], kept[..., None] * after - before, 0)
    assert np.abs(1 - (np.where(traded > 0, buy, -sell) * traded).sum(-1) - kept).max() < 1e-14
    stuck = ~may & ~holds[..., None]
    assert np.abs(np.where(stuck, kept[..., None] * after - before, 0)).max() < 1e-15


def in_jax(many, dtype):
    """Every panel's path on the device at once, as [STEPS, MANY, ...]."""
    _, found, targets, holds, buy, sell = many
    with jax.enable_x64(dtype is np.float64):
        panel = on_device(found, dtype)
        apart = jax.tree.map(lambda a: a.reshape(*a.shape[:-1], MANY, ASSETS), panel)
        axes = DevicePanel(
            *[2 if name == "features" else 1 for name in ("features", "mask", "listed", "tradable", "returns", "sigma")]
        )
        play = jax.jit(jax.vmap(played, in_axes=(axes, None, 1, 1, 1, 1), out_axes=1))
        given = (jnp.asarray(values, dtype) for values in (targets, buy, sell))
        wanted, buy, sell = given
        out = play(apart, jnp.int32(0), wanted, jnp.asarray(~holds), buy, sell)
        return {name: np.asarray(values, np.float64) for name, values in out.items()}


@pytest.mark.parametrize(("dtype", "within"), [(np.float32, 2e-6), (np.float64, 1e-12)])
def test_the_device_agrees_with_the_reference_a_step(many, dtype, within):
    _, found, targets, holds, buy, sell = many
    before, _, kept, _, log_return = by_weights(found, targets, holds, buy, sell)
    out = in_jax(many, dtype)
    growth = np.exp(log_return)  # what nearly ends is compared as wealth: a logarithm has no digits there
    assert growth.min() < 0.5
    sound = growth > 0.2
    assert np.abs(np.where(sound, np.exp(out["log_return"] - np.where(sound, log_return, 0)) - 1, 0)).max() < within * 4
    assert np.quantile(np.abs(out["log_return"] - log_return)[sound], 0.99) < within
    assert np.abs(out["kept"] - kept)[sound].max() < within
    assert np.abs(out["before"] - before).max() < 40 * within


def test_by_hand_a_blocked_holding_forces_the_others_down():
    # A is halted with .6 of wealth in it; B is to get .8, of which the cash .4 pays .4/1.01 and the cost.
    trade = accounting.sent(
        np.array([0.6, 0.0]), np.array([0.2, 0.8]), np.array([False, True]), Rates(np.full(2, 0.01), np.full(2, 0.01))
    )
    assert trade.turnover == pytest.approx(0.4 / 1.01, abs=1e-15)
    assert trade.kept == pytest.approx(1 - 0.01 * 0.4 / 1.01, abs=1e-15)
    assert trade.kept * trade.weights[0] == pytest.approx(0.6, abs=1e-15)
    assert trade.weights.sum() == pytest.approx(1, abs=1e-15)


def test_by_hand_buying_and_selling_cost_differently():
    rates = Rates(np.array([0.0, 0.02]), np.array([0.01, 0.0]))
    trade = accounting.sent(np.array([0.5, 0.0]), np.array([0.0, 0.0]), np.array([True, True]), rates)
    assert (trade.kept, trade.turnover) == (pytest.approx(0.995), 0.5)


def test_wealth_that_is_gone_ends_it():
    trade = accounting.held(np.array([-1.0]))
    result = accounting.earned(trade, np.array([2.5]))
    assert result.growth < 0
    assert np.isneginf(result.log_return)
    assert (result.drifted == 0).all()
