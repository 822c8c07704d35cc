"""The moves of a message on flat slots: take off, reduce, meet the other side, come to rest. See `lobjax.engine.kernel.step`.

Every operation lowers in Pallas (Triton): no scatter, no gather, no slices, no `any`, no constant given back by a branch. Of two Python
numbers in a `where` on a scalar one must be an array: two are compiled to something else (`tests/engine` looks for it).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.engine.kernel.book import FREE, INT32_MIN, Slots
from lobjax.kinds import Trait, has, mask
from lobjax.types import INT32_MAX, Counters, Fills, Message

# Which counter of `Counters` a message adds one to: at most one of the first four, since each is a reason why nothing more was done.
NOTHING = -1
UNKNOWN, INVALID, REFUSED, DISPLACED, STP = range(len(Counters._fields))


_REENTERS, _ALL_OR_NOTHING, _NEVER_TAKES = (
    mask(Trait.REENTERS), mask(Trait.ALL_OR_NOTHING), mask(Trait.NEVER_TAKES),
)  # fmt: skip
_CUTS = mask(Trait.NAMES_ORDER, Trait.SIZED, without=Trait.REENTERS)
_REDUCES = mask(Trait.OF_OWNER, Trait.SIZED)
_AT_PRICE = mask(Trait.OF_OWNER, Trait.PRICED, without=Trait.SIZED)


class Order(NamedTuple):
    """A sound message in the keys of the sides it meets; int32 scalars."""

    message: Message
    key: jax.Array  # where it would rest on its own side
    limit: jax.Array  # the largest key of the other side that it meets


# Called for every order that a sweep reaches: (carry, taker, fill) -> carry, all of `fill` scalars; lots are 0 where self-trade prevention
# cancels the order.
OnFill = Callable[[Any, jax.Array, Fills], Any]


def slot_index(count: int) -> jax.Array:
    return jax.lax.broadcasted_iota(jnp.int32, (count,), 0)


def pick(hit: jax.Array, values: jax.Array) -> jax.Array:
    """The one value under the mask."""
    return jnp.sum(jnp.where(hit, values, 0), dtype=jnp.int32)


def zero_of(like: jax.Array) -> jax.Array:
    """0 as the result of an operation: in Triton's lowering a branch may not give back a constant."""
    return like & 0


def take_off(
    own: Slots, named: jax.Array, found: jax.Array, order: Order
) -> tuple[Slots, jax.Array, jax.Array, jax.Array]:
    """CANCEL, DELETE and REPLACE of the one order under `named`: the side; whether there is none, whether it re-enters, and whose it is."""
    kind, size = order.message.kind, order.message.size

    def replace() -> tuple[jax.Array, jax.Array]:
        keeps = named & (own.key == order.key) & (own.size >= size)
        return jnp.max(keeps.astype(jnp.int32)) > 0, pick(named, own.owner)

    in_place, owner = jax.lax.cond(has(kind, _REENTERS), replace, lambda: (zero_of(kind) != 0, order.message.owner))
    stays = jnp.where(in_place, size, 0)
    left = jnp.where(has(kind, _CUTS), jnp.maximum(own.size - size, 0), stays)
    own = own._replace(size=jnp.where(named, left, own.size), key=jnp.where(named & (left == 0), FREE, own.key))
    return own, ~found, has(kind, _REENTERS) & found & ~in_place, owner


def withdraw(own: Slots, order: Order) -> tuple[Slots, jax.Array]:
    """Orders of the sender come off its side: of a sized kind up to so many lots, else all; and whether there were none."""
    return jax.lax.cond(
        has(order.message.kind, _REDUCES), lambda own: _reduce(own, order), lambda own: _take_all(own, order), own
    )


def _take_all(own: Slots, order: Order) -> tuple[Slots, jax.Array]:
    mine = (own.key < 0) & (own.owner == order.message.owner)
    if _AT_PRICE:
        mine &= (own.key == order.key) | ~has(order.message.kind, _AT_PRICE)
    gone = jnp.max(mine.astype(jnp.int32)) > 0
    return own._replace(key=jnp.where(mine, FREE, own.key), size=jnp.where(mine, 0, own.size)), ~gone


