"""Agents' messages on their way to the market: a bounded queue in order of arrival, then of sending."""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.clock import Time, before, choose, never, plus
from lobjax.kinds import Kind
from lobjax.types import Message


class InFlight(flax.struct.PyTreeNode):
    """Q places sorted by arrival; empty places are NOOPs that arrive never. Entries before `head` have arrived already."""

    message: Message  # int32 [Q]
    arrival: Time  # int32 [Q]
    head: jax.Array  # int32
    dropped: jax.Array  # int32, messages that found the queue full


def nothing_in_flight(places: int) -> InFlight:
    """An empty queue of `places`."""
    blank = jnp.zeros((places,), jnp.int32)
    return InFlight(Message(*[blank] * len(Message._fields)), never((places,)), jnp.int32(0), jnp.int32(0))


def send(queue: InFlight, messages: Message, arrival: Time) -> InFlight:
    """Add messages `[K]` with their arrivals `[K]`; NOOPs are not sent. Ties keep the order of sending.

    What does not fit is lost, latest arrivals first, and counted in `dropped`.
    """
    places = queue.message.kind.shape[0]
    waiting = jnp.arange(places, dtype=jnp.int32) >= queue.head
    wanted = jnp.concatenate([waiting & (queue.arrival.s < never().s), messages.kind != Kind.NOOP])
    both = (queue.message, queue.arrival), (messages, arrival)
    merged, times = jax.tree.map(lambda old, new: jnp.concatenate([old, new]), *both)
    times = choose(wanted, times, never(wanted.shape))
    # A sort by counting, all with all, since they are few: an entry's place is the number of those before it. A GPU does that in one
    # small kernel.
    index = jnp.arange(wanted.shape[0], dtype=jnp.int32)
    row, column = jax.tree.map(lambda x: x[None], times), jax.tree.map(lambda x: x[:, None], times)
    earlier = before(row, column) | ~before(column, row) & (index[None] < index[:, None])
    place = jnp.sum(earlier, axis=1, dtype=jnp.int32)
    here = place[None] == jnp.arange(places, dtype=jnp.int32)[:, None]
    source = jnp.sum(jnp.where(here, index[None], 0), axis=1, dtype=jnp.int32)  # [Q]
    message, time = jax.tree.map(lambda x: x[source], (merged, times))
    kind = jnp.where(time.s < never().s, message.kind, Kind.NOOP)
    lost = jnp.sum((place >= places) & (times.s < never().s), dtype=jnp.int32)
    return InFlight(message._replace(kind=kind), time, jnp.int32(0), queue.dropped + lost)


def dispatch(queue: InFlight, messages: Message, now: Time, delay: Time) -> InFlight:
    """Send messages `[K]` at one moment; each travels as long as its account's `delay` `[A + 1]` says."""
    row = jnp.clip(messages.owner, 0, delay.s.shape[0] - 1)
    now = jax.tree.map(lambda x: jnp.broadcast_to(x, row.shape), now)
    return send(queue, messages, plus(now, jax.tree.map(lambda x: x[row], delay)))


def peek(queue: InFlight) -> tuple[Message, Time]:
    """The next message to arrive and its time (a NOOP, never, when there is none)."""
    places = queue.message.kind.shape[0]
    at = jnp.minimum(queue.head, places - 1)
    message, arrival = jax.tree.map(lambda x: x[at], (queue.message, queue.arrival))
    empty = queue.head >= places
    return (
        message._replace(kind=jnp.where(empty, Kind.NOOP, message.kind)),
        Time(jnp.where(empty, never().s, arrival.s), jnp.where(empty, 0, arrival.ns)),
    )
