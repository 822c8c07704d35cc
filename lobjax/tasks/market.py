"""An environment around a task in a market of messages: the flow, the warm-up, fees, delays and limits, which all such tasks share."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.clock import NS, Time, from_seconds
from lobjax.env import Environment, EnvParams, Task
from lobjax.env.measures import AGENT
from lobjax.errors import InputError
from lobjax.flow import Made, Needs, make_flow
from lobjax.market import Fees, Limits, Market, MarketParams
from lobjax.settings import key_of
from lobjax.tasks.config import EnvConfig, MarketConfig

_FAR_S = 10**9  # later than any message, and far from the end of int32


class Role(NamedTuple):
    """A task and what the venue holds its account to."""

    task: Task
    params: Any  # the task's
    limits: Limits  # see `limits`
    actions: str  # what actions mean, in words: an agent is for one meaning


class Ground(NamedTuple):
    """The market that a task is put into, before it is."""

    made: Made
    warm_up_ns: list[int]  # nanoseconds of each step of the warm-up


def ground(config: EnvConfig, *, looks_back: bool = False) -> Ground:
    """The flow of a configuration, and the warm-up. `looks_back`: the task wants a whole step before the first decision.

    InputError where steps, delays and messages do not fit each other.
    """
    task = config.task
    _check_step(task, config.market)
    by_count = bool(task.step_messages)
    needs = Needs(
        capacity=config.market.capacity,
        episode_s=0.0 if by_count else task.decisions * task.step_s,
        episode_messages=task.decisions * task.step_messages,
    )
    made = make_flow(config.flow, needs)
    lengths = _warm_up(task, made.warm_up_s)  # of a task that looks back, what is left over comes first
    return Ground(made, lengths[::-1] if looks_back else lengths)


def on_market(config: EnvConfig, role: Role, found: Ground | None = None) -> Environment:
    """The environment of a task; `found` None: on the ground of its configuration."""
    made, warm_up = ground(config) if found is None else found
    task, venue = config.task, config.market
    market = Market(
        flow=made.flow,
        capacity=venue.capacity,
        accounts=AGENT,
        queue_places=venue.queue_places,
        max_messages=venue.max_messages,
        levels=venue.levels,
        step_messages=task.step_messages,
        engine=venue.engine,
    )
    params = EnvParams(
        market=MarketParams(made.params, _fees(venue), *_delays(venue), role.limits),
        task=role.params,
        step_time=from_seconds(_FAR_S if task.step_messages else task.step_s),
        warm_up=Time(*jnp.asarray([divmod(ns, NS) for ns in warm_up], jnp.int32).reshape(-1, 2).T),
    )
    return Environment(
        market=market,
        task=role.task,
        default_params=params,
        decisions=task.decisions,
        actions=role.actions,
        starts=made.starts,
        warm_up_steps=len(warm_up),
    )


def opening_lots(found: Ground) -> jax.Array:
    """Lots by side, int32 `[2]`, of the book that opened a step before the first decision; 0 where it opened at another time."""
    if len(found.warm_up_ns) != 1:
        return jnp.zeros((2,), jnp.int32)
    return found.made.flow.open(key_of(0), found.made.params).book.size.sum(axis=1, dtype=jnp.int32)


def limits(low: int, high: int, target: int) -> Limits:
    """That the agent's position stays from `low` to `high` lots, and that the venue closes it to `target` at the end."""
    return Limits(*(jnp.asarray([0, value], jnp.int32) for value in (low, high, target)))


def _check_step(task: Any, market: MarketConfig) -> None:
    """Orders must have arrived before the next decision, and the messages of a step must fit its bound."""
    delay_s = (market.feed_delay_ns + market.order_delay_ns) * 1e-9
    if task.step_messages and delay_s:
        raise InputError(
            "env.market: steps counted in messages may be shorter than any delay; set feed_delay_ns and order_delay_ns to 0, "
            "or env.task.step_messages to 0"
        )
    if delay_s >= task.step_s:
        raise InputError(
            f"env.market: feed and order delay together ({delay_s:g} s) must be shorter than a step "
            f"({task.step_s:g} s), so that orders have arrived before the next decision; lengthen env.task.step_s"
        )
    if task.step_messages and task.step_messages + market.queue_places > market.max_messages:
        raise InputError(
            f"env.market.max_messages: {market.max_messages} are too few for {task.step_messages} messages of the flow and "
            f"{market.queue_places} in flight; set it to {task.step_messages + market.queue_places} or more"
        )


def _warm_up(task: Any, warm_up_s: float) -> list[int]:
    """Nanoseconds of each step of the warm-up: those of the task, and at last one for what is left over."""
    steps = math.ceil(warm_up_s / task.step_s - 1e-9)
    if steps > 10_000:
        raise InputError(
            f"env: a warm-up of {warm_up_s:g} s takes {steps} steps of {task.step_s:g} s; lengthen env.task.step_s"
        )
    total, each = round(warm_up_s * NS), round(task.step_s * NS)
    return [min(each, total - each * k) for k in range(steps)]


def _fees(config: MarketConfig) -> Fees:
    charged = (config.maker_fee_milliticks, config.taker_fee_milliticks)
    return Fees(*(jnp.asarray([0, fee], jnp.int32) for fee in charged))


def _delays(config: MarketConfig) -> tuple[Time, Time]:
    def rows(ns: int) -> Time:
        s, rest = divmod(ns, 1_000_000_000)
        return Time(jnp.asarray(np.array([0, s]), jnp.int32), jnp.asarray(np.array([0, rest]), jnp.int32))

    return rows(config.feed_delay_ns), rows(config.order_delay_ns)
