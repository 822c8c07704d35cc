"""A Poisson market: limit orders, market orders and cancellations arrive at rates by distance from the opposite best price.

Limit orders of a side arrive at `limit_per_s[i - 1]` i ticks from the opposite best; market orders at one rate a side; cancellations
at `cancel_per_lot_s[i - 1]` times the lots resting there (any owner's; they take only the flow's own orders, newest first).
Sizes are `round(clip(1 + |N(0, size_std^2)|, 1, size_max))`. All six totals superpose into one Poisson source. The defaults are the noise
trader and opening book of Cheridito and Weiss (arXiv 2507.06345), section 2. Integer arithmetic throughout (`lobjax.flow.fixed`).
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, best_prices, volume_at
from lobjax.clock import Time, from_seconds
from lobjax.flow.base import Opening
from lobjax.flow.fixed import MAX_TOTAL_RATE, exponential, thresholds, to_rate, waiting_time
from lobjax.types import SYNTHETIC_ID_BASE, Kind, Message, Side
from lobjax.words import high_product

OPENING_OWNER = -1  # a background party of its own: the flow never cancels the opening book


@dataclass(frozen=True, kw_only=True)
class PoissonConfig:
    """Rates in events per second, distances in ticks from 1 on, sizes in lots."""

    kind: Literal["poisson"] = "poisson"
    limit_per_s: tuple[float, ...] = (
        0.2842, 0.5255, 0.2971, 0.2307, 0.0826, 0.0682, 0.0631, 0.0481, 0.0462, 0.0321, 0.0178, 0.0015, 0.0001,
    )  # fmt: skip
    cancel_per_lot_s: tuple[float, ...] = (
        0.08636, 0.04635, 0.01487, 0.01096, 0.00402, 0.00341, 0.00311, 0.00237, 0.00233, 0.00178, 0.00127, 0.00012, 0.00001,
    )  # fmt: skip
    market_per_s: float = 0.1237
    size_std: float = 2.0
    size_max: int = 20
    best_bid_ticks: int = 1000
    spread_ticks: int = 1
    opening_lots: tuple[int, ...] = (
        4, 11, 16, 19, 20, 20, 20, 19, 18, 18, 17, 16, 15, 14, 14, 13, 12, 12, 11, 11, 10, 9, 9, 8, 8, 7, 7, 6, 6, 6,
    )  # fmt: skip
    warm_up_s: float = 15.0

    def __post_init__(self) -> None:
        if len(self.limit_per_s) != len(self.cancel_per_lot_s) or not self.limit_per_s:
            raise ValueError(
                "limit_per_s and cancel_per_lot_s need one rate a distance each, and the same number of them"
            )
        if min((*self.limit_per_s, *self.cancel_per_lot_s, self.market_per_s, self.size_std, self.warm_up_s)) < 0:
            raise ValueError("rates, size_std and warm_up_s must not be negative")
        if 2 * (sum(self.limit_per_s) + self.market_per_s) * 2**18 > MAX_TOTAL_RATE / 2:
            raise ValueError("rates are too high: limit and market orders of both sides must stay below 32 a second")
        if not 1 <= self.size_max <= 64 or min(self.opening_lots, default=1) < 1 or self.spread_ticks < 1:
            raise ValueError("size_max must be 1..64, opening_lots and spread_ticks at least 1")
        if max(self.best_bid_ticks, self.spread_ticks, *self.opening_lots) >= 1 << 28 or self.warm_up_s > 1e6:
            raise ValueError(
                "best_bid_ticks, spread_ticks and opening_lots must be below 2^28, and warm_up_s at most 10^6"
            )
        if self.best_bid_ticks <= len(self.opening_lots) + len(self.limit_per_s):
            raise ValueError("best_bid_ticks leaves no room for the opening book above a price of 0")


class PoissonParams(flax.struct.PyTreeNode):
    """The numbers of a Poisson market on the device; D distances."""

    limit: jax.Array  # uint32 [D], rate in 2^-18 per second
    cancel: jax.Array  # uint32 [D], the same per resting lot
    market: jax.Array  # uint32
    size_thresholds: jax.Array  # uint32 [size_max - 1]
    opening: Book
    start: Time  # minus the warm-up: an episode's clock starts at 0 after it


class PoissonState(NamedTuple):
    """The flow's own state."""

    next_id: jax.Array  # int32, id of the next limit order


