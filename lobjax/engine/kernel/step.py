"""The market mechanism on flat slots: what `lobjax.book.step` does, as scalar branches around masked reductions, for a GPU kernel.

One warp runs one book, so a branch is uniform and what a message does not need is not executed. A vector of S slots is S / 32 registers,
an int32 min, max or sum of it S / 32 - 1 instructions and one `redux.sync`. A sweep is a loop of masked mins (best price, then oldest),
not a prefix sum over ordered slots: keeping the order costs shifts and scans, which cross lanes, on every order that rests, and
most sweeps fill one or two. Reductions: every message 1 (its id and the first free slot at once), a taker 1 and 4 for each order that it
reaches (5 with a log), REPLACE 2, REDUCE 1 and 2 for each order, FOK 2, an order that rests on a full side 3.
Counted in the compiled code (`python -m bench kernel-compile`) at 64 slots: 137 instructions for a LIMIT that rests, 124 for a DELETE.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.engine.kernel import moves
from lobjax.engine.kernel.book import FREE, Sides, Slots, ask_key, bid_key
from lobjax.engine.kernel.moves import OnFill, Order, slot_index, zero_of
from lobjax.kinds import Kind, Trait, has, is_known, mask
from lobjax.types import Counters, Fills, Message, Side

_PRICED, _SIZED, _NEW_ID = mask(Trait.PRICED), mask(Trait.SIZED), mask(Trait.NEW_ID)
_NAMES_ORDER, _OF_OWNER, _ANY_PRICE = mask(Trait.NAMES_ORDER), mask(Trait.OF_OWNER), mask(Trait.ANY_PRICE)
# What a sound message does at once, and what only an order that re-enters does.
_ENTERS = mask(Trait.TAKES, without=Trait.REENTERS) | mask(Trait.RESTS, without=Trait.REENTERS)
_RESTS = mask(Trait.RESTS, without=Trait.REENTERS)


class FlatOutcome(NamedTuple):
    """What one message did; int32 scalars."""

    traded: jax.Array  # lots
    taker: jax.Array  # owner of the incoming order (of the resting one, where a REPLACE re-enters)
    counted: jax.Array  # the counter that goes up by one, as an index of `Counters`, or `NOTHING`
    stp: jax.Array  # orders that self-trade prevention cancelled


def step(sides: Sides, message: Message, carry: Any, on_fill: OnFill) -> tuple[Sides, FlatOutcome, Any]:
    """Apply one message (int32 scalars) to one book; the contract is `lobjax.book.step`'s. Fills go through `on_fill` into `carry`."""
    kind, side = message.kind, message.side
    sound = is_known(kind) & ((side == Side.BID) | (side == Side.ASK))
    sound &= (message.price > 0) | ~has(kind, _PRICED)
    sound &= (message.size > 0) | ~has(kind, _SIZED)
    sound &= (message.order_id > 0) | ~has(kind, _NEW_ID)
    noop = kind == Kind.NOOP

    def nothing(sides: Sides, carry: Any) -> tuple[Sides, FlatOutcome, Any]:
        counted = jnp.where(noop, moves.NOTHING, jnp.int32(moves.INVALID))
        return sides, FlatOutcome(zero_of(kind), message.owner, counted, zero_of(kind)), carry

    def buy(sides: Sides, carry: Any) -> tuple[Sides, FlatOutcome, Any]:
        order = Order(message, bid_key(message.price), _limit(kind, ask_key(message.price)))

        def filled(carry: Any, taker: jax.Array, fill: Fills) -> Any:
            return on_fill(carry, taker, fill._replace(price=ask_key(fill.price)))

        bids, asks, next_arrival, outcome, carry = _apply(*sides, order, carry, filled)
        return Sides(bids, asks, next_arrival), outcome, carry

    def sell(sides: Sides, carry: Any) -> tuple[Sides, FlatOutcome, Any]:
        order = Order(message, ask_key(message.price), _limit(kind, bid_key(message.price)))

        def filled(carry: Any, taker: jax.Array, fill: Fills) -> Any:
            return on_fill(carry, taker, fill._replace(price=bid_key(fill.price)))

        asks, bids, next_arrival, outcome, carry = _apply(
            sides.asks, sides.bids, sides.next_arrival, order, carry, filled
        )
        return Sides(bids, asks, next_arrival), outcome, carry

    # The side is a branch, not a select of ten arrays in and ten out.
    branch = jnp.where(sound & ~noop, side + 1, 0)
    return jax.lax.switch(branch, (nothing, buy, sell), sides, carry)


