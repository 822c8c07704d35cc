"""What an engine of markets is: five functions, all of which an engine has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import jax

from lobjax.clock import Time
from lobjax.flow.base import Flow
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes


class MarketStep(Protocol):
    """One step of one market, to be mapped over markets. `lobjax.market.xla.loop` is the definition."""

    def __call__(
        self,
        flow: Flow,
        sizes: Sizes,
        state: MarketState,
        orders: Orders,
        until: Time,
        words: jax.Array,
        params: MarketParams,
        /,
    ) -> MarketState: ...


@dataclass(frozen=True, kw_only=True)
class MarketEngine:
    """An engine of a market's step; all give the same numbers, to the bit (books in canonical order).

    market_step: words are uint32 `[sizes.draws, flow.words]`, or a key that the engine takes;
    opened: a market at its opening, as `open_state` makes it -> the same in the engine's own form (`as_opened` where that is it);
    refusal: a flow -> why the engine cannot run here and what to do, in words that end an error's line, or None if it can;
    suits: why `auto` takes it here, in words, if it can run; None where `auto` does not;
    takes_key: whether it makes a step's random words from this key itself, the same as `jax.random.bits` (`takes_words` if from none).
    """

    market_step: MarketStep
    opened: Callable[[MarketState], MarketState]
    refusal: Callable[[Flow], str | None]
    suits: Callable[[], str | None]
    takes_key: Callable[[jax.Array], bool]


def as_opened(state: MarketState) -> MarketState:
    """The `opened` of engines that take a market as it is made."""
    return state


def takes_words(key: jax.Array) -> bool:
    """The `takes_key` of engines that are given random words."""
    return False
