"""Benchmarks of optimal execution: immediate, submit-and-leave, TWAP, VWAP.

As in Cheridito and Weiss (arXiv 2507.06345), section 4: a first limit order is placed at the best price of the own side, later ones one
tick inside the opposite best; nothing is cancelled before the deadline, when the venue sells what is left.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import best_prices
from lobjax.env import Environment, EnvParams, EnvState
from lobjax.env.base import AGENT
from lobjax.env.messages import fresh_ids, orders
from lobjax.market import MarketState, Orders
from lobjax.types import Kind, Message, Side


@dataclass(frozen=True)
class Immediate:
    """One market order for everything, at once."""

    name: str = "immediate"

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        now = state.task.step == 0
        lots = jnp.where(now, params.task.lots, 0)[None]
        return _send(env, state, params, orders(Kind.MARKET, jnp.int32(env.task.side), lots * 0, lots, 0, AGENT))


@dataclass(frozen=True)
class SubmitAndLeave:
    """One limit order for everything at the best price of the own side, left there until the deadline."""

    name: str = "submit_and_leave"

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        lots = jnp.where(state.task.step == 0, params.task.lots, 0)
        return _send(env, state, params, _limit(env, state, lots))


@dataclass(frozen=True)
class Scheduled:
    """A limit order at every decision, in sizes by a schedule: lots `[decisions]`, each tuple entry the lots of one decision."""

    lots: tuple[int, ...]
    name: str

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        schedule = jnp.asarray(self.lots, jnp.int32)
        lots = jnp.where(
            state.task.step < len(self.lots), schedule[jnp.minimum(state.task.step, len(self.lots) - 1)], 0
        )
        return _send(env, state, params, _limit(env, state, lots))


def twap(lots: int, decisions: int) -> Scheduled:
    """Equal lots at every decision; a remainder goes to the first ones."""
    each, rest = divmod(lots, decisions)
    return Scheduled(tuple(each + (k < rest) for k in range(decisions)), "twap")


def vwap(lots: int, profile: np.ndarray) -> Scheduled:
    """Lots in proportion to a volume profile `[decisions]`, estimated on other episodes than those traded (`volume_profile`)."""
    share = np.cumsum(profile) / np.sum(profile)
    cumulative = np.round(lots * share).astype(int)
    return Scheduled(tuple(int(n) for n in np.diff(cumulative, prepend=0)), "vwap")


def volume_profile(env: Environment, params: EnvParams, keys: jax.Array) -> np.ndarray:
    """Mean lots traded between decisions, float64 `[decisions]`, over one episode without the agent for each of `keys` [n]."""
    decisions = int(params.task.decisions)

    def episode(key: jax.Array) -> jax.Array:
        _, state = env.reset(key, params)

        def one(state: EnvState, key: jax.Array):
            task, blank = _send(env, state, params, _limit(env, state, jnp.int32(0)))
            blank = blank._replace(closing=blank.closing._replace(kind=jnp.zeros_like(blank.closing.kind)))
            _, state, *_ = env.play(key, state.replace(task=task), blank, params)
            return state, state.market.tape.traded_lots.sum()

        return jax.lax.scan(one, state, jax.random.split(key, decisions))[1]

    return np.asarray(jax.jit(jax.vmap(episode))(keys), np.float64).mean(axis=0)


def _limit(env: Environment, state: EnvState, lots: jax.Array) -> Message:
    first = state.task.step == 0
    price = jnp.where(first, _own_best(env, state.market), _inside(env, state.market))
    ids = fresh_ids(AGENT, state.task.step, 1)
    return orders(Kind.LIMIT, jnp.int32(env.task.side), price[None], lots[None], ids, AGENT)


def _own_best(env: Environment, market: MarketState) -> jax.Array:
    bid, ask = best_prices(market.book)
    if env.task.side == Side.ASK:
        return jnp.where(ask > 0, ask, bid + 1)
    return jnp.where(bid > 0, bid, jnp.maximum(ask - 1, 1))


def _inside(env: Environment, market: MarketState) -> jax.Array:
    """One tick from the opposite best."""
    bid, ask = best_prices(market.book)
    if env.task.side == Side.ASK:
        return jnp.where(bid > 0, bid, ask - 1) + 1
    return jnp.maximum(jnp.where(ask > 0, ask, bid + 1) - 1, 1)


def _send(env: Environment, state: EnvState, params: EnvParams, message: Message):
    closing = env.task.closing(state.task, params.task)
    return state.task.replace(step=state.task.step + 1), Orders(message, closing)
