"""Fills, trades, values and rewards worked by hand, in JAX and in Numba."""

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.snapshot import (
    Account,
    Costs,
    execute_trade,
    find_fill_price,
    future_reward,
    liquidation_value,
    opened,
    settled,
)
from lobjax.snapshot.host import account, fills
from lobjax.snapshot.money import from_int, times, total
from lobjax.wide import Wide, to_int
from tests.compiling import quick_jit

ASKS = np.array([[101, 3], [103, 2], [110, 5], [0, 0]], np.int32)
BIDS = np.array([[100, 1], [98, 4], [0, 0], [0, 0]], np.int32)
FREE = Costs(jnp.int32(0), jnp.int32(0))
sweep, value_of = quick_jit(find_fill_price), quick_jit(liquidation_value)
trade, reward_of = quick_jit(execute_trade, static_argnums=4), quick_jit(future_reward, static_argnums=6)


@pytest.mark.parametrize(
    ("side", "size", "cash", "filled"),
    [
        (ASKS, 4, -(3 * 101 + 103), 4),
        (ASKS, 12, -(3 * 101 + 2 * 103 + 5 * 110), 10),
        (BIDS, -3, 100 + 2 * 98, -3),
        (BIDS, -9, 100 + 4 * 98, -5),
        (ASKS, 0, 0, 0),
        (np.zeros((4, 2), np.int32), 7, 0, 0),
    ],
)
def test_a_sweep_by_hand(side, size, cash, filled):
    got = sweep(jnp.asarray(side), jnp.int32(size))
    assert (int(to_int(got.cash)), int(got.filled), int(got.leftover)) == (cash, filled, size - filled)
    assert tuple(fills.find_fill_price(side, size)) == (cash, filled, size - filled)


def test_a_leftover_goes_on_until_patience_or_the_day_ends():
    asks, bids = np.stack([ASKS] * 4), np.stack([BIDS] * 4)
    all_asks = 3 * 101 + 2 * 103 + 5 * 110
    for row, patience, filled, snapshots in ((0, 0, 10, 1), (0, 1, 20, 2), (0, 9, 25, 3), (2, 9, 20, 2), (3, 9, 10, 1)):
        got = trade(jnp.asarray(bids), jnp.asarray(asks), jnp.int32(row), jnp.int32(25), patience, 3)
        cash = -(2 * all_asks + 3 * 101 + 2 * 103) if filled == 25 else -all_asks * snapshots
        assert (int(to_int(got.cash)), int(got.filled), int(got.leftover), int(got.snapshots)) == (
            cash,
            filled,
            25 - filled,
            snapshots,
        )
        assert tuple(fills.execute_trade(bids, asks, row, 25, patience, 3)) == (cash, filled, 25 - filled, snapshots)


@pytest.mark.parametrize(
    ("position", "fetched", "fee"),
    [
        (2, 100 + 98, 2 * 50 * 10 + 198 * 3),
        (7, 100 + 4 * 98 + 2 * 98, 7 * 50 * 10 + 688 * 3),  # two lots beyond the visible ones, at the last price
        (-4, -(303 + 103), 4 * 50 * 10 + 406 * 3),
        (0, 0, 0),
    ],
)
def test_a_liquidation_value_by_hand(position, fetched, fee):
    costs, wanted = Costs(jnp.int32(50), jnp.int32(3)), (1000 + fetched) * 10_000 - 77 - fee
    held = Account(from_int(1000), from_int(77), jnp.int32(position))
    assert int(to_int(value_of(held, jnp.asarray(BIDS), jnp.asarray(ASKS), costs))) == wanted
    assert account.liquidation_value((1000, 77, position), BIDS, ASKS, (50, 3)) == wanted


def test_an_empty_side_is_valued_at_the_other_ones_best():
    empty = np.zeros_like(BIDS)
    for position, bids, asks, wanted in ((2, empty, ASKS, 2 * 101), (-2, BIDS, empty, -2 * 100)):
        held = Account(from_int(0), from_int(0), jnp.int32(position))
        assert int(to_int(value_of(held, jnp.asarray(bids), jnp.asarray(asks), FREE))) == wanted * 10_000
        assert account.liquidation_value((0, 0, position), bids, asks, (0, 0)) == wanted * 10_000


def test_a_future_reward_by_hand():
    """One lot bought at 101 with bids at 104, then 97: worth +3, then -4, on top of 1,000; two snapshots are all that is left."""
    asks = np.tile(np.array([[[101, 5]]], np.int32), (3, 1, 1))
    bids = np.array([[[100, 5]], [[104, 5]], [[97, 5]]], np.int32)
    asks[1] = [[105, 5]]
    before = opened(from_int(1000))
    after = settled(before, from_int(-101), jnp.int32(1), FREE)
    got = reward_of(before, after, jnp.asarray(bids), jnp.asarray(asks), jnp.int32(0), jnp.int32(2), 64, 0.5, FREE)
    np.testing.assert_allclose(got, (0.5 * 3e-3 - 0.25 * 4e-3) / 2, rtol=1e-5)
    at_the_end = reward_of(
        before, after, jnp.asarray(bids), jnp.asarray(asks), jnp.int32(2), jnp.int32(2), 64, 0.5, FREE
    )
    assert at_the_end == 0


def test_sums_are_exact_where_int32_would_overflow():
    """A hundred levels at the largest price and size that are allowed: cash near 2^61."""
    side = np.tile(np.array([[(1 << 30) - 1, 1 << 24]], np.int32), (100, 1))
    size = 1 << 30
    got = sweep(jnp.asarray(side), jnp.int32(size))
    assert int(to_int(got.cash)) == -((1 << 30) - 1) * size == fills.find_fill_price(side, size).cash
    many = Wide(jnp.full(1000, -3, jnp.int32), jnp.full(1000, (1 << 30) - 1, jnp.int32))
    assert int(to_int(total(many))) == 1000 * (-3 * 2**30 + 2**30 - 1)
    for value, factor in ((-(2**45) - 12_345, 10_000), (2**58 - 1, -7), (3, 0)):
        assert int(to_int(times(from_int(value), factor))) == value * factor
