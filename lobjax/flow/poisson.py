"""A Poisson market: limit orders, market orders and cancellations arrive at rates by distance from the opposite best price.

Limit orders of a side arrive at `limit_per_s[i - 1]` i ticks from the opposite best; market orders at one rate a side; cancellations
at `cancel_per_lot_s[i - 1]` times the lots resting there (any owner's; they take only the flow's own orders, newest first).
Sizes are `round(clip(1 + |N(0, size_std^2)|, 1, size_max))`. All six totals superpose into one Poisson source, of at most 64 events
a second; tactical traders move them with the book's imbalance (`lobjax.flow.tactical`). A side that ran empty gets an order a tick from
the other one's best, as large as what rests there. The defaults are the noise trader and opening book of Cheridito and Weiss
(arXiv 2507.06345), section 2. Integer arithmetic throughout (`lobjax.flow.fixed`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, BySide, best_prices, lots_from
from lobjax.clock import Time, choose, from_seconds
from lobjax.flow.base import Opening
from lobjax.flow.driven import DrivenParams, driven_rate, driven_size
from lobjax.flow.fixed import (
    MAX_TOTAL_RATE,
    MINUS_LOG,
    RATE_ONE,
    exponential,
    quotient,
    thresholds,
    times,
    to_rate,
    waiting_time,
)
from lobjax.flow.registry import FlowSpec, Made, Needs, register
from lobjax.flow.strategic import StrategicConfig, StrategicFlow, strategic_params
from lobjax.flow.tactical import TacticalConfig, TacticalParams, multipliers, pressed_by, tactical_params
from lobjax.kinds import Kind
from lobjax.ranges import Length, Range, check
from lobjax.types import MAX_CAPACITY, SYNTHETIC_ID_BASE, Message, Side
from lobjax.wide import high_product

MAX_DISTANCES = 64  # so that the sum of all rates, each at most 2^24, fits in 32 bits
MIN_PADDED = 32  # the width of a warp
OPENING_OWNER = -1  # a background party of its own: the flow never cancels the opening book
REFILL_LOTS = 5  # of the bid that starts an empty book
REFILL_NS = 1000  # from an order that refills a side to the next message


_LEAST_RATE = 0.5 / RATE_ONE  # smaller ones would round to 0
_LIMIT = Range(0.0, 32.0, _LEAST_RATE)
# Times the largest `tactical.scale`, the rate of a single lot stays below that of all.
_CANCEL = Range(0.0, 10.0, _LEAST_RATE)
_TICKS, _LOTS = Range(1, (1 << 28) - 1), Range(1, (1 << 20) - 1)  # so that a side's lots fit 31 bits


@dataclass(frozen=True, kw_only=True)
class PoissonConfig:
    """Rates in events per second, distances in ticks from 1 on, sizes in lots."""

    kind: Literal["poisson"] = "poisson"
    limit_per_s: Annotated[tuple[Annotated[float, _LIMIT], ...], Length(1, MAX_DISTANCES)] = (
        0.2842, 0.5255, 0.2971, 0.2307, 0.0826, 0.0682, 0.0631, 0.0481, 0.0462, 0.0321, 0.0178, 0.0015, 0.0001,
    )  # fmt: skip
    cancel_per_lot_s: Annotated[tuple[Annotated[float, _CANCEL], ...], Length(1, MAX_DISTANCES)] = (
        0.08636, 0.04635, 0.01487, 0.01096, 0.00402, 0.00341, 0.00311, 0.00237, 0.00233, 0.00178, 0.00127, 0.00012, 0.00001,
    )  # fmt: skip
    market_per_s: Annotated[float, _LIMIT] = 0.1237
    size_std: Annotated[float, Range(0.0, 1000.0)] = 2.0
    size_max: Annotated[int, Range(1, 64)] = 20
    best_bid_ticks: Annotated[int, _TICKS] = 1000
    spread_ticks: Annotated[int, Range(1, (1 << 20) - 1)] = 1
    opening_lots: Annotated[tuple[Annotated[int, _LOTS], ...], Length(0, MAX_CAPACITY)] = (
        4, 11, 16, 19, 20, 20, 20, 19, 18, 18, 17, 16, 15, 14, 14, 13, 12, 12, 11, 11, 10, 9, 9, 8, 8, 7, 7, 6, 6, 6,
    )  # fmt: skip
    warm_up_s: Annotated[float, Range(0.0, 86_400.0)] = 15.0
    tactical: TacticalConfig | None = None  # traders that read the book's imbalance
    strategic: StrategicConfig | None = None  # a trader who buys or sells all the time, beside this flow

    def __post_init__(self) -> None:
        check(self)
        if len(self.limit_per_s) != len(self.cancel_per_lot_s):
            raise ValueError(
                "limit_per_s and cancel_per_lot_s need one rate a distance each, and the same number of them"
            )
        strongest = self.tactical.scale * (1 + self.tactical.factor) if self.tactical else 1.0
        if 2 * (sum(self.limit_per_s) + self.market_per_s) * strongest * 2**18 > MAX_TOTAL_RATE / 2:
            raise ValueError(
                "rates are too high: limit and market orders of both sides must stay below 32 a second, whatever tactical traders do"
            )
        if self.best_bid_ticks <= len(self.opening_lots) + len(self.limit_per_s):
            raise ValueError("best_bid_ticks leaves no room for the opening book above a price of 0")


class PoissonParams(flax.struct.PyTreeNode):
    """The numbers of a Poisson market on the device; D distances. A GPU kernel needs vectors of a power of two, so some end in padding."""

    limit: jax.Array  # uint32 [P], rate in 2^-18 per second; 0 beyond D
    cancel: jax.Array  # uint32 [P], the same per resting lot
    market: jax.Array  # uint32
    size_thresholds: jax.Array  # uint32 [T]; not used from size_max - 1 on
    minus_log: jax.Array  # uint32, `fixed.MINUS_LOG`
    tactical: TacticalParams | None
    opening: Book
    start: Time  # minus the warm-up: an episode's clock starts at 0 after it
    distances: int = flax.struct.field(pytree_node=False)  # D
    size_max: int = flax.struct.field(pytree_node=False)
    driven: DrivenParams | None = None  # informed traders and events


class PoissonState(NamedTuple):
    """The flow's own state."""

    next_id: jax.Array  # int32, id of the next limit order


