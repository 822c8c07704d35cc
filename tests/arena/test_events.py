"""Events and the fundamental value: how often, how long, how strong, what they do; paths that nobody's trading changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.arena.events import Event, EventsConfig, calm, effects, events_params, next_event
from lobjax.arena.fundamental import FundamentalConfig, fundamental_params, move, open_fundamental, seen_value2
from lobjax.arena.roles.indicators import Indicators

STEPS, PATHS = 400, 64


def path_of(config):
    params = events_params(config)

    def path(key):
        return jax.lax.scan(lambda s, k: (next_event(k, s, params),) * 2, calm(), jax.random.split(key, STEPS))[1]

    return jax.device_get(jax.jit(jax.vmap(path))(jax.random.split(jax.random.key(0), PATHS)))


def test_events_begin_last_and_bite_as_configured():
    config = EventsConfig()
    path = path_of(config)
    before = np.concatenate([np.zeros((PATHS, 1), int), path.left[:, :-1]], axis=1)
    may = before <= 1  # calm, or in its last step: another may begin
    began = path.began
    assert not began[~may].any()
    assert abs(began[may].mean() - 0.05) < 5 * np.sqrt(0.05 * 0.95 / may.sum())
    weights = np.asarray(config.each("weight"))
    for event in list(Event)[1:]:
        mine = began & (path.kind == event)
        share = mine.sum() / began.sum()
        assert abs(share - weights[event - 1]) < 5 * np.sqrt(0.25 / began.sum())
        low, high = config.each("steps")[event - 1]
        assert set(np.unique(path.left[mine])) <= set(range(low, high + 1)) and len(np.unique(path.left[mine])) > min(
            2, high - low
        )
        weak, strong = config.each("intensity")[event - 1]
        intensity = path.intensity[mine] / 2**16
        assert intensity.min() >= weak - 1e-4 and intensity.max() <= strong + 1e-4
        assert np.ptp(intensity) > 0.7 * (strong - weak)
    assert (path.intensity[path.kind == 0] == 1 << 16).all()


def test_what_each_event_does():
    half, one = 1 << 15, 1 << 16
    seen = {
        event: effects(calm()._replace(kind=jnp.int32(event), intensity=jnp.uint32(half), began=jnp.bool_(True)))
        for event in Event
    }
    assert seen[Event.CALM].push.tolist() == [one, one] and int(seen[Event.CALM].news) == 0
    assert seen[Event.VOLATILITY_SPIKE].push.tolist() == [half, half] and int(seen[Event.VOLATILITY_SPIKE].size) == half
    assert int(seen[Event.LIQUIDITY_CRISIS].limits) == half and int(seen[Event.LIQUIDITY_CRISIS].cancels) == 2 * one - 1
    assert int(seen[Event.NEWS].informed) == half and int(seen[Event.NEWS].news) == half
    assert seen[Event.FLASH_CRASH].push.tolist() == [one, half] and seen[Event.FLASH_RALLY].push.tolist() == [half, one]
    assert all(int(seen[event].size) == one for event in Event if event is not Event.VOLATILITY_SPIKE)


def test_events_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="news_steps is from 5 to 2; put the smaller number first"):
        EventsConfig(news_steps=(5, 2))
    weights = {f"{event.name.lower()}_weight": 0.0 for event in Event if event is not Event.CALM}
    with pytest.raises(ValueError, match="every weight is 0"):
        EventsConfig(**weights)
    assert not path_of(EventsConfig(start_probability=0.0)).kind.any()


def values_of(config, mids, news=0, steps=STEPS, lags=0):
    params = fundamental_params(config, np.asarray(mids), 1.0)

    def path(key):
        def one(state, key):
            state = move(key, state, jnp.uint32(news), params)
            return state, state.values

        return jax.lax.scan(one, open_fundamental(params, lags), jax.random.split(key, steps))[1]

    return np.asarray(jax.jit(jax.vmap(path))(jax.random.split(jax.random.key(1), PATHS)))


def test_values_walk_with_their_volatility_drift_and_correlation():
    values = values_of(
        FundamentalConfig(volatility_ticks=0.5, drift_ticks_per_s=0.1, correlation=0.6), [20_001, 40_000]
    )[:, :, 0]
    change = np.diff(values, axis=1) / 512  # ticks
    assert abs(change.std() - 0.5) < 0.01
    np.testing.assert_allclose(change.mean(axis=(0, 1)), 0.1, atol=5 * 0.5 / np.sqrt(change[..., 0].size))
    correlation = np.corrcoef(change[..., 0].ravel(), change[..., 1].ravel())[0, 1]
    assert abs(correlation - 0.6) < 0.02
    kurtosis = ((change - change.mean()) ** 4).mean() / change.var() ** 2
    assert 2.7 < kurtosis < 3.1


def test_news_moves_a_value_and_a_path_knows_no_other_asset():
    quiet = FundamentalConfig(jump_ticks=4.0)
    jumps = np.diff(values_of(quiet, [20_000], news=2 << 16)[:, :, 0, 0], axis=1) / 512
    assert abs(jumps.std() - 8.0) < 0.2 and not np.diff(values_of(quiet, [20_000]), axis=1).any()
    alone = values_of(FundamentalConfig(volatility_ticks=1.0), [20_000])
    among = values_of(FundamentalConfig(volatility_ticks=1.0), [20_000, 30_000, 4_000])
    np.testing.assert_array_equal(alone[..., 0], among[..., 0])


def test_a_venue_that_lags_sees_the_value_late():
    params = fundamental_params(FundamentalConfig(volatility_ticks=1.0), np.asarray([2000]), 1.0)
    state, seen = open_fundamental(params, 3), []
    for t in range(8):
        state = move(jax.random.key(t), state, jnp.uint32(0), params)
        seen.append([int(seen_value2(state, jnp.int32(0), jnp.int32(lag))) for lag in (0, 3)])
    assert [late for _, late in seen[3:]] == [now for now, _ in seen[:-3]]
    assert [late for _, late in seen[:3]] == [2000] * 3


def test_values_that_cannot_be_computed_are_refused():
    with pytest.raises(ValueError, match=r"correlation -0.9 is too low for 3 assets; raise it to -0.5"):
        fundamental_params(FundamentalConfig(correlation=-0.9), np.full(3, 2000), 1.0)
    with pytest.raises(ValueError, match="at most 31 ticks a decision"):
        fundamental_params(FundamentalConfig(volatility_ticks=20.0), np.full(1, 2000), 10.0)


def test_indicators_of_a_prefix_are_a_prefix_and_agree_with_their_definitions():
    mids = np.cumsum(np.random.default_rng(0).normal(size=60)).astype(np.float32) + 1000
    indicators = Indicators(lookback=5)

    def path(mids):
        state = indicators.begin(jnp.float32(mids[0]))
        rows = []
        for mid in mids[1:]:
            state = indicators.see(state, jnp.float32(mid))
            rows.append(indicators.read(state, jnp.float32(1)))
        return np.stack(rows)

    whole = path(mids)
    np.testing.assert_array_equal(path(mids[:30]), whole[:29])
    changed = mids.copy()
    changed[40:] += 100
    np.testing.assert_array_equal(path(changed)[:39], whole[:39])
    fast = slow = float(mids[0])
    signal = rise = fall = 0.0
    for k, mid in enumerate(mids[1:].astype(float), 1):
        fast, slow = fast + (mid - fast) * 2 / 13, slow + (mid - slow) * 2 / 27
        signal += (fast - slow - signal) * 2 / 10
        change = mid - float(mids[k - 1])
        rise, fall = rise + (max(change, 0) - rise) / 14, fall + (max(-change, 0) - fall) / 14
        back = float(mids[max(k - 5, 0)])
        expected = [
            mid - back,
            mid - fast,
            mid - slow,
            fast - slow,
            fast - slow - signal,
            (rise - fall) / (rise + fall),
        ]
        np.testing.assert_allclose(whole[k - 1], expected, atol=2e-3)
