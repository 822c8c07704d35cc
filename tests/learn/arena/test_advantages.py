"""Advantages of seats with clocks of their own, against sums taken decision by decision."""

import jax
import numpy as np

from lobjax.learn.arena.advantages import seat_advantages

STEPS, ENVS, SEATS, DISCOUNT, DECAY = 12, 40, 3, 0.9, 0.7


def played(seed: int):
    """Random trajectories: seats decide now and then, some end before the others, episodes end for all, cut short or not."""
    draw = np.random.default_rng(seed)
    shape = (STEPS, ENVS, SEATS)
    done = np.repeat(draw.random((STEPS, ENVS, 1)) < 0.15, SEATS, axis=2)
    over, terminated, truncated, acts = (
        np.zeros(shape[1:], bool),
        np.zeros(shape, bool),
        np.zeros(shape, bool),
        np.zeros(shape, bool),
    )
    reward = draw.normal(size=shape)
    for t in range(STEPS):
        acts[t] = ~over & (draw.random(shape[1:]) < 0.6)
        reward[t] *= ~over
        ends = ~over & ((draw.random(shape[1:]) < 0.1) | done[t])
        cut = done[t] & (draw.random((ENVS, 1)) < 0.5)
        terminated[t], truncated[t] = ends & ~cut, ends & cut
        over = (over | ends) & ~done[t]
    value, following = draw.normal(size=shape), draw.normal(size=shape)
    following[:-1] = np.where(truncated[:-1], following[:-1], value[1:])
    return [
        x.astype(np.float32) if x.dtype == np.float64 else x
        for x in (reward, value, following, acts, terminated, truncated, done)
    ]


def expected(reward, value, following, acts, terminated, truncated, done):
    """For one seat: each decision's reward is all until the next one, and discounts count decisions."""
    found, steps, at = np.zeros(STEPS), np.flatnonzero(acts), {}
    for t in steps[::-1]:
        paid, last = 0.0, t
        while True:
            paid += reward[last]
            if terminated[last] or truncated[last] or done[last] or last + 1 == STEPS or acts[last + 1]:
                break
            last += 1
        ends = terminated[last] or (done[last] and not truncated[last])
        delta = paid + (0.0 if ends else DISCOUNT * following[last]) - value[t]
        goes_on = not (terminated[last] or truncated[last] or done[last]) and last + 1 < STEPS
        at[t] = found[t] = delta + (DISCOUNT * DECAY * at[last + 1] if goes_on else 0.0)
    return found


def test_a_decisions_reward_is_all_until_the_next_one_and_discounts_count_decisions():
    arrays = played(1)
    found = np.asarray(jax.jit(lambda *x: seat_advantages(*x, DISCOUNT, DECAY))(*arrays))
    acts, terminated, truncated = arrays[3:6]
    assert terminated.any() and truncated.any() and (~acts).sum() > 300
    for b in range(ENVS):
        for s in range(SEATS):
            mine = [x[:, b, s] for x in arrays]
            np.testing.assert_allclose(found[:, b, s][mine[3]], expected(*mine)[mine[3]], rtol=1e-4, atol=1e-5)


def test_what_happens_after_a_seat_has_ended_does_not_count():
    reward, value, following, acts, terminated, truncated, done = played(2)
    over = np.zeros((ENVS, SEATS), bool)
    after = np.zeros(acts.shape, bool)
    for t in range(STEPS):
        after[t] = over
        over = (over | terminated[t] | truncated[t]) & ~done[t]
    assert after.any() and not (after & acts).any()
    planted = np.where(after, 1e6, value), np.where(after, -1e6, following)
    call = jax.jit(lambda *x: seat_advantages(*x, DISCOUNT, DECAY))
    one = call(reward, value, following, acts, terminated, truncated, done)
    other = call(reward, *planted, acts, terminated, truncated, done)
    np.testing.assert_array_equal(np.asarray(one)[acts], np.asarray(other)[acts])