def tally(counts: jax.Array, outcome: FlatOutcome, first: int | jax.Array = 0) -> jax.Array:
    """Counts after a message: a vector, so that any number of counters is one register; `Counters` begin at place `first`.

    The place before them is undefined.
    """
    place = moves.slot_index(counts.shape[0]) - first
    counts = counts + (place == outcome.counted).astype(jnp.int32)
    return counts + jnp.where(place == moves.STP, outcome.stp, 0)


def counted(counts: jax.Array, first: int = 0) -> Counters:
    """The counters that begin at place `first`, as int32 scalars."""
    place = moves.slot_index(counts.shape[0]) - first
    return Counters(*(moves.pick(place == at, counts) for at in range(len(Counters._fields))))


def _apply(
    own: Slots, other: Slots, next_arrival: jax.Array, order: Order, carry: Any, on_fill: OnFill
) -> tuple[Slots, Slots, jax.Array, FlatOutcome, Any]:
    """A sound message that is not a NOOP, on its own and the other side."""
    message, kind = order.message, order.message.kind
    count = own.key.shape[0]
    zero = zero_of(kind)
    # The order that the message names (below 0), or the first free slot, or `count` on a full side, in one reduction.
    named = (own.key < 0) & (own.order_id == message.order_id)
    place = jnp.min(jnp.where(named, slot_index(count) - count, jnp.where(own.key == FREE, slot_index(count), count)))
    found = place < 0
    place = jnp.where(found, place + count, place)

    def withdraw(own: Slots) -> tuple[Slots, jax.Array, jax.Array, jax.Array]:
        return jax.lax.cond(
            has(kind, _OF_OWNER),
            lambda own: (*moves.withdraw(own, order), zero != 0, message.owner),
            lambda own: moves.take_off(own, named, found, order),
            own,
        )

    own, missed, reenters, taker = jax.lax.cond(
        has(kind, _NAMES_ORDER | _OF_OWNER),
        withdraw,
        lambda own: (own, zero != 0, zero != 0, message.owner),
        own,
    )
    invalid = has(kind, _NEW_ID) & found
    enters = has(kind, _ENTERS) & ~invalid | reenters

    def enter(own: Slots, other: Slots, carry: Any) -> tuple[Any, ...]:
        other, left, refused, stp, carry = moves.meet(other, order, taker, carry, on_fill)
        newcomer = Slots(order.key, left, message.order_id, taker, next_arrival)
        own, rested, counted = jax.lax.cond(
            (has(kind, _RESTS) | reenters) & ~refused & (left > 0),
            lambda own: moves.rest(own, place, newcomer),
            lambda own: (own, zero, jnp.where(refused, moves.REFUSED, jnp.int32(moves.NOTHING))),
            own,
        )
        return own, other, message.size - left, rested, counted, stp, carry

    def stay(own: Slots, other: Slots, carry: Any) -> tuple[Any, ...]:
        counted = jnp.where(invalid, moves.INVALID, jnp.where(missed, moves.UNKNOWN, jnp.int32(moves.NOTHING)))
        return own, other, zero, zero, counted, zero, carry

    own, other, traded, rested, counted, stp, carry = jax.lax.cond(enters, enter, stay, own, other, carry)
    return own, other, next_arrival + rested, FlatOutcome(traded, taker, counted, stp), carry


def _limit(kind: jax.Array, key: jax.Array) -> jax.Array:
    return jnp.where(has(kind, _ANY_PRICE), -1, key)  # the largest key there is: any live order
