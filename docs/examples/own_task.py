"""A task of your own: buy one lot within an episode, when it seems cheapest. own_task.yaml names this module under `plugins`."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.env import Environment, Measures, Metric, MultiDiscrete
from lobjax.env.measures import AGENT
from lobjax.env.messages import orders
from lobjax.env.views import market_features, market_names, mid2_ticks
from lobjax.kinds import Kind
from lobjax.market import Orders
from lobjax.ranges import Range, check
from lobjax.tasks import EnvConfig, Strategies, TaskSpec, Words, register
from lobjax.tasks.market import Role, limits, on_market
from lobjax.types import INT32_MAX, Side
from lobjax.wide import to_float


@dataclass(frozen=True, kw_only=True)
class OneLotConfig:
    kind: Literal["one_lot"] = "one_lot"
    decisions: Annotated[int, Range(1, 10_000)] = 10
    step_s: Annotated[float, Range(1e-3, 3600.0)] = 1.0
    step_messages: ClassVar[int] = 0  # steps go by the clock
    __post_init__ = check  # the ranges


class State(NamedTuple):
    step: jax.Array  # int32, decisions taken
    start_mid2: jax.Array  # int32, twice the mid at the start


@dataclass(frozen=True)
class OneLot:
    observation_names: tuple[str, ...]
    name: str = "one_lot"
    action_space = MultiDiscrete((2,))  # wait, buy
    idle = (0,)

    def begin(self, market, params):
        return State(jnp.int32(0), mid2_ticks(market))

    def act(self, state, market, action, params):
        none = jnp.zeros((1,), jnp.int32)
        last = jnp.where(state.step + 1 >= params["decisions"], INT32_MAX, none)  # the venue buys what is missing
        sent, closing = (orders(Kind.MARKET, Side.BID, none, size, 0, AGENT) for size in (action[:1], last))
        return state._replace(step=state.step + 1), Orders(sent, closing)

    def judge(self, state, before, after, params):
        held, paid = after.accounts.lots[AGENT], -to_float(after.accounts.cash)[AGENT]
        cost = paid - held * state.start_mid2.astype(jnp.float32) * 0.5  # 0 until it has bought
        done = (held > 0) | (state.step >= params["decisions"])
        return state, -cost, done, jnp.bool_(False), {"cost_ticks": cost}

    def observe(self, state, market, params):
        left = 1 - state.step[None] * params["per_decision"]
        return jnp.concatenate([left, market_features(market, jnp.float32(0.1))])


def make(config: EnvConfig) -> Environment:
    params = {"decisions": jnp.int32(config.task.decisions), "per_decision": jnp.float32(1 / config.task.decisions)}
    names = ("time_left", *market_names(config.market.levels))
    return on_market(config, Role(OneLot(names), params, limits(0, 1, 1), "wait, or buy one lot"))


class AtOnce(NamedTuple):  # to compare with; the venue cuts off what goes beyond one lot
    def decide(self, env, state, params):
        return env.task.act(state.task, state.market, jnp.ones((1,), jnp.int32), params.task)


measures = Measures(
    metrics=(Metric("cost_ticks", "cost", "ticks", "lower", "What the lot cost beyond the first mid."),)
)
strategies = Strategies(make=lambda field, names: {"at_once": AtOnce()}, names=("at_once",))
words = Words(title="Buying one lot", job=lambda task: f"A player buys one lot within {task['decisions']} decisions.")
register(TaskSpec(config=OneLotConfig, make=make, measures=measures, strategies=strategies, words=words))