def _reduce(own: Slots, order: Order) -> tuple[Slots, jax.Array]:
    """Lots off the owner's orders at this price, newest first; and whether there were none."""
    owner = order.message.owner

    def newest(key: jax.Array) -> jax.Array:
        return jnp.max(jnp.where((key == order.key) & (own.owner == owner), own.arrival, -1))

    def busy(state: tuple[jax.Array, ...]) -> jax.Array:
        _, _, left, arrival = state
        return (left > 0) & (arrival >= 0)

    def take(state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        key, size, left, arrival = state
        hit = (key == order.key) & (own.owner == owner) & (own.arrival == arrival)
        lots = jnp.minimum(left, pick(hit, size))
        size = jnp.where(hit, size - lots, size)
        key = jnp.where(hit & (size == 0), FREE, key)
        return key, size, left - lots, newest(key)

    first = newest(own.key)
    key, size, _, _ = jax.lax.while_loop(busy, take, (own.key, own.size, order.message.size, first))
    return own._replace(key=key, size=size), first < 0


def meet(
    other: Slots, order: Order, taker: jax.Array, carry: Any, on_fill: OnFill
) -> tuple[Slots, jax.Array, jax.Array, jax.Array, Any]:
    """An incoming order meets the other side: that side, lots left, whether it was refused, orders cancelled by self-trade prevention."""
    kind, size = order.message.kind, order.message.size
    best = jnp.min(other.key)
    crosses = best <= order.limit
    fits = jax.lax.cond(
        crosses & has(kind, _ALL_OR_NOTHING),
        lambda: _can_fill(other, order.limit, taker, size),
        lambda: zero_of(kind) != 0,
    )
    refused = has(kind, _NEVER_TAKES) & crosses | has(kind, _ALL_OR_NOTHING) & ~fits

    def busy(state: tuple[Any, ...]) -> jax.Array:
        _, _, best, left, _, _ = state
        return (left > 0) & (best <= order.limit)

    def take(state: tuple[Any, ...]) -> tuple[Any, ...]:
        key, sizes, best, left, stp, carry = state
        front = key == best
        oldest = jnp.min(jnp.where(front, other.arrival, INT32_MAX))
        hit = front & (other.arrival == oldest)
        owner, available = pick(hit, other.owner), pick(hit, sizes)
        own = (owner == taker) & (taker >= 1)
        lots = jnp.where(own, 0, jnp.minimum(left, available))
        stays = jnp.where(own, 0, available - lots)
        carry = on_fill(carry, taker, Fills(pick(hit, other.order_id), owner, best, lots))
        key = jnp.where(hit & (stays == 0), FREE, key)
        sizes = jnp.where(hit, stays, sizes)
        return key, sizes, jnp.min(key), left - lots, stp + own.astype(jnp.int32), carry

    wanted = jnp.where(refused, 0, size)
    key, sizes, _, left, stp, carry = jax.lax.while_loop(
        busy, take, (other.key, other.size, best, wanted, jnp.int32(0), carry)
    )
    return other._replace(key=key, size=sizes), size - (wanted - left), refused, stp, carry


def _can_fill(other: Slots, limit: jax.Array, taker: jax.Array, size: jax.Array) -> jax.Array:
    """Whether the lots that `taker` could take within the limit reach `size`: a sum in two halves, since it may pass 2^31."""
    takeable = (other.key <= limit) & ~((other.owner == taker) & (taker >= 1))
    lots = jnp.where(takeable, other.size, 0)
    low = jnp.sum(lots & 0xFFFF, dtype=jnp.int32)
    high = jnp.sum(lots >> 16, dtype=jnp.int32) + (low >> 16)
    return (high > size >> 16) | (high == size >> 16) & (low & 0xFFFF >= size & 0xFFFF)


def _place_of_last(own: Slots, key: jax.Array) -> jax.Array:
    """On a full side the slot of the order last in priority if the newcomer ranks before it, else the number of slots."""
    worst = jnp.max(jnp.where(own.key < 0, own.key, INT32_MIN))
    last = own.key == worst
    newest = jnp.max(jnp.where(last, own.arrival, -1))
    count = own.key.shape[0]
    yields = last & (own.arrival == newest) & (key < worst)
    return jnp.min(jnp.where(yields, slot_index(count), count))


def rest(own: Slots, place: jax.Array, newcomer: Slots) -> tuple[Slots, jax.Array, jax.Array]:
    """A newcomer joins at `place`, or on a full side where it finds one: the side, 1 if it rests, and what is counted."""
    count = own.key.shape[0]
    full = place == count
    place = jax.lax.cond(full, lambda: _place_of_last(own, newcomer.key), lambda: place)
    rests = place < count
    here = slot_index(count) == place
    own = Slots(*(jnp.where(here, new, old) for old, new in zip(own, newcomer, strict=True)))
    counted = jnp.where(full, jnp.where(rests, DISPLACED, jnp.int32(REFUSED)), NOTHING)
    return own, rests.astype(jnp.int32), counted