@dataclass(frozen=True)
class PoissonFlow:
    """A `Flow`; see the module's text."""

    words: int = 3  # waiting time, type and level, size
    in_kernel: ClassVar[bool] = True

    def params(self, config: PoissonConfig, capacity: int) -> PoissonParams:
        """Put a configuration on the device. Raises ValueError if the opening book does not fit the capacity."""
        tactical, scale = config.tactical, config.tactical.scale if config.tactical else 1.0
        width = _width(max(len(config.limit_per_s), tactical.levels if tactical else 0))
        return PoissonParams(
            limit=_padded([to_rate(r * scale) for r in config.limit_per_s], width),
            cancel=_padded([to_rate(r * scale) for r in config.cancel_per_lot_s], width),
            market=jnp.uint32(to_rate(config.market_per_s * scale)),
            tactical=tactical_params(tactical, width) if tactical else None,
            size_thresholds=_padded(
                thresholds(size_probabilities(config.size_std, config.size_max)), _width(config.size_max - 1)
            ),
            minus_log=jnp.asarray(MINUS_LOG, jnp.uint32),
            opening=_opening_book(config, capacity),
            start=from_seconds(-config.warm_up_s),
            distances=len(config.limit_per_s),
            size_max=config.size_max,
        )

    def open(self, key: jax.Array, params: PoissonParams, start: jax.Array | None = None) -> Opening:
        """The configured book; the first message is due at once. Nothing is drawn: the warm-up makes openings differ."""
        return Opening(params.opening, PoissonState(jnp.int32(1)), params.start, params.start)

    def next(
        self, state: PoissonState, book: BySide, words: jax.Array, params: PoissonParams
    ) -> tuple[PoissonState, Message, Time]:
        """One event: its type and level in proportion to their rates, its size, and the wait to the next at today's total rate."""
        bests = best_prices(book)
        bid, ask = _anchors(bests, params)
        levels = max(params.distances, params.tactical.levels if params.tactical else 0)
        width = params.limit.shape[0]
        resting = tuple(
            lots_from(book, side, anchor, levels, width) for side, anchor in zip(Side, (ask, bid), strict=True)
        )
        limit, cancel = params.limit[...], tuple(_cancel_rates(lots, params) for lots in resting)
        rising, falling = multipliers(resting, ask - bid, params.tactical) if params.tactical else (None, None)

        def pressed(rate: jax.Array, up: bool | jax.Array) -> jax.Array:
            if rising is None or falling is None:
                return rate
            return times(jnp.minimum(rate, MAX_TOTAL_RATE), jnp.where(up, rising, falling))

        # Rates stand in a row: the bids' market order (it buys), limits and cancellations, then the asks'. A random place in the row
        # is found by the sums of its parts first.
        limits, cancels = _total(limit), tuple(map(_total, cancel))
        markets = [pressed(params.market[...], pressed_by(side, cancels=False)) for side in Side]
        if params.driven is not None:
            markets = [driven_rate(markets[side], side, bid + ask, params.driven) for side in Side]
        all_limits = [pressed(limits, pressed_by(side, cancels=False)) for side in Side]
        all_cancels = [pressed(cancels[side], pressed_by(side, cancels=True)) for side in Side]
        totals = [markets[side] + all_limits[side] + all_cancels[side] for side in Side]
        first_ask, total = totals[Side.BID], totals[Side.BID] + totals[Side.ASK]
        place = high_product(words[1], total)
        idle = total == 0
        asks = place >= first_ask
        place = jnp.where(asks, place - first_ask, place)
        at_market, at_limit = (jnp.where(asks, *reversed(pair)) for pair in (markets, all_limits))
        is_market = place < at_market
        is_limit = ~is_market & (place - at_market < at_limit)
        rates = jnp.where(is_limit, limit, jnp.where(asks, cancel[Side.ASK], cancel[Side.BID]))
        place = place - at_market - jnp.where(is_limit, jnp.uint32(0), at_limit)
        if rising is not None and falling is not None:  # back to a place among the rates as they are without pressure
            place = quotient(place, jnp.where(pressed_by(asks.astype(jnp.int32), ~is_limit), rising, falling))
        level = 1 + jnp.sum((jnp.cumsum(rates, dtype=jnp.uint32) <= place).astype(jnp.int32), dtype=jnp.int32)
        level = jnp.where(is_market | idle, 0, level)
        kind = jnp.where(is_limit, jnp.int32(Kind.LIMIT), Kind.REDUCE)
        kind = jnp.where(idle, Kind.NOOP, jnp.where(is_market, Kind.MARKET, kind))
        side = jnp.where(idle, len(Side), asks.astype(jnp.int32))
        price = jnp.where(side == Side.BID, ask - level, bid + level)
        size = _size(words[2], params)
        if params.driven is not None:
            size = jnp.where(is_market, driven_size(size, params.driven), size)
        message = Message(kind, side, price, size, state.next_id, jnp.int32(0))
        rate = jnp.minimum(total, jnp.uint32(MAX_TOTAL_RATE))
        wait = waiting_time(exponential(words[0], params.minus_log), rate)
        message, wait = _refill(message, wait, bests, (bid, ask), resting)
        return PoissonState(state.next_id + (message.kind == Kind.LIMIT).astype(jnp.int32)), message, wait


