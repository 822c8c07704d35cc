"""Integer arithmetic for random quantities, against float64 and Python's integers."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from lobjax.flow.fixed import RATE_ONE, exponential, thresholds, to_rate, waiting_time
from lobjax.flow.poisson import size_probabilities
from lobjax.wide import high_product

WORDS = jax.random.bits(jax.random.key(7), (200_000,))


def test_high_product_is_the_upper_half_of_64_bits():
    a = np.asarray(WORDS[:5000])
    b = np.concatenate(
        [a[::-1][:4990], np.array([0, 1, 2, 3, 2**16, 2**31, 2**32 - 1, 2**32 - 2, 65535, 65537], np.uint32)]
    )
    wanted = (a.astype(np.uint64) * b.astype(np.uint64)) >> np.uint64(32)
    assert np.array_equal(np.asarray(high_product(jnp.asarray(a), jnp.asarray(b))), wanted)


def test_exponential_is_minus_log_of_the_word():
    edge = jnp.asarray([0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 - 1], jnp.uint32)
    words = jnp.concatenate([WORDS, edge])
    wanted = -np.log((np.asarray(words, np.float64).astype(np.uint64) | 1) / 2.0**32)
    assert np.abs(np.asarray(exponential(words)) / 2.0**24 - wanted).max() < 3e-6


def test_exponential_draws_follow_the_exponential_law():
    draws = np.asarray(exponential(WORDS)) / 2.0**24
    assert stats.kstest(draws[:20_000], "expon").pvalue > 1e-3
    assert abs(draws.mean() - 1) < 4 / np.sqrt(len(draws))


def test_waiting_time_divides_exactly_to_the_last_bit():
    draw = np.asarray(exponential(WORDS[:2000])).astype(np.uint64)
    for rate in (1, 7, RATE_ONE // 3, to_rate(7.5), 2**24 - 1):
        wait = waiting_time(jnp.asarray(draw, jnp.uint32), jnp.uint32(rate))
        billionths = [int(d) * 2**24 // rate for d in draw]  # units of 2^-30 s
        assert [int(s) for s in wait.s] == [b >> 30 for b in billionths]
        assert [int(n) for n in wait.ns] == [((b & (2**30 - 1)) * 10**9) >> 30 for b in billionths]


def test_thresholds_give_the_probabilities():
    p = size_probabilities(2.0, 20)
    size = 1 + (np.asarray(WORDS)[:, None] >= thresholds(p)).sum(1)
    counts = np.bincount(size, minlength=9)[1:9]
    assert np.abs(counts / len(size) - p[:8]).max() < 4 * np.sqrt(0.25 / len(size))


def test_size_probabilities_are_the_papers():
    p = size_probabilities(2.0, 20)
    assert np.allclose(p[:8], [0.1974, 0.3493, 0.2420, 0.1312, 0.0557, 0.0185, 0.0048, 0.0010], atol=5e-5)
    assert abs((p * np.arange(1, 21)).sum() - 2.579) < 1e-3
