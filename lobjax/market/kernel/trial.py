"""The market kernel tried on this machine: recorded streams through it, against the reference book. See `lobjax.engine.kernel.trial`.

It is short, as every process that takes the kernel waits for it: no agents, no simulated flow. `make gpu-check` compares those.
"""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.book import Book, listing
from lobjax.clock import Time
from lobjax.engine import reference
from lobjax.engine.kernel.trial import BOOKS, CAPACITY, MESSAGES
from lobjax.engine.random_streams import random_streams
from lobjax.flow.recorded import RecordedFlow, to_device
from lobjax.market.accounts import Fees
from lobjax.market.kernel.call import market_step, opened
from lobjax.market.risk import Limits
from lobjax.market.state import MarketParams, MarketState, Orders, Sizes, open_state
from lobjax.settings import key_of, settled
from lobjax.types import Message
from lobjax.wide import to_int


def market_kernel_equals_reference() -> bool:
    """Whether markets that play one stream each, one message a second, end with the reference's books, counters and lots traded."""
    streams = random_streams(2, BOOKS, MESSAGES)
    # The background's messages alone: what accounts may do is limited by a market.
    streams = streams._replace(owner=np.minimum(streams.owner, 0))
    expected = reference.run(streams, CAPACITY)
    found = _played(streams)
    books = np.asarray(jax.vmap(lambda book: jnp.stack(listing(book)))(found.book))
    return (
        np.array_equal(books, np.stack([expected.bids, expected.asks], axis=1))
        and np.array_equal(np.stack(found.flow_counters, axis=1), np.stack(expected[4:], axis=1))
        and np.array_equal(found.tape.traded_lots.sum(1), expected.traded.sum(1, dtype=np.int32))
        and not to_int(found.accounts.cash).any()  # all trades are the background's with itself
    )


@settled
def _played(streams: Message) -> MarketState:
    """The markets after a step, each of which begins at its own place in one long record."""
    record = Message(*(field.reshape(-1) for field in streams))
    seconds = np.arange(BOOKS * MESSAGES)
    first = np.arange(BOOKS) * MESSAGES
    blank = jnp.zeros((BOOKS, 2, CAPACITY), jnp.int32)
    flow = RecordedFlow()
    day = to_device(record, seconds, 0 * seconds, first, first * clock.NS, Book(blank, blank, blank, blank))
    nothing = jnp.zeros(2, jnp.int32)
    no_time = Time(nothing, nothing)
    params = MarketParams(day, Fees(nothing, nothing), no_time, no_time, Limits(nothing, nothing, nothing))
    sizes = Sizes(CAPACITY, 1, 1, MESSAGES, 1, MESSAGES)
    none = Message(*[jnp.zeros(1, jnp.int32)] * len(Message._fields))
    no_words = jnp.zeros((MESSAGES, 0), jnp.uint32)

    def play(start: jax.Array) -> MarketState:
        state = opened(open_state(flow.open(key_of(0), day, start), sizes))
        return market_step(flow, sizes, state, Orders(none, none), clock.never(), no_words, params)

    return jax.jit(jax.vmap(play))(jnp.arange(BOOKS, dtype=jnp.int32))
