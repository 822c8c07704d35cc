"""Seats: who sits where, what each may do, and in what order they are served.

Every seat has an account with every venue, of one number. Messages of all seats that leave with one decision are served, where they
arrive at one instant, in an order drawn afresh from the decision's key and each seat's `label`; one seat's keep their order.
"""

from dataclasses import dataclass
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.arena.roles.base import Role
from lobjax.kinds import Kind
from lobjax.types import INT32_MAX, Message, Side
from lobjax.wide import Wide

PULL = 2  # messages by which a venue pulls a seat's orders
CLOSING = 4  # and by which it closes a seat as a step ends


@dataclass(frozen=True, kw_only=True)
class Group:
    """Seats of one role with the same numbers. Static."""

    name: str
    role: Role
    accounts: tuple[int, ...]  # of its seats
    venue: int  # that they trade at; of a role that trades everywhere, their first
    informed: bool = False  # whether they see the fundamental value

    @property
    def seats(self) -> int:
        """How many."""
        return len(self.accounts)


class SeatNumbers(flax.struct.PyTreeNode):
    """The numbers of the arena's A seats in order of their accounts, `[A]` each."""

    label: jax.Array  # int32, by which the order of service is drawn
    every: jax.Array  # int32, a seat decides at each `every`-th decision
    active: jax.Array  # bool, False takes a seat out of the market and changes no word of it
    capital: Wide  # ticks x lots
    stop_loss: Wide  # ticks x lots that may be lost before the venue closes the seat
    cash_only: jax.Array  # bool, whether cash may not go below zero


class SeatState(flax.struct.PyTreeNode):
    """What is kept of the seats, `[A]` each."""

    stopped: jax.Array  # bool, closed by the venue
    pull: jax.Array  # bool, stopped with the last step: its orders are pulled with the next decision
    over: jax.Array  # bool, ended, by itself or the venue
    messages: jax.Array  # int32, sent so far
    submitted_lots: jax.Array  # int32, of orders that may trade
    gain: jax.Array  # float32, wealth beyond the capital, after fees, ticks x lots
    peak_gain: jax.Array  # float32, its largest
    drawdown: jax.Array  # float32, the largest fall from it
    peak_inventory: jax.Array  # int32, largest |lots| held of all venues together


def open_seats(seats: int) -> SeatState:
    """Before the first decision."""
    no, zero, none = jnp.zeros(seats, bool), jnp.zeros(seats, jnp.int32), jnp.zeros(seats, jnp.float32)
    return SeatState(no, no, no, zero, zero, none, none, none, zero)


def order_of_service(key: jax.Array, label: jax.Array) -> jax.Array:
    """A random order of the seats, int32 `[A]`: which seat is served k-th. It belongs to the labels, not to the places."""
    words = jax.vmap(lambda one: jax.random.bits(jax.random.fold_in(key, one), (2,), jnp.uint32))(label)
    first, second = words[:, 0], words[:, 1]
    earlier = (first[None] < first[:, None]) | (first[None] == first[:, None]) & (second[None] < second[:, None])
    place = jnp.sum(earlier, axis=1, dtype=jnp.int32)
    seats = jnp.arange(label.shape[0], dtype=jnp.int32)
    return jnp.sum(jnp.where(place[None] == seats[:, None], seats[None], 0), axis=1, dtype=jnp.int32)


def served(messages: Message, order: jax.Array) -> Message:
    """Messages `[A, K]` in one row `[A K]`, seats in `order`."""
    return jax.tree.map(lambda x: x[order].reshape(-1), messages)


def blank(shape: tuple[int, ...]) -> Message:
    """NOOPs."""
    return Message(*[jnp.zeros(shape, jnp.int32)] * len(Message._fields))


def padded(messages: Message, width: int) -> Message:
    """Messages `[..., K]` with NOOPs up to `width`."""

    def one(x: jax.Array) -> jax.Array:
        return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, width - x.shape[-1])])

    return jax.tree.map(one, messages)


def pull_orders(account: jax.Array, width: int) -> Message:
    """The messages `[width]` that take all orders of an account off."""
    sides = jnp.arange(width, dtype=jnp.int32)
    zero = jnp.zeros(width, jnp.int32)
    kind = jnp.where(sides < PULL, jnp.int32(Kind.CANCEL_ALL), Kind.NOOP)
    return Message(kind, jnp.where(sides < PULL, sides, 0), zero, zero, zero, jnp.broadcast_to(account, (width,)))


def closing_orders(accounts: jax.Array, closes: jax.Array) -> Message:
    """What a venue sends as a step ends, `[4 A]`: it takes the orders of every seat that it closes off, so that none trades with another's
    closing order, and then sends market orders both ways, of which limits keep one.

    accounts: int32 `[A]`, in the order of service; closes: bool `[A]`.
    """
    both, owner = jnp.repeat(closes, len(Side)), jnp.repeat(accounts, len(Side))
    zero = jnp.zeros(both.shape, jnp.int32)
    side = jnp.tile(jnp.arange(len(Side), dtype=jnp.int32), closes.shape[0])

    def each(kind: Kind, size: int) -> Message:
        kinds = jnp.where(both, jnp.int32(kind), Kind.NOOP)
        return Message(kinds, side, zero, jnp.where(both, jnp.int32(size), 0), zero, owner)

    return jax.tree.map(lambda x, y: jnp.concatenate([x, y]), each(Kind.CANCEL_ALL, 0), each(Kind.MARKET, INT32_MAX))


def where(condition: jax.Array, one: Any, other: Any) -> Any:
    """Leaf by leaf; the condition `[A]` counts for all of a seat's row."""

    def pick(x: jax.Array, y: jax.Array) -> jax.Array:
        return jnp.where(condition.reshape(condition.shape + (1,) * (x.ndim - condition.ndim)), x, y)

    return jax.tree.map(pick, one, other)
