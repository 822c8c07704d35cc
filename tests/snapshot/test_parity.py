"""JAX and Numba give the same ticks and lots, to the bit, on 10,000 random books."""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.snapshot import (
    Account,
    Costs,
    account_state,
    execute_trade,
    find_fill_price,
    future_reward,
    hold_values,
    liquidation_value,
    settled,
)
from lobjax.snapshot.host import account, fills
from lobjax.wide import LIMB, Wide, to_int
from tests.compiling import quick_jit
from tests.snapshot.random_books import cases, walk

BOOKS = 10_000
CASES = cases(BOOKS)


def wide(values) -> Wide:
    high, low = np.divmod(np.asarray(values, np.int64), LIMB)
    return Wide(jnp.asarray(high, jnp.int32), jnp.asarray(low, jnp.int32))


def accounts() -> Account:
    return Account(wide(CASES.cash), wide(CASES.fees), jnp.asarray(CASES.position))


def each(function, *columns):
    """A Numba function over rows, as arrays of int64."""
    rows = [function(*row) for row in zip(*columns, strict=True)]
    return np.asarray(rows, np.int64).T


def host_accounts():
    return list(zip(CASES.cash.tolist(), CASES.fees.tolist(), CASES.position.tolist(), strict=True))


def host_costs():
    return list(zip(CASES.milliticks.tolist(), CASES.bps.tolist(), strict=True))


def test_find_fill_price_on_10_000_books():
    side = np.where((CASES.size > 0)[:, None, None], CASES.asks, CASES.bids)
    ours = quick_jit(jax.vmap(find_fill_price))(side, CASES.size)
    cash, filled, leftover = each(fills.find_fill_price, side, CASES.size.tolist())
    np.testing.assert_array_equal(to_int(ours.cash), cash)
    np.testing.assert_array_equal(ours.filled, filled)
    np.testing.assert_array_equal(ours.leftover, leftover)
    assert (filled + leftover == CASES.size).all()
    assert (leftover != 0).sum() > 500 and (filled != 0).sum() > 5_000 and np.abs(cash).max() > 2**38


def test_values_fees_and_states_on_10_000_books():
    costs = Costs(jnp.asarray(CASES.milliticks), jnp.asarray(CASES.bps))
    rows = (accounts(), CASES.bids, CASES.asks, costs)
    ours = quick_jit(jax.vmap(liquidation_value))(*rows)
    state = quick_jit(jax.vmap(account_state))(*rows)
    theirs = (host_accounts(), CASES.bids, CASES.asks, host_costs())
    values = each(account.liquidation_value, *theirs)
    np.testing.assert_array_equal(to_int(ours), values)
    np.testing.assert_array_equal(to_int(state.value), values)
    assert np.abs(values).max() > 2**50
    leverage = np.asarray([account.account_state(*row)[1] for row in zip(*theirs, strict=True)])
    np.testing.assert_allclose(state.leverage, leverage, rtol=1e-5, atol=1e-9)
    lots = jnp.asarray(CASES.size)
    after = quick_jit(jax.vmap(settled))(accounts(), wide(CASES.cash // 7), lots, costs)
    there = each(account.settled, host_accounts(), (CASES.cash // 7).tolist(), CASES.size.tolist(), host_costs())
    for mine, theirs in zip((to_int(after.cash), to_int(after.fees), after.position), there, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_trades_over_several_snapshots():
    """One book after another as a day: what is left over goes on at the next ones."""
    patience, last = 3, BOOKS - 1
    rows = np.arange(BOOKS, dtype=np.int32)
    bids, asks = jnp.asarray(CASES.bids), jnp.asarray(CASES.asks)
    play = jax.vmap(execute_trade, in_axes=(None, None, 0, 0, None, None))
    ours = quick_jit(play, static_argnums=4)(bids, asks, rows, CASES.size, patience, last)
    theirs = each(
        lambda row, size: fills.execute_trade(CASES.bids, CASES.asks, row, size, patience, last),
        rows.tolist(),
        CASES.size.tolist(),
    )
    for mine, there in zip((to_int(ours.cash), ours.filled, ours.leftover, ours.snapshots), theirs, strict=True):
        np.testing.assert_array_equal(mine, there)
    snapshots = theirs[3]
    assert (snapshots > 1).sum() > 500 and snapshots.max() == patience + 1 and (snapshots[CASES.size == 0] == 0).all()


def test_future_rewards_and_holding():
    bids, asks = walk(400, seed=3)
    last, horizon, costs = 399, 64, (30, 2)
    device_costs = Costs(jnp.int32(30), jnp.int32(2))
    rows = np.array([0, 7, 300, 335, 336, 380, 398, 399], np.int32)
    cash, lots = 3_000_000, np.array([3, -5, 0, 40, -1, 2, -7, 5], np.int32)

    def ours(row, size):
        before = Account(wide(cash), wide(0), jnp.int32(-4))
        got = execute_trade(jnp.asarray(bids), jnp.asarray(asks), row, size, 0, last)
        after = settled(before, got.cash, got.filled, device_costs)
        reward = future_reward(
            before, after, jnp.asarray(bids), jnp.asarray(asks), row, last, horizon, 0.97, device_costs
        )
        return reward, after.cash

    rewards, cash_after = quick_jit(jax.vmap(ours))(rows, lots)
    expected = []
    for row, size, mine in zip(rows.tolist(), lots.tolist(), to_int(cash_after), strict=True):
        before, got = (cash, 0, -4), fills.execute_trade(bids, asks, row, size, 0, last)
        after = account.settled(before, got.cash, got.filled, costs)
        assert after[0] == mine
        expected.append(account.future_reward(before, after, bids, asks, row, last, horizon, 0.97, costs))
    np.testing.assert_allclose(rewards, expected, rtol=2e-5, atol=1e-10)
    assert rewards[2] == 0 and rewards[-1] == 0 and np.count_nonzero(expected) == 6
    hold = quick_jit(hold_values, static_argnums=(5, 6))
    for row, size in ((0, 100), (60, -100), (11, 3)):
        values = hold(wide(cash), jnp.asarray(bids), jnp.asarray(asks), row, size, 4, 30, device_costs)
        np.testing.assert_array_equal(to_int(values), account.hold_values(cash, bids, asks, row, size, 4, 30, costs))
