"""Whose message comes next inside the GPU kernel of a market: an agent's, the flow's, or, as the step ends, the venue's."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.clock import Time
from lobjax.engine.kernel.moves import zero_of
from lobjax.engine.kernel.view import FlatView
from lobjax.flow.base import Flow
from lobjax.market.kernel.memory import Given, Moving, Row, load
from lobjax.market.state import Sizes
from lobjax.types import Message


class Next(NamedTuple):
    """Where the messages stand; int32 scalars but for the flow's own state."""

    flow: Any
    due: Time
    arrival: Time  # of the next message in flight
    head: jax.Array
    handled: jax.Array  # messages of agents and of the flow
    drawn: jax.Array  # messages of the flow
    closed: jax.Array  # closing messages

    @property
    def agents(self) -> jax.Array:
        """Whether an agent's message comes before the flow's."""
        return clock.at_or_before(self.arrival, self.due)

    @property
    def at(self) -> Time:
        """When the earlier of the two comes."""
        return clock.choose(self.agents, self.arrival, self.due)


def first(before: Moving, given: Given) -> Next:
    """Where the messages stand as a step begins."""
    zero, head = jnp.int32(0), before.head[...]
    return Next(load(before.flow), load(before.due), _arrival(given, head), head, zero, zero, zero)


def waits(ahead: Next, until: Time, sizes: Sizes) -> jax.Array:
    """Whether a message of agents or flow belongs to this step still."""
    by_clock = clock.before(ahead.at, until)
    return by_clock & (ahead.drawn < sizes.step_messages) if sizes.step_messages else by_clock


def from_agent(given: Given, ahead: Next) -> tuple[Next, Message]:
    """The next message in flight."""
    message = Message(*(ref[ahead.head] for ref in given.queue.message))
    head = ahead.head + 1
    return ahead._replace(head=head, arrival=_arrival(given, head), handled=ahead.handled + 1), message


def from_flow(flow: Flow, given: Given, view: FlatView, ahead: Next) -> tuple[Next, Message]:
    """The flow's message that is due."""
    words = Row(given.words, ahead.drawn) if given.words is not None else None
    state, message, wait = flow.next(ahead.flow, view, words, given.flow)  # pyright: ignore[reportArgumentType]
    # Added to a zero that is computed: a branch may not give back a constant, and a flow may well return one.
    zero = zero_of(ahead.handled)
    message = jax.tree.map(lambda x: jnp.asarray(x, jnp.int32) + zero, message)
    state = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype) + zero.astype(old.dtype), state, ahead.flow)
    due = clock.plus(ahead.due, wait)
    return ahead._replace(flow=state, due=due, handled=ahead.handled + 1, drawn=ahead.drawn + 1), message


def from_venue(given: Given, ahead: Next) -> tuple[Next, Message]:
    """The next closing message."""
    message = Message(*(ref[ahead.closed] for ref in given.closing))  # pyright: ignore[reportOptionalIterable]
    return ahead._replace(closed=ahead.closed + 1), message


def _arrival(given: Given, head: jax.Array) -> Time:
    places = given.queue.arrival.s.shape[0]
    at = jnp.minimum(head, places - 1)
    return clock.choose(head < places, Time(*(ref[at] for ref in given.queue.arrival)), clock.never())
