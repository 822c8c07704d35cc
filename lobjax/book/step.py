"""The whole market mechanism: `step(book, message) -> (book, outcome)`, pure, for every kind of message.

The contract is the README's section "Matching rules". Every kind is the same five moves with other masks: check, take lots off
resting orders of the own side, sweep the other side, let the rest come to rest, count. Two moves are under a `cond`, which skips them for
a book that runs alone; under `vmap` it is a select, and books side by side do all the same work.
To add a kind: number it in `lobjax.types.Kind`, say in `_read` what it needs, and give it its masks in `step`;
`tests/book` then compares it with the two other books.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.book.matching import sweep
from lobjax.book.resting import Placed, insert
from lobjax.book.sides import Slots, is_own, sides
from lobjax.book.state import Book
from lobjax.types import Counters, Fills, Kind, Message, Side


class Outcome(NamedTuple):
    """What one message did."""

    traded: jax.Array  # int32 lots
    taker: jax.Array  # int32 owner of the incoming order (of the resting one, where a REPLACE re-enters)
    fills: Fills  # int32 [N] each, in order of execution; rows with 0 lots are padding
    counters: Counters  # int32 each


class _Request(NamedTuple):
    """A message, read: which moves it asks for. Every field is a bool, all False where the message is invalid or a NOOP."""

    cancel: jax.Array
    delete: jax.Array
    replace: jax.Array
    reduce: jax.Array
    takes: jax.Array  # LIMIT, MARKET, IOC, FOK: meets the other side at once
    rests: jax.Array  # LIMIT, POST_ONLY: what is left joins the queue
    invalid: jax.Array


def step(book: Book, message: Message) -> tuple[Book, Outcome]:
    """Apply one message (int32 scalars) to one book. Any int32 values are accepted; what is wrong is counted, never raised."""
    is_bid = message.side == Side.BID
    own, other = sides(book, is_bid)
    named = (own.size > 0) & (own.order_id == message.order_id)
    found = jnp.any(named)
    ask = _read(message, found)

    named_size, named_price, named_owner = (_pick(named, x) for x in (own.size, own.price, own.owner))
    in_place = ask.replace & found & (message.price == named_price) & (message.size <= named_size)
    reenters = ask.replace & found & ~in_place
    taker = jnp.where(reenters, named_owner, message.owner)

    meets = jnp.where(is_bid, other.price <= message.price, other.price >= message.price)
    crosses = (other.size > 0) & (meets | (message.kind == Kind.MARKET))
    meets_any = jnp.any(crosses)
    qty = jnp.where(ask.takes | reenters | ask.reduce, message.size, 0)
    reducible = jnp.where((own.owner == message.owner) & (own.price == message.price), own.size, 0)
    swept = sweep(crosses, other, reducible, qty, taker, fok=message.kind == Kind.FOK, reduce=ask.reduce)

    off = jnp.where(ask.cancel, jnp.minimum(message.size, own.size), 0)
    off = jnp.where(ask.delete | reenters, own.size, off)
    off = jnp.where(in_place, own.size - message.size, off)
    own_size = own.size - jnp.where(named, off, 0) - swept.reduced
    other_size = jnp.where(swept.stp, 0, other.size - swept.fill)
    book = book.replace(size=jnp.where(is_own(is_bid), own_size, other_size))

    would_take = ask.rests & ~ask.takes & meets_any
    rest = jnp.where((ask.rests & ~would_take) | reenters, message.size - swept.traded, 0)
    order = Slots(message.price, rest, message.order_id, taker)
    nobody = Placed(displaced=jnp.bool_(False), refused=jnp.bool_(False))
    book, placed = jax.lax.cond(rest > 0, insert, lambda book, *_: (book, nobody), book, order, is_bid)

    missed = (ask.cancel | ask.delete | ask.replace) & ~found | ask.reduce & ~jnp.any(swept.reduced > 0)
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

    def one_of(*kinds: Kind) -> jax.Array:
        return jnp.stack([kind == k for k in kinds]).any(0)

    known = (kind >= Kind.NOOP) & (kind <= Kind.REDUCE)
    bad_side = (message.side != Side.BID) & (message.side != Side.ASK)
    priced = one_of(Kind.LIMIT, Kind.IOC, Kind.FOK, Kind.POST_ONLY, Kind.REPLACE, Kind.REDUCE)
    new_resting = one_of(Kind.LIMIT, Kind.POST_ONLY)
    bad_price = priced & (message.price <= 0)
    bad_size = (kind != Kind.DELETE) & (message.size <= 0)
    bad_id = new_resting & ((message.order_id <= 0) | id_is_live)
    invalid = ~known | (kind != Kind.NOOP) & (bad_side | bad_price | bad_size | bad_id)
    return _Request(
        cancel=~invalid & (kind == Kind.CANCEL),
        delete=~invalid & (kind == Kind.DELETE),
        replace=~invalid & (kind == Kind.REPLACE),
        reduce=~invalid & (kind == Kind.REDUCE),
        takes=~invalid & one_of(Kind.LIMIT, Kind.MARKET, Kind.IOC, Kind.FOK),
        rests=~invalid & new_resting,
        invalid=invalid,
    )


def _pick(mask: jax.Array, values: jax.Array) -> jax.Array:
    """The one value under the mask, 0 if there is none."""
    return jnp.sum(jnp.where(mask, values, 0), dtype=jnp.int32)


def _count(flag: jax.Array) -> jax.Array:
    return flag.astype(jnp.int32)