def _refill(
    message: Message,
    wait: Time,
    bests: tuple[jax.Array, ...],
    anchors: tuple[jax.Array, ...],
    resting: tuple[jax.Array, ...],
) -> tuple[Message, Time]:
    """The message and wait drawn; where a side is empty, the order that refills it."""
    no_bid, no_ask = bests[Side.BID] == 0, bests[Side.ASK] == 0
    at_best = [
        jnp.sum(jnp.where(jax.lax.broadcasted_iota(jnp.int32, lots.shape, 0) == 0, lots, 0), dtype=jnp.int32)
        for lots in resting
    ]
    size = jnp.where(no_bid, at_best[Side.ASK], at_best[Side.BID])
    size = jnp.where(no_bid & no_ask, REFILL_LOTS, size)
    side = jnp.where(no_bid, jnp.int32(Side.BID), Side.ASK)
    price = jnp.where(no_bid, anchors[Side.BID], anchors[Side.ASK])
    order = message._replace(kind=jnp.int32(Kind.LIMIT), side=side, price=price, size=size)
    empty = no_bid | no_ask
    message = Message(*(jnp.where(empty, new, old) for new, old in zip(order, message, strict=True)))
    return message, choose(empty, Time(jnp.int32(0), jnp.int32(REFILL_NS)), wait)


