"""A strategic trader beside another flow: buys, or sells, all episode long, whatever happens.

At the opening and every `every_s` after it, a market order and then a limit order a tick from the opposite best, as that was before the
market order. It cancels nothing (Cheridito and Weiss, arXiv 2507.06345, section 2). At one instant the other flow comes first.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.book import BySide, best_prices
from lobjax.clock import Time, from_seconds
from lobjax.flow.base import Flow, Opening
from lobjax.kinds import Kind
from lobjax.ranges import Range, check
from lobjax.types import SYNTHETIC_ID_BASE, Message, Side

STRATEGIC_OWNER = -2
FIRST_ID = SYNTHETIC_ID_BASE + (1 << 28)
_DIRECTIONS = {"buy": 1, "sell": -1, "drawn": 0}


@dataclass(frozen=True, kw_only=True)
class StrategicConfig:
    """One trader. Times in seconds, sizes in lots."""

    every_s: Annotated[float, Range(1e-6, 1e6)] = 3.0
    market_lots: Annotated[int, Range(0, (1 << 20) - 1)] = 1
    limit_lots: Annotated[int, Range(0, (1 << 20) - 1)] = 2
    direction: Literal["drawn", "buy", "sell"] = "drawn"  # drawn: either, with equal chances, for each episode

    def __post_init__(self) -> None:
        check(self)


class StrategicParams(flax.struct.PyTreeNode):
    """The numbers on the device."""

    other: Any  # the other flow's
    every: Time
    lots: jax.Array  # int32 [2], of the market and of the limit order
    direction: jax.Array  # int32, 1 buys, -1 sells, 0 is drawn


def strategic_params(config: StrategicConfig, other: Any) -> StrategicParams:
    """Put a configuration on the device, beside the other flow's parameters."""
    lots = jnp.asarray([config.market_lots, config.limit_lots], jnp.int32)
    return StrategicParams(other, from_seconds(config.every_s), lots, jnp.int32(_DIRECTIONS[config.direction]))


class StrategicState(NamedTuple):
    """The flow's own state; waits are counted from the message that is due next."""

    other: Any
    other_wait: Time
    own_wait: Time
    direction: jax.Array  # int32, 1 buys, -1 sells
    sent: jax.Array  # int32, orders so far; an even one is a market order
    price: jax.Array  # int32, of the limit order, read before the market order


@dataclass(frozen=True)
class StrategicFlow:
    """A `Flow`: another flow and the trader; see the module's text."""

    other: Flow

    @property
    def words(self) -> int:
        """The other flow's: the trader draws nothing after the opening."""
        return self.other.words

    @property
    def in_kernel(self) -> bool:
        """As the other flow."""
        return bool(getattr(self.other, "in_kernel", False))

    def open(self, key: jax.Array, params: StrategicParams, start: jax.Array | None = None) -> Opening:
        """The other flow's opening; the trader's direction is drawn, and the first orders come at once."""
        opening = self.other.open(key, params.other, start)
        drawn = jnp.where(jax.random.bits(jax.random.fold_in(key, 1), dtype=jnp.uint32) >> 31 == 0, jnp.int32(1), -1)
        direction = jnp.where(params.direction == 0, drawn, params.direction)
        due = clock.choose(clock.before(opening.due, opening.now), opening.due, opening.now)
        waits = clock.minus(opening.due, due), clock.minus(opening.now, due)
        zero = jnp.int32(0)
        return opening._replace(flow=StrategicState(opening.flow, *waits, direction, zero, zero), due=due)

    def next(
        self, state: StrategicState, book: BySide, words: jax.Array, params: StrategicParams
    ) -> tuple[StrategicState, Message, Time]:
        """The message of whoever comes first, and the wait for the next of either."""
        of_other = clock.at_or_before(state.other_wait, state.own_wait)
        other, message, other_wait = self.other.next(state.other, book, words, params.other)
        own, order, own_wait = _order(state, book, params)
        message = Message(*(jnp.where(of_other, theirs, ours) for theirs, ours in zip(message, order, strict=True)))
        other = jax.tree.map(lambda new, old: jnp.where(of_other, new, old), other, state.other)
        own = jax.tree.map(lambda new, old: jnp.where(of_other, old, new), own, state)
        other_wait = clock.choose(of_other, other_wait, state.other_wait)
        own_wait = clock.choose(of_other, state.own_wait, own_wait)
        wait = clock.choose(clock.at_or_before(other_wait, own_wait), other_wait, own_wait)
        waits = clock.minus(other_wait, wait), clock.minus(own_wait, wait)
        return own._replace(other=other, other_wait=waits[0], own_wait=waits[1]), message, wait


def _order(state: StrategicState, book: BySide, params: StrategicParams) -> tuple[StrategicState, Message, Time]:
    """The trader's next order, and the wait from it to the one after."""
    at_market = (state.sent & 1) == 0
    price = jnp.where(at_market, _inside(book, state.direction), state.price)
    lots = jnp.where(at_market, params.lots[0], params.lots[1])
    kind = jnp.where(at_market, jnp.int32(Kind.MARKET), Kind.LIMIT)
    message = Message(
        kind=jnp.where((lots > 0) & (price > 0), kind, Kind.NOOP),
        side=jnp.where(state.direction > 0, jnp.int32(Side.BID), Side.ASK),
        price=price,
        size=lots,
        order_id=FIRST_ID + state.sent,
        owner=jnp.int32(STRATEGIC_OWNER),
    )
    at_once = Time(jnp.int32(0), jnp.int32(0))
    wait = clock.choose(at_market, at_once, jax.tree.map(lambda word: word[...], params.every))
    return state._replace(sent=state.sent + 1, price=price), message, wait


def _inside(book: BySide, direction: jax.Array) -> jax.Array:
    """A tick from the opposite best (a side without orders is taken to be a tick from the other); 0 where the book is empty."""
    bid, ask = best_prices(book)
    buy = jnp.where(ask > 0, ask - 1, bid)
    sell = jnp.where(bid > 0, bid + 1, ask)
    return jnp.where(direction > 0, buy, sell)
