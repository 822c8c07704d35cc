"""Benchmarks of optimal execution: immediate, submit-and-leave, TWAP, VWAP. All of them are schedules: so many lots at each decision.

As in Cheridito and Weiss (arXiv 2507.06345), section 4: a first limit order is placed at the best price of the own side, later ones one
tick inside the opposite best; nothing is cancelled before the deadline, when the venue sells what is left.
"""

from typing import Any, Protocol, cast

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import best_prices
from lobjax.env import Environment, EnvParams, EnvState
from lobjax.env.base import AGENT
from lobjax.env.messages import fresh_ids, orders
from lobjax.kinds import Kind
from lobjax.market import MarketState, Orders
from lobjax.playing import market_alone
from lobjax.settings import settled
from lobjax.types import Message, Side


class Worked(Protocol):
    """A task that works off an order."""

    @property
    def side(self) -> Side:
        """Of the agent's own orders: an ask sells."""
        ...

    def closing(self, state: Any, params: Any) -> Message:
        """What the venue does when this step ends."""
        ...


class Scheduled(flax.struct.PyTreeNode):
    """One order at every decision, in sizes fixed beforehand: a limit order, or a market order."""

    lots: jax.Array  # int32 [decisions]
    at_market: jax.Array  # bool

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        step, last = state.task.step, self.lots.shape[0] - 1
        lots = jnp.where(step <= last, self.lots[jnp.minimum(step, last)], 0)
        limit = _limit(env, state, lots)
        kind = jnp.where(self.at_market & (limit.kind == Kind.LIMIT), jnp.int32(Kind.MARKET), limit.kind)
        return _send(env, state, params, limit._replace(kind=kind))


@settled
def scheduled(lots: np.ndarray | list[int], *, at_market: bool = False) -> Scheduled:
    """The schedule of `lots` `[decisions]`; ValueError where one is negative."""
    if min(lots) < 0:
        raise ValueError(f"a schedule cannot hold negative lots: {list(lots)}")
    return Scheduled(jnp.asarray(lots, jnp.int32), jnp.bool_(at_market))


def immediate(lots: int, decisions: int) -> Scheduled:
    """One market order for everything, at once."""
    return scheduled(_all_first(lots, decisions), at_market=True)


def submit_and_leave(lots: int, decisions: int) -> Scheduled:
    """One limit order for everything at the best price of the own side, left there until the deadline."""
    return scheduled(_all_first(lots, decisions))


def twap(lots: int, decisions: int) -> Scheduled:
    """Equal lots at every decision; a remainder goes to the first ones."""
    each, rest = divmod(lots, decisions)
    return scheduled([each + (k < rest) for k in range(decisions)])


def vwap(lots: int, profile: np.ndarray) -> Scheduled:
    """Lots in proportion to a volume profile `[decisions]`, estimated on other episodes than those traded (`volume_profile`).

    ValueError where the profile is negative somewhere or zero everywhere.
    """
    profile = np.asarray(profile, np.float64)
    if not (profile >= 0).all() or not profile.sum() > 0:
        raise ValueError("a volume profile needs volumes of 0 or more, and not all of them 0")
    cumulative = np.round(lots * np.cumsum(profile) / profile.sum()).astype(int)
    return scheduled(np.diff(cumulative, prepend=0))


def why_same(env: Environment, players: dict[str, Any]) -> str:
    """Why two players by name, if both are schedules, cannot but do the same, as a clause; empty where they can differ."""
    one, other = players.values()
    if not (isinstance(one, Scheduled) and isinstance(other, Scheduled)):
        return ""
    (lots, market), (other_lots, other_market) = ((np.asarray(s.lots), bool(s.at_market)) for s in (one, other))
    if market != other_market or not np.array_equal(lots, other_lots):
        return ""
    same = f"both trade {', '.join(map(str, lots[:10]))}{', ...' if len(lots) > 10 else ''} lots, decision by decision"
    if set(players) != {"twap", "vwap"}:
        return same
    if env.starts:
        return f"{same}, as the measured volume profile is so even that VWAP's parts, in whole lots, are TWAP's"
    return f"{same}, as the simulated market's volume profile is flat (it trades as much early as late), and VWAP's parts are then TWAP's"


@settled
def volume_profile(env: Environment, params: EnvParams, keys: jax.Array) -> np.ndarray:
    """Mean lots traded between decisions, float64 `[decisions]`, over one episode without the agent for each of `keys` [n]."""

    def traded(before: MarketState, after: MarketState) -> jax.Array:
        return jnp.sum(after.tape.traded_lots, dtype=jnp.int32)

    lots = jax.jit(lambda keys: market_alone(env, params, keys, traded)[-1])(keys)
    return np.asarray(lots, np.float64).mean(axis=0)


def _task(env: Environment) -> Worked:
    return cast(Worked, env.task)


def _all_first(lots: int, decisions: int) -> list[int]:
    return [lots] + [0] * (decisions - 1)


def _limit(env: Environment, state: EnvState, lots: jax.Array) -> Message:
    first = state.task.step == 0
    price = jnp.where(first, _own_best(env, state.market), _inside(env, state.market))
    ids = fresh_ids(AGENT, state.task.step, 1)
    return orders(Kind.LIMIT, jnp.int32(_task(env).side), price[None], lots[None], ids, AGENT)


def _own_best(env: Environment, market: MarketState) -> jax.Array:
    bid, ask = best_prices(market.book)
    if _task(env).side == Side.ASK:
        return jnp.where(ask > 0, ask, bid + 1)
    return jnp.where(bid > 0, bid, jnp.maximum(ask - 1, 1))


def _inside(env: Environment, market: MarketState) -> jax.Array:
    """One tick from the opposite best."""
    bid, ask = best_prices(market.book)
    if _task(env).side == Side.ASK:
        return jnp.where(bid > 0, bid, ask - 1) + 1
    return jnp.maximum(jnp.where(ask > 0, ask, bid + 1) - 1, 1)


def _send(env: Environment, state: EnvState, params: EnvParams, message: Message):
    closing = _task(env).closing(state.task, params.task)
    return state.task.replace(step=state.task.step + 1), Orders(message, closing)