def _cancel_rates(lots: jax.Array, params: PoissonParams) -> jax.Array:
    """Uint32 `[P]`, from resting lots by distance."""
    per_lot = params.cancel[...]
    most = jnp.uint32(MAX_TOTAL_RATE) // jnp.maximum(per_lot, 1)  # saturate: a huge level must not wrap around
    return per_lot * jnp.minimum(lots.astype(jnp.uint32), most)


def _total(rates: jax.Array) -> jax.Array:
    # As int32, for which a GPU has an instruction; the sum modulo 2^32 is the same.
    return jnp.sum(rates.astype(jnp.int32), dtype=jnp.int32).astype(jnp.uint32)


def _size(word: jax.Array, params: PoissonParams) -> jax.Array:
    reached = params.size_thresholds[...] <= word
    reached &= jax.lax.broadcasted_iota(jnp.int32, reached.shape, 0) < params.size_max - 1
    return 1 + jnp.sum(reached.astype(jnp.int32), dtype=jnp.int32)


def _width(count: int) -> int:
    return max(MIN_PADDED, 1 << (count - 1).bit_length())


def _padded(numbers: Sequence[int] | np.ndarray, width: int) -> jax.Array:
    """Uint32 with zeros up to a power of two."""
    padded = np.zeros(width, np.uint32)
    padded[: len(numbers)] = numbers
    return jnp.asarray(padded, jnp.uint32)


def size_probabilities(std: float, largest: int) -> np.ndarray:
    """Probabilities `[largest]` of sizes 1, 2, ...: `round(clip(1 + |N(0, std^2)|, 1, largest))`."""
    if std == 0:
        return np.eye(1, largest)[0]
    edges = np.arange(largest - 1) + 0.5  # |N| below edge k - 0.5 rounds to at most size k
    below = np.array([math.erf(edge / std / math.sqrt(2)) for edge in edges] + [1.0])
    return np.diff(below, prepend=0.0)


def _anchors(bests: tuple[jax.Array, jax.Array], params: PoissonParams) -> tuple[jax.Array, jax.Array]:
    """Best prices to count distances from; an empty side is taken to be a tick from the other, both empty as at the opening."""
    bid, ask = bests
    first_bid, first_ask = params.opening.price[0, 0], params.opening.price[1, 0]
    bid, ask = (
        jnp.where(bid > 0, bid, jnp.where(ask > 0, ask - 1, first_bid)),
        jnp.where(ask > 0, ask, jnp.where(bid > 0, bid + 1, first_ask)),
    )
    return bid, ask


def _opening_book(config: PoissonConfig, capacity: int) -> Book:
    n = len(config.opening_lots)
    if n > capacity:
        raise ValueError(f"the opening book has {n} orders a side, the capacity is {capacity}; raise capacity")
    price, size, order_id = np.zeros((3, 2, capacity), np.int32)
    best_ask = config.best_bid_ticks + config.spread_ticks
    price[:, :n] = config.best_bid_ticks - np.arange(n), best_ask + np.arange(n)
    size[:, :n] = config.opening_lots
    order_id[:, :n] = SYNTHETIC_ID_BASE + np.arange(n)
    owner = np.where(size > 0, OPENING_OWNER, 0)
    return Book(*(jnp.asarray(x, jnp.int32) for x in (price, size, order_id, owner)))


def make_poisson(config: PoissonConfig, needs: Needs) -> Made:
    """The flow, with its strategic trader if there is one. ValueError if the opening book does not fit the capacity."""
    flow, params = PoissonFlow(), PoissonFlow().params(config, needs.capacity)
    if config.strategic is None:
        return Made(flow, params, config.warm_up_s)
    return Made(StrategicFlow(flow), strategic_params(config.strategic, params), config.warm_up_s)


def told(config: Mapping[str, Any]) -> str:
    """What a report says of a simulated market."""
    return (
        "The market is simulated: limit orders, market orders and cancellations arrive at random, at rates that depend on the distance "
        "from the best prices. It reacts to the players through the order book alone."
    )


register(FlowSpec(config=PoissonConfig, make=make_poisson, told=told))
