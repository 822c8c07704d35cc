"""Limits before an order leaves: none that does breaks one, whatever was asked; each refusal is counted; NumPy and JAX alike."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from lobjax.risk import Counts, Limits, Refusal, Situation, judge, no_counts

CALM = Situation(0.0, 0.0, 0.0, 0.0, 100.0, 10_000.0, 10_000.0, 0.01)
LIMITS = Limits(order_size=20, rate=3, interval=1.0, position=50, leverage=0.6, var=0.01, drawdown=0.1)


def verdict(lots, limits=LIMITS, **changed):
    counts = no_counts(limits, np, np.float64)
    refusal, counts = judge(limits, counts, CALM._replace(**changed), lots)
    assert counts.refused.sum() == 1 and counts.refused[int(refusal)] == 1
    return Refusal(int(refusal)).name


@pytest.mark.parametrize(
    ("lots", "changed", "said"),
    [
        (10, {}, "NONE"),
        (20, {}, "NONE"),  # at the limit of size
        (21, {}, "ORDER_SIZE"),
        (0, {}, "MALFORMED"),
        (np.nan, {}, "MALFORMED"),
        (10, {"equity": np.nan}, "MALFORMED"),
        (10, {"price": 0.0}, "MALFORMED"),
        (10, {"position": 40.0, "deviation": 0.0}, "NONE"),
        (11, {"position": 40.0, "deviation": 0.0}, "POSITION"),
        (11, {"position": 30.0, "open_buys": 10.0, "deviation": 0.0}, "POSITION"),
        (-11, {"position": -30.0, "open_sells": 10.0, "deviation": 0.0}, "POSITION"),
        (10, {"position": 35.0, "price": 140.0, "deviation": 0.0}, "LEVERAGE"),
        (10, {"position": 35.0}, "VAR"),  # 45 x 100 x .01 x 2.33 = 104.7 of 10,000
        (10, {"peak": 11_200.0}, "DRAWDOWN"),
        (-10, {"peak": 11_200.0, "position": 30.0}, "NONE"),  # reduces
        (-10, {"position": 49.0}, "NONE"),  # beyond the VaR, but nearer to zero
        (-20, {"position": 10.0, "peak": 11_200.0}, "DRAWDOWN"),  # through zero
    ],
)
def test_each_limit(lots, changed, said):
    assert verdict(lots, **changed) == said


def test_the_rate_is_of_any_interval_not_of_calendar_ones():
    counts, left = no_counts(LIMITS, np, np.float64), []
    for time in np.arange(0, 4, 0.125):
        refusal, counts = judge(LIMITS, counts, CALM._replace(time=time), 1.0)
        if int(refusal) == Refusal.NONE:
            left.append(time)
        else:
            assert int(refusal) == Refusal.RATE
    assert len(left) == 12
    assert all(b - a >= LIMITS.interval for a, b in zip(left, left[3:], strict=False))
    assert counts.refused[Refusal.RATE] == 32 - 12


def test_a_halted_desk_only_reduces():
    counts = no_counts(LIMITS, np, np.float64)
    for position, lots, said in ((0, 5, "BREAKER"), (10, 5, "BREAKER"), (10, -5, "NONE"), (10, -15, "BREAKER")):
        refusal, counts = judge(LIMITS, counts, CALM._replace(position=position), lots, True)
        assert Refusal(int(refusal)).name == said


def random_market(rng, rows, length):
    price = 100 * np.exp(np.cumsum(rng.normal(0, 0.005, (length, rows)), 0))
    deviation = 0.001 + 0.02 * rng.random((length, rows))
    return np.cumsum(rng.exponential(0.3, (length, rows)), 0), price, deviation, rng.integers(-30, 31, (length, rows))


def test_a_million_random_orders_in_simulated_markets():
    """Orders fill at once; the equity follows. No order that leaves makes any exposure larger than its limit."""
    rows, length = 10_000, 100
    limits = dataclasses.replace(LIMITS, position=45, leverage=0.47)
    time, price, deviation, wanted = random_market(np.random.default_rng(7), rows, length)
    position, cash, peak = np.zeros(rows), np.full(rows, 10_000.0), np.full(rows, 10_000.0)
    counts, left, z = no_counts(limits, np, np.float64, (rows,)), 0, norm.ppf(limits.var_level)
    for t in range(length):
        equity = cash + position * price[t]
        peak = np.maximum(peak, equity)
        zero = np.zeros(rows)
        now = Situation(time[t], position, zero, zero, price[t], equity, peak, deviation[t])
        refusal, counts = judge(limits, counts, now, wanted[t])
        filled = np.where(refusal == Refusal.NONE, wanted[t], 0)
        after = position + filled
        grows = (filled != 0) & ((np.abs(after) > np.abs(position)) | (after * position < 0))
        value = np.abs(after) * price[t]
        assert (np.abs(filled) <= limits.order_size).all()
        assert (np.abs(after) <= limits.position)[grows].all()
        assert (value <= limits.leverage * equity)[grows].all()
        assert (value * deviation[t] * z <= limits.var * equity * (1 + 1e-12))[grows].all()
        assert (1 - equity / peak < limits.drawdown + 1e-12)[grows].all()
        position, cash, left = after, cash - filled * price[t], left + (filled != 0).sum()
    assert counts.refused.sum() == rows * length and counts.refused[:, 0].sum() == left
    some = counts.refused.sum(0)
    assert (
        some[[Refusal[name] for name in ("NONE", "MALFORMED", "ORDER_SIZE", "RATE", "POSITION", "LEVERAGE", "VAR")]] > 0
    ).all()


def test_jax_refuses_what_numpy_refuses():
    rows, length = 64, 40
    time, price, deviation, wanted = random_market(np.random.default_rng(8), rows, length)
    position = np.random.default_rng(9).integers(-60, 61, (length, rows))
    zero = np.zeros((length, rows))
    now = Situation(time, position, zero, zero + 3, price, zero + 10_000, zero + 10_500, deviation)

    @jax.jit
    def run(now, wanted):
        def following(counts, each):
            refusal, counts = judge(LIMITS, counts, *each)
            return counts, refusal

        return jax.lax.scan(following, no_counts(LIMITS, jnp, jnp.float32, (rows,)), (now, wanted))

    after, refusals = run(jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), now), jnp.asarray(wanted, jnp.float32))
    counts: Counts = no_counts(LIMITS, np, np.float64, (rows,))
    for t in range(length):
        refusal, counts = judge(LIMITS, counts, Situation(*(column[t] for column in now)), wanted[t])
        np.testing.assert_array_equal(refusals[t], refusal)
    np.testing.assert_array_equal(after.refused, counts.refused)
