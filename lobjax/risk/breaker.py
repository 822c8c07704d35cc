"""A circuit breaker as a pure function: RUN, HALT, COOL, KILL; one evaluation a tick, before the orders of that tick.

RUN or COOL with a reason -> HALT, whose `max_trips`-th in a session is KILL. HALT: every order is cancelled, the target is 0. After
cooldown x 2^(trips - 1), and neither stale nor in error -> COOL, where peak and session begin again at the equity of that tick. COOL: only
towards zero, and at most `cap` of the limit; after `probation` -> RUN. KILL ends only by `reset`; a new session leaves it.

It works on NumPy (float64) and on JAX, jitted and mapped over environments, where every field is an array of one shape. A number that is
none (NaN) trips: what is not known to be safe is not.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, NamedTuple

import numpy as np

from lobjax.ranges import Range, check
from lobjax.risk.namespace import as_floats, namespace


class State(IntEnum):
    """What the breaker lets through: all, nothing, a part of the limit, nothing for good."""

    RUN = 0
    HALT = 1
    COOL = 2
    KILL = 3


class Reason(IntEnum):
    """Why it halted: the first of these that holds."""

    NONE = 0
    STALE = 1
    ERRORS = 2
    SESSION_LOSS = 3
    DRAWDOWN = 4

    @property
    def word(self) -> str:
        """As it is written in logs; empty for none."""
        return self.name.lower() if self else ""


@dataclass(frozen=True)
class BreakerConfig:
    """Limits, at equality of which it trips (`max_age`: above which). Shares are of the peak and of the session's first equity."""

    drawdown: Annotated[float, Range(1e-9, 1.0)] = 0.05
    session_loss: Annotated[float, Range(1e-9, 1.0)] = 0.03
    max_age: Annotated[float, Range(0.0, 1e9)] = 5.0  # seconds
    max_errors: Annotated[int, Range(1, 10**9)] = 3
    cooldown: Annotated[float, Range(0.0, 1e9)] = 60.0  # seconds after the first trip of a session
    probation: Annotated[float, Range(0.0, 1e9)] = 120.0  # seconds
    cap: Annotated[float, Range(0.0, 1.0)] = 0.25  # of the limit, in COOL
    max_trips: Annotated[int, Range(1, 64)] = 3

    def __post_init__(self) -> None:
        check(self)


class Tick(NamedTuple):
    """What is known before the orders of a tick. `session` is a number; another one than before begins a session."""

    time: Any  # seconds
    equity: Any
    session: Any
    data_age: Any  # seconds
    errors: Any  # so far, as the caller counts them


class Breaker(NamedTuple):
    """The state that is carried from tick to tick."""

    state: Any  # State
    reason: Any  # Reason of the last trip, NONE in RUN
    peak: Any
    opened: Any  # the equity with which the session began
    session: Any
    trips: Any  # in this session
    since: Any  # seconds: when the state was entered
    wait: Any  # seconds that a HALT lasts at least


def start(tick: Tick) -> Breaker:
    """The breaker before a first tick, which `step` is given next."""
    xp = namespace(*tick)
    time, equity = as_floats(xp, tick.time), as_floats(xp, tick.equity)
    zero = xp.zeros_like(xp.asarray(tick.session))
    return Breaker(zero, zero, equity, equity, xp.asarray(tick.session), zero, time, xp.zeros_like(time))


def step(config: BreakerConfig, breaker: Breaker, tick: Tick) -> Breaker:
    """The state for the orders of this tick."""
    xp = namespace(*breaker, *tick)
    time, equity = as_floats(xp, tick.time), as_floats(xp, tick.equity)
    session = xp.asarray(tick.session)
    new = session != breaker.session
    opened = xp.where(new, equity, breaker.opened)
    trips = xp.where(new, 0, breaker.trips)
    peak = xp.maximum(breaker.peak, equity)
    feed = ~(as_floats(xp, tick.data_age) <= config.max_age), ~(as_floats(xp, tick.errors) < config.max_errors)
    losses = _reached(xp, equity, opened, config.session_loss), _reached(xp, equity, peak, config.drawdown)
    reason = xp.where(losses[1], int(Reason.DRAWDOWN), int(Reason.NONE))
    for found, which in ((losses[0], Reason.SESSION_LOSS), (feed[1], Reason.ERRORS), (feed[0], Reason.STALE)):
        reason = xp.where(found, int(which), reason)

    working = (breaker.state == State.RUN) | (breaker.state == State.COOL)
    trip = working & (reason != Reason.NONE)
    trips = trips + trip
    waited = time - breaker.since
    cool = (breaker.state == State.HALT) & (waited >= breaker.wait) & ~(feed[0] | feed[1])
    run = (breaker.state == State.COOL) & ~trip & (waited >= config.probation)
    tripped = xp.where(trips >= config.max_trips, int(State.KILL), int(State.HALT))
    state = xp.where(trip, tripped, xp.where(cool, int(State.COOL), xp.where(run, int(State.RUN), breaker.state)))
    wait = config.cooldown * 2.0 ** xp.maximum(trips - 1, 0)
    return Breaker(
        state=state,
        reason=xp.where(trip, reason, xp.where(run, int(Reason.NONE), breaker.reason)),
        peak=xp.where(cool, equity, peak),
        opened=xp.where(cool, equity, opened),
        session=session,
        trips=trips,
        since=xp.where(trip | cool | run, time, breaker.since),
        wait=xp.where(trip, as_floats(xp, wait).astype(breaker.wait.dtype), breaker.wait),
    )


def allowed(config: BreakerConfig, breaker: Breaker, position: Any, target: Any) -> Any:
    """The target position that passes, of the `target` that is asked for; both in shares of the limit, -1 to 1."""
    xp = namespace(*breaker, position, target)
    position, target = as_floats(xp, position), as_floats(xp, target)
    towards = xp.clip(target, xp.minimum(position, 0.0), xp.maximum(position, 0.0))
    small = xp.clip(towards, -config.cap, config.cap)
    return xp.where(breaker.state == State.RUN, target, xp.where(breaker.state == State.COOL, small, 0.0))


def reset(breaker: Breaker, tick: Tick) -> Breaker:
    """KILL -> COOL, as a person orders it (who is named in the audit log: `lobjax.risk.gate`); trips count from 0 again."""
    xp = namespace(*breaker, *tick)
    killed = breaker.state == State.KILL
    time, equity = as_floats(xp, tick.time), as_floats(xp, tick.equity)
    return breaker._replace(
        state=xp.where(killed, int(State.COOL), breaker.state),
        peak=xp.where(killed, equity, breaker.peak),
        opened=xp.where(killed, equity, breaker.opened),
        trips=xp.where(killed, 0, breaker.trips),
        since=xp.where(killed, time, breaker.since),
    )


def _reached(xp: Any, equity: Any, reference: Any, limit: float) -> Any:
    """Whether 1 - equity / reference is at the limit or above, as decimals mean it: 1 - 90 / 100 is at .1. Without capital: always."""
    loss = xp.where(reference > 0, 1 - equity / xp.where(reference > 0, reference, 1.0), 1.0)
    return ~(loss < limit - 8 * np.finfo(loss.dtype).eps)
