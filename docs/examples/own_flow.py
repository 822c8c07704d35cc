"""A flow of your own: orders at equal times, each a market order or a limit order near the touch. own_flow.yaml names this module.

Run, in docs/examples: python -m train run own_flow.yaml --out own-flow
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.book import Book, BySide, best_prices
from lobjax.clock import Time, from_seconds
from lobjax.flow import FlowSpec, Made, Needs, Opening, PoissonConfig, PoissonFlow, register
from lobjax.kinds import Kind
from lobjax.ranges import Range, check
from lobjax.types import Message, Side


@dataclass(frozen=True, kw_only=True)
class MetronomeConfig:
    kind: Literal["metronome"] = "metronome"
    every_s: Annotated[float, Range(1e-3, 60.0)] = 0.5
    __post_init__ = check  # the ranges


class Params(NamedTuple):
    book: Book  # of the opening
    every: Time


@dataclass(frozen=True)
class Metronome:
    """Integers only, so that it is the same to the bit wherever it is compiled."""

    words: int = 3  # of 32 random bits, for each message

    def open(self, key: jax.Array, params: Params, start: jax.Array | None = None) -> Opening:
        now = from_seconds(0.0)
        return Opening(book=params.book, flow=jnp.int32(1), now=now, due=now)  # its state: the next order's id

    def next(self, state: jax.Array, book: BySide, words: jax.Array, params: Params) -> tuple[jax.Array, Message, Time]:
        draws = (words >> 16).astype(jnp.int32)  # 0 to 65,535
        side, at_market = draws[0] & 1, draws[1] < 16_384  # a quarter are market orders
        bid, ask = best_prices(book)
        away = 1 + draws[2] % 4  # ticks from the other side's best
        price = jnp.where(
            side == Side.BID, jnp.where(ask > 0, ask, bid + 1) - away, jnp.where(bid > 0, bid, ask - 1) + away
        )
        kind = jnp.where(at_market, jnp.int32(Kind.MARKET), jnp.int32(Kind.LIMIT))
        return state + 1, Message(kind, side, price, jnp.int32(2), state, jnp.int32(0)), params.every


def make(config: MetronomeConfig, needs: Needs) -> Made:
    opening = PoissonFlow().params(PoissonConfig(), needs.capacity).opening  # a book to begin with
    return Made(Metronome(), Params(opening, from_seconds(config.every_s)))


register(FlowSpec(config=MetronomeConfig, make=make))
