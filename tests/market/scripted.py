"""A market whose flow is a script, to work cases by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book
from lobjax.clock import Time, from_seconds
from lobjax.flow import RecordedFlow
from lobjax.flow.recorded import to_device
from lobjax.market import Fees, Limits, Market, MarketParams, Orders
from lobjax.types import Message
from tests.compiling import quick_jit

WIDE_OPEN = 10**6


SCRIPT, SENT, CLOSING = 8, 4, 2  # lengths that everything is padded to, so that one program serves many tests


def batch(rows, length) -> Message:
    """Rows of (kind, side, price, size, id, owner) as a Message `[length]`, padded with NOOPs."""
    table = np.zeros((length, 6), np.int32)
    table[: len(rows)] = np.asarray([[int(x) for x in row] for row in rows]).reshape(-1, 6)
    return Message(*(jnp.asarray(column) for column in table.T))


def market_of(script, *, accounts=1, fees=(0, 0), delay_s=0.0, limit=WIDE_OPEN, target=0, **sizes):
    """(market, params, state) from a script of (second, row); the book is empty at second 0."""
    times = [second for second, _ in script] + [1e6] * (SCRIPT - len(script))
    messages = batch([row for _, row in script], SCRIPT)
    time_s = np.floor(times).astype(np.int32)
    time_ns = np.round((np.asarray(times) - time_s) * 1e9).astype(np.int32)
    sizes = {"capacity": 16, "max_messages": 64, "queue_places": 8, "levels": 3, **sizes}
    blank = jnp.zeros((1, 2, sizes["capacity"]), jnp.int32)
    early = max(0, -int(time_s.min()))  # a market's warm-up is before 0 s, where no recorded day begins
    empty = Book(blank, blank, blank, blank)
    flow = to_device(messages, time_s + early, time_ns, np.array([0]), np.array([0]), empty)
    flow = flow.replace(time=Time(flow.time.s - early, flow.time.ns))
    rows = accounts + 1
    delay = [from_seconds(d) for d in (delay_s if isinstance(delay_s, tuple) else (delay_s,) * accounts)]
    order_delay = Time(
        jnp.stack([jnp.int32(0), *(d.s for d in delay)]), jnp.stack([jnp.int32(0), *(d.ns for d in delay)])
    )
    none = jnp.zeros((rows,), jnp.int32)
    params = MarketParams(
        flow=flow,
        fees=Fees(*(jnp.full((rows,), fee, jnp.int32).at[0].set(0) for fee in fees)),
        feed_delay=Time(none, none),
        order_delay=order_delay,
        limits=Limits(none - limit, none + limit, none + target),
    )
    market = Market(flow=RecordedFlow(), accounts=accounts, **sizes)
    return market, params, market.open(jax.random.key(0), params)


@functools.cache
def _compiled(market: Market):
    return quick_jit(market.step)


def play(market, params, state, until_s, sent=(), closing=()):
    """One step to a second."""
    orders = Orders(batch(sent, SENT), batch(closing, CLOSING))
    return _compiled(market)(jax.random.key(1), state, orders, from_seconds(until_s), params)