@dataclass(frozen=True)
class PoissonFlow:
    """A `Flow`; see the module's text."""

    words: int = 3  # waiting time, type and level, size

    def params(self, config: PoissonConfig, capacity: int) -> PoissonParams:
        """Put a configuration on the device. Raises ValueError if the opening book does not fit the capacity."""
        return PoissonParams(
            limit=jnp.asarray([to_rate(r) for r in config.limit_per_s], jnp.uint32),
            cancel=jnp.asarray([to_rate(r) for r in config.cancel_per_lot_s], jnp.uint32),
            market=jnp.uint32(to_rate(config.market_per_s)),
            size_thresholds=jnp.asarray(thresholds(size_probabilities(config.size_std, config.size_max))),
            opening=_opening_book(config, capacity),
            start=from_seconds(-config.warm_up_s),
        )

    def open(self, key: jax.Array, params: PoissonParams, start: jax.Array | None = None) -> Opening:
        """The configured book; the first message is due at once. Nothing is drawn: the warm-up makes openings differ."""
        return Opening(params.opening, PoissonState(jnp.int32(1)), params.start, params.start)

    def next(
        self, state: PoissonState, book: Book, words: jax.Array, params: PoissonParams
    ) -> tuple[PoissonState, Message, Time]:
        """One event: its type and level in proportion to their rates, its size, and the wait to the next at today's total rate."""
        bid, ask = _anchors(book, params)
        levels = jnp.arange(1, params.limit.shape[0] + 1, dtype=jnp.int32)
        prices = jnp.stack([ask - levels, bid + levels])  # [2, D] by distance from the opposite best
        resting = jnp.stack([volume_at(book, side, prices[side]) for side in (Side.BID, Side.ASK)])
        most = jnp.uint32(MAX_TOTAL_RATE) // jnp.maximum(
            params.cancel, 1
        )  # saturate: a huge level must not wrap around
        cancel = params.cancel * jnp.minimum(resting.astype(jnp.uint32), most)
        market = jnp.broadcast_to(params.market, (2, 1))
        limit = jnp.broadcast_to(params.limit, cancel.shape)
        # Rows by side: the market order that buys stands with the bids.
        rates = jnp.concatenate([market, limit, cancel], axis=1).reshape(-1)
        total = jnp.cumsum(rates, dtype=jnp.uint32)
        rate = jnp.minimum(total[-1], jnp.uint32(MAX_TOTAL_RATE))
        drawn = jnp.sum(total <= high_product(words[1], total[-1]), dtype=jnp.int32)
        width = 1 + 2 * levels.shape[0]
        side, event = drawn // width, drawn % width
        level = jnp.where(event > levels.shape[0], event - levels.shape[0], event)  # 0 for a market order
        kind = jnp.where(
            event == 0, jnp.int32(Kind.MARKET), jnp.where(event == level, jnp.int32(Kind.LIMIT), Kind.REDUCE)
        )
        price = jnp.where(side == Side.BID, ask - level, bid + level)
        kind = jnp.where(total[-1] == 0, jnp.int32(Kind.NOOP), kind)
        size = 1 + jnp.sum(params.size_thresholds <= words[2], dtype=jnp.int32)
        message = Message(kind, side, price, size, state.next_id, jnp.int32(0))
        wait = waiting_time(exponential(words[0]), rate)
        return PoissonState(state.next_id + (kind == Kind.LIMIT).astype(jnp.int32)), message, wait


def size_probabilities(std: float, largest: int) -> np.ndarray:
    """Probabilities `[largest]` of sizes 1, 2, ...: `round(clip(1 + |N(0, std^2)|, 1, largest))`."""
    if std == 0:
        return np.eye(1, largest)[0]
    edges = np.arange(largest - 1) + 0.5  # |N| below edge k - 0.5 rounds to at most size k
    below = np.array([math.erf(edge / std / math.sqrt(2)) for edge in edges] + [1.0])
    return np.diff(below, prepend=0.0)


def _anchors(book: Book, params: PoissonParams) -> tuple[jax.Array, jax.Array]:
    """Best prices to count distances from; an empty side is taken to be a tick from the other, both empty as at the opening."""
    bid, ask = best_prices(book)
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
