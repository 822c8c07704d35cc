"""One market: a book, the flow that moves it, agents' messages on their way to it, and everybody's accounts.

Messages arrive in the order of time (after a step that hit its bound, late). At one instant agents' messages come first, in
order of sending, then the flow's.

Latency. A decision is made on the market as it was at the moment that a step ended. It reaches the agent `feed` later, and its
orders reach the market `feed + order` after that moment: so nothing is ever seen before it could have been, and a step needs no second
copy of the book.
"""

from dataclasses import dataclass
from typing import Literal

import chex
import jax
import jax.numpy as jnp

from lobjax.book import mid2
from lobjax.clock import Time
from lobjax.engine import Choice
from lobjax.flow.base import Flow
from lobjax.market import engines
from lobjax.market.interface import MarketEngine
from lobjax.market.journal import blank_journal
from lobjax.market.safeguards import open_halting
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes, open_state
from lobjax.settings import drawing

Engine = Literal["auto", "kernel", "host", "xla"]


@dataclass(frozen=True, kw_only=True)
class Market:
    """The static side of a market. `max_messages` bounds a step; hitting it is counted in `late`, and nothing is lost.

    Engines give the same numbers: `xla` runs anywhere, `host` (Numba) on a CPU, `kernel` on an NVIDIA GPU; `auto` takes the fastest.
    """

    flow: Flow
    capacity: int
    accounts: int = 1
    queue_places: int = 32
    max_messages: int = 128
    levels: int = 5
    step_messages: int = 0  # of the flow, after which a step ends; 0: it ends by the clock
    engine: Engine = "auto"
    journal: int = 0  # places of a journal of each step's messages, for witnesses; 0: none

    def __post_init__(self) -> None:
        if self.engine not in ("auto", *engines.ENGINES):
            raise ValueError(f"engine must be one of auto, {', '.join(engines.ENGINES)}, not '{self.engine}'")

    @property
    def runs_on(self) -> Choice:
        """The engine that `step` uses here, and why. InputError where the one that is named cannot run."""
        if self.journal:
            return Choice("xla", "it alone keeps a journal")
        return engines.choose(self.engine, self.flow)

    @property
    def _engine(self) -> MarketEngine:
        return engines.ENGINES[self.runs_on.engine]()

    @property
    def sizes(self) -> Sizes:
        """The static sizes as one record."""
        return Sizes(
            self.capacity, self.accounts, self.queue_places, self.max_messages, self.levels, self.step_messages
        )

    @drawing
    def open(self, key: jax.Array, params: MarketParams, start: jax.Array | None = None) -> MarketState:
        """A market at an opening drawn by the flow (or its opening numbered `start`)."""
        state = open_state(self.flow.open(key, params.flow, start), self.sizes)
        if self.journal:
            state = state.replace(journal=blank_journal(self.journal))
        if params.safeguards is not None:
            state = state.replace(halting=open_halting(mid2(state.book)))
        return self._engine.opened(state)

    @drawing
    def step(
        self, key: jax.Array, state: MarketState, orders: Orders, until: Time, params: MarketParams
    ) -> MarketState:
        """Send `orders.sent`, run every message that arrives before `until`, then apply `orders.closing` at that moment.

        Messages due exactly at `until` belong to the next step. The tape is begun anew. NOOPs are not sent. Where steps are counted
        (`step_messages`), a step ends with the arrival of the flow's last message, before `until` in any case: pass `clock.never()`.
        AssertionError, while it is traced, where orders or times are not int32 of these shapes, or accounts not as many as here.
        """
        for messages in orders:
            chex.assert_rank(list(messages), 1)
            chex.assert_equal_shape(list(messages))
            chex.assert_type(list(messages), jnp.int32)
        chex.assert_shape([*until, *state.now], ())
        chex.assert_type([*until, *state.now], jnp.int32)
        chex.assert_shape(jax.tree.leaves((params.fees, params.feed_delay, params.order_delay)), (self.accounts + 1,))
        engine, shape = self._engine, (self.sizes.draws, self.flow.words)
        words = key if engine.takes_key(key) else jax.random.bits(key, shape, jnp.uint32)
        return engine.market_step(self.flow, self.sizes, state, orders, until, words, params)
