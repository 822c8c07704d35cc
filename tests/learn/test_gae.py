"""Advantages against a loop written by hand."""

import numpy as np
import pytest

from lobjax.learn.gae import gae


def by_hand(r, v, v_next, terminated, truncated, discount, decay):
    advantage = np.zeros_like(r)
    running = 0.0
    for t in reversed(range(len(r))):
        bootstrap = 0.0 if terminated[t] else v_next[t]
        delta = r[t] + discount * bootstrap - v[t]
        if terminated[t] or truncated[t]:
            running = 0.0
        running = delta + discount * decay * running
        advantage[t] = running
    return advantage


@pytest.mark.parametrize(("discount", "decay"), [(0.9, 0.95), (1.0, 1.0), (0.99, 0.0)])
def test_gae_equals_the_loop(discount, decay):
    rng = np.random.default_rng(0)
    r, v, v_next = rng.normal(size=(3, 30, 5)).astype(np.float32)
    terminated = rng.random((30, 5)) < 0.15
    truncated = ~terminated & (rng.random((30, 5)) < 0.15)
    have = gae(r, v, v_next, terminated, truncated, discount, decay)
    for b in range(5):
        column = (x[:, b] for x in (r, v, v_next, terminated, truncated))
        np.testing.assert_allclose(have[:, b], by_hand(*column, discount, decay), rtol=1e-5, atol=1e-5)


def test_with_full_traces_the_advantage_is_the_return():
    """Rewards 1, 2, 3 and an end: what is left of them, then the same cut short before a value of 10."""
    r, zero = np.array([1, 2, 3], np.float32), np.zeros(3, np.float32)
    end, never = np.array([False, False, True]), np.zeros(3, bool)
    after = np.array([0, 0, 10], np.float32)
    assert gae(r, zero, after, end, never, 1.0, 1.0).tolist() == [6, 5, 3]
    assert gae(r, zero, after, never, end, 1.0, 1.0).tolist() == [16, 15, 13]
