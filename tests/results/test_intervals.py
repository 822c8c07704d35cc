"""Intervals on numbers whose truth is known."""

import numpy as np
import pytest

from lobjax.results import interval


def test_by_hand():
    found = interval(np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.mean == 2.5 and found.n == 4
    np.testing.assert_allclose(found.std, 1.2909944487)
    np.testing.assert_allclose(found.half, 3.1824463053 * 1.2909944487 / 2)  # t(0.975, 3) by table


def test_coverage():
    """Of 4,000 intervals over 12 normal numbers, 95% hold the truth (binomial: within 3.5 standard errors)."""
    samples = np.random.default_rng(3).normal(1.7, 2.0, (4000, 12))
    held = np.mean([found.low <= 1.7 <= found.high for found in map(interval, samples)])
    assert abs(held - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / 4000)


def test_one_value_says_nothing_and_none_is_refused():
    assert interval(np.array([2.0]))[:3] == (2.0, -np.inf, np.inf)
    with pytest.raises(ValueError, match="no values"):
        interval(np.array([]))
