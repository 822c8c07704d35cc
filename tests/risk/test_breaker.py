"""The circuit breaker: the contract's table, an independent state machine on random paths, NumPy and JAX alike."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.risk import Breaker, BreakerConfig, Reason, State, Tick, allowed, reset, start, step
from tests.risk.plain_breaker import PlainBreaker

DEFAULTS = BreakerConfig()
# time, equity, session, data age, errors -> state, reason
TABLE = [
    (0, 100, 0, 0, 0, "RUN", ""),
    (10, 101, 0, 0, 0, "RUN", ""),
    (20, 98.5, 0, 0, 0, "RUN", ""),
    (30, 97.0, 0, 0, 0, "HALT", "session_loss"),
    (60, 97.5, 0, 0, 0, "HALT", "session_loss"),
    (89, 97.4, 0, 0, 0, "HALT", "session_loss"),
    (90, 97.4, 0, 0, 0, "COOL", "session_loss"),
    (209, 97.2, 0, 0, 0, "COOL", "session_loss"),
    (210, 97.2, 0, 0, 0, "RUN", ""),
    (220, 97.2, 0, 6, 0, "HALT", "stale"),
    (300, 97.2, 0, 0, 0, "HALT", "stale"),
    (340, 97.2, 0, 0, 0, "COOL", "stale"),
    (350, 97.2, 0, 0, 3, "KILL", "errors"),
    (9000, 97.2, 1, 0, 0, "KILL", "errors"),
]
ALLOWED = {"RUN": (1.0, 1.0, -1.0), "HALT": (0.0, 0.0, 0.0), "COOL": (0.25, 0.2, 0.0), "KILL": (0.0, 0.0, 0.0)}


def test_the_contracts_table():
    breaker = start(Tick(*TABLE[0][:5]))
    for *tick, state, reason in TABLE:
        breaker = step(DEFAULTS, breaker, Tick(*tick))
        assert (State(int(breaker.state)).name, Reason(int(breaker.reason)).word) == (state, reason), tick
        passed = [float(allowed(DEFAULTS, breaker, *pair)) for pair in ((1, 1), (0.2, 1), (0.5, -1))]
        assert passed == list(ALLOWED[state])


def random_ticks(rng, paths, length):
    """Whole numbers, so that 1 - E/peak is at a limit or clearly off it, and all of them hit limits exactly now and then."""
    time = np.cumsum(rng.integers(1, 60, (length, paths)), 0)
    equity = 200 + np.cumsum(rng.integers(-3, 4, (length, paths)), 0)
    session = np.cumsum(rng.random((length, paths)) < 0.02, 0)
    age = np.where(rng.random((length, paths)) < 0.05, rng.integers(4, 8, (length, paths)), 0)
    errors = np.where(rng.random((length, paths)) < 0.05, rng.integers(0, 5, (length, paths)), 0)
    return Tick(time, np.maximum(equity, 1), session, age, errors)


@pytest.fixture(scope="module")
def ticks():
    return random_ticks(np.random.default_rng(17), 1000, 150)


CONFIG = {
    "drawdown": 0.05, "session_loss": 0.03, "max_age": 5, "max_errors": 3, "cooldown": 60, "probation": 120, "cap": 0.25, "max_trips": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def plain(ticks):
    seen = np.empty((3, *ticks.time.shape), int)
    for path in range(ticks.time.shape[1]):
        machine = PlainBreaker(CONFIG)
        for at in range(ticks.time.shape[0]):
            state, reason, trips = machine.tick(*(int(column[at, path]) for column in ticks))
            seen[:, at, path] = State[state], Reason[reason.upper() or "NONE"], trips
    return seen


def test_a_thousand_random_paths_in_numpy(ticks, plain):
    breaker = start(Tick(*(column[0] for column in ticks)))
    for at in range(len(ticks.time)):
        breaker = step(DEFAULTS, breaker, Tick(*(column[at] for column in ticks)))
        for name, wanted in zip(("state", "reason", "trips"), plain[:, at], strict=True):
            np.testing.assert_array_equal(getattr(breaker, name), wanted)
    assert {*np.unique(plain[0])} == {0, 1, 2, 3} and {*np.unique(plain[1])} == {0, 1, 2, 3, 4}


def test_a_thousand_random_paths_in_jax(ticks, plain):
    given = Tick(*(jnp.asarray(c, t) for c, t in zip(ticks, (float, float, int, float, int), strict=True)))

    def one(path: Tick) -> Breaker:
        def following(breaker, tick):
            after = step(DEFAULTS, breaker, tick)
            return after, after

        return jax.lax.scan(following, start(jax.tree.map(lambda column: column[0], path)), path)[1]

    seen = jax.jit(jax.vmap(one, in_axes=1, out_axes=1))(given)
    for name, wanted in zip(("state", "reason", "trips"), plain, strict=True):
        np.testing.assert_array_equal(getattr(seen, name), wanted)


@pytest.mark.parametrize("limit", [k / 100 for k in range(1, 60)])
def test_a_loss_at_the_limit_trips_whatever_rounding_does_to_it(limit):
    config = BreakerConfig(drawdown=limit, session_loss=1.0)
    for equity, state in ((100 - round(100 * limit), State.HALT), (100 - round(100 * limit) + 1e-9, State.RUN)):
        breaker = start(Tick(0, 100, 0, 0, 0))
        assert int(step(config, breaker, Tick(1, equity, 0, 0, 0)).state) == state


@pytest.mark.parametrize("wrong", [{"equity": np.nan}, {"data_age": np.nan}, {"errors": np.nan}])
def test_a_number_that_is_none_halts(wrong):
    tick = Tick(0.0, 100.0, 0, 0.0, 0.0)
    assert int(step(DEFAULTS, start(tick), tick._replace(time=1.0, **wrong)).state) == State.HALT


def test_without_capital_it_never_resumes():
    tick = Tick(0, 100, 0, 0, 0)
    breaker = step(DEFAULTS, start(tick), tick._replace(time=1, equity=0))
    for time in range(100, 1000, 100):
        breaker = step(DEFAULTS, breaker, Tick(time, 0, 0, 0, 0))
    assert int(breaker.state) == State.KILL


def test_a_reset_takes_only_what_is_killed_and_only_to_probation():
    tick = Tick(0, 100, 0, 0, 0)
    fresh = start(tick)
    assert int(reset(fresh, tick).state) == State.RUN
    killed = fresh._replace(state=np.int64(State.KILL), trips=np.int64(3))
    after = reset(killed, Tick(500, 50, 0, 0, 0))
    assert (int(after.state), int(after.trips), float(after.peak), float(after.since)) == (State.COOL, 0, 50, 500)
