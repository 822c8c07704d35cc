"""Agents' messages on their way to the market: a bounded queue in order of arrival, then of sending."""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.clock import Time, never
from lobjax.types import Kind, Message


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
    waiting = jnp.arange(places) >= queue.head
    wanted = jnp.concatenate([waiting & (queue.arrival.s < never().s), messages.kind != Kind.NOOP])
    merged = [jnp.concatenate([old, new]) for old, new in zip(queue.message, messages, strict=True)]
    never_s, never_ns = never(wanted.shape)
    arrival_s = jnp.where(wanted, jnp.concatenate([queue.arrival.s, arrival.s]), never_s)
    arrival_ns = jnp.where(wanted, jnp.concatenate([queue.arrival.ns, arrival.ns]), never_ns)
    arrival_s, arrival_ns, *merged = jax.lax.sort((arrival_s, arrival_ns, *merged), num_keys=2, is_stable=True)
    kept = arrival_s[:places] < never().s
    kind = jnp.where(kept, merged[0][:places], Kind.NOOP)
    lost = jnp.sum(arrival_s[places:] < never().s, dtype=jnp.int32)
    return InFlight(
        message=Message(kind, *(field[:places] for field in merged[1:])),
        arrival=Time(arrival_s[:places], arrival_ns[:places]),
        head=jnp.int32(0),
        dropped=queue.dropped + lost,
    )


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
