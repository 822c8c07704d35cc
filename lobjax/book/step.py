"""The whole market mechanism: `step(book, message) -> (book, outcome)`, pure, for every kind of message.

The contract is docs/rules.md. Every kind is the same five moves with other masks: check, take lots off
resting orders of the own side, sweep the other side, let the rest come to rest, count. Two moves are under a `cond`, which skips them for
a book that runs alone; under `vmap` it is a select, and books side by side do all the same work.
Which kinds have which mask is in `lobjax.kinds`. A kind that recombines moves is a row there; one that moves otherwise needs its
trait there and its line here. `tests/book` then compares it with the two other books.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from lobjax.book.matching import sweep
from lobjax.book.resting import Placed, insert
from lobjax.book.sides import Slots, is_own, sides
from lobjax.book.state import Book
from lobjax.kinds import Trait, has, is_known, mask
from lobjax.types import Counters, Fills, Message, Side

_SIDED, _PRICED, _SIZED = mask(Trait.SIDED), mask(Trait.PRICED), mask(Trait.SIZED)
_NEW_ID, _NAMES_ORDER, _OF_OWNER, _REENTERS = (
    mask(Trait.NEW_ID), mask(Trait.NAMES_ORDER), mask(Trait.OF_OWNER), mask(Trait.REENTERS),
)  # fmt: skip
_TAKES, _ANY_PRICE, _ALL_OR_NOTHING, _NEVER_TAKES, _RESTS = (
    mask(Trait.TAKES), mask(Trait.ANY_PRICE), mask(Trait.ALL_OR_NOTHING), mask(Trait.NEVER_TAKES), mask(Trait.RESTS),
)  # fmt: skip


class Outcome(NamedTuple):
    """What one message did."""

    traded: jax.Array  # int32 lots
    taker: jax.Array  # int32 owner of the incoming order (of the resting one, where a REPLACE re-enters)
    fills: Fills  # int32 [N] each, in order of execution; rows with 0 lots are padding
    counters: Counters  # int32 each


class _Request(NamedTuple):
    """A message, read: which moves it asks for. Every field is a bool, all False where the message is invalid or a NOOP."""

    sized: jax.Array  # its size bounds what it takes off its own side
    names: jax.Array  # an order by its id
    of_owner: jax.Array  # its owner's orders
    reenters: jax.Array  # the order that it names, in its new form, unless that can keep its place
    takes: jax.Array  # meets the other side at once
    rests: jax.Array  # what is left joins the queue
    never_takes: jax.Array  # refused where it would meet the other side
    invalid: jax.Array


def step(book: Book, message: Message) -> tuple[Book, Outcome]:
    """Apply one message (int32 scalars) to one book. Any int32 values are accepted; what is wrong is counted, never raised.

    AssertionError, while it is traced, where the message is not one of integers: `vmap` over many.
    """
    chex.assert_rank(list(message), 0)
    chex.assert_type(list(message), int)
    chex.assert_shape(jax.tree.leaves(book), (2, book.capacity))
    is_bid = message.side == Side.BID
    own, other = sides(book, is_bid)
    named = (own.size > 0) & (own.order_id == message.order_id)
    found = jnp.any(named)
    ask = _read(message, found)

    named_size, named_price, named_owner = (_pick(named, x) for x in (own.size, own.price, own.owner))
    in_place = ask.reenters & found & (message.price == named_price) & (message.size <= named_size)
    reenters = ask.reenters & found & ~in_place
    enters = ~ask.reenters | reenters
    taker = jnp.where(reenters, named_owner, message.owner)

    meets = jnp.where(is_bid, other.price <= message.price, other.price >= message.price)
    crosses = (other.size > 0) & (meets | has(message.kind, _ANY_PRICE))
    meets_any = jnp.any(crosses)
    at_price = (own.price == message.price) | ~has(message.kind, _PRICED)
    owned = jnp.where(ask.of_owner & (own.owner == message.owner) & at_price, own.size, 0)
    reduce = ask.of_owner & ask.sized
    qty = jnp.where(ask.takes & enters | reduce, message.size, 0)
    swept = sweep(crosses, other, owned, qty, taker, fok=has(message.kind, _ALL_OR_NOTHING), reduce=reduce)

    off = jnp.where(ask.names & ask.sized & ~ask.reenters, jnp.minimum(message.size, own.size), own.size)
    off = jnp.where(in_place, own.size - message.size, off)
    off = jnp.where(named & ask.names, off, 0)
    own_size = own.size - off - jnp.where(reduce, swept.reduced, owned)
    other_size = jnp.where(swept.stp, 0, other.size - swept.fill)
    book = book.replace(size=jnp.where(is_own(is_bid), own_size, other_size))

    would_take = ask.never_takes & meets_any
    rest = jnp.where(ask.rests & enters & ~would_take, message.size - swept.traded, 0)
    order = Slots(message.price, rest, message.order_id, taker)
    nobody = Placed(displaced=jnp.bool_(False), refused=jnp.bool_(False))
    book, placed = jax.lax.cond(rest > 0, insert, lambda book, *_: (book, nobody), book, order, is_bid)

    missed = ask.names & ~found | ask.of_owner & ~jnp.any(owned > 0)
    counters = Counters(
        unknown=_count(missed),
        invalid=_count(ask.invalid),
        refused=_count(would_take) + _count(swept.unfillable) + _count(placed.refused),
        displaced=_count(placed.displaced),
        stp=jnp.sum(swept.stp, dtype=jnp.int32),
    )
    fills = Fills(other.order_id, other.owner, other.price, swept.fill)
    return book, Outcome(swept.traded, taker, fills, counters)


def _read(message: Message, id_is_live: jax.Array) -> _Request:
    kind = message.kind
    bad_side = has(kind, _SIDED) & (message.side != Side.BID) & (message.side != Side.ASK)
    bad_price = has(kind, _PRICED) & (message.price <= 0)
    bad_size = has(kind, _SIZED) & (message.size <= 0)
    bad_id = has(kind, _NEW_ID) & ((message.order_id <= 0) | id_is_live)
    invalid = ~is_known(kind) | bad_side | bad_price | bad_size | bad_id
    return _Request(
        sized=~invalid & has(kind, _SIZED),
        names=~invalid & has(kind, _NAMES_ORDER),
        of_owner=~invalid & has(kind, _OF_OWNER),
        reenters=~invalid & has(kind, _REENTERS),
        takes=~invalid & has(kind, _TAKES),
        rests=~invalid & has(kind, _RESTS),
        never_takes=~invalid & has(kind, _NEVER_TAKES),
        invalid=invalid,
    )


def _pick(mask: jax.Array, values: jax.Array) -> jax.Array:
    """The one value under the mask, 0 if there is none."""
    return jnp.sum(jnp.where(mask, values, 0), dtype=jnp.int32)


def _count(flag: jax.Array) -> jax.Array:
    return flag.astype(jnp.int32)
