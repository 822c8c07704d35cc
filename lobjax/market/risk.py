"""The checks that a broker makes before an order reaches the book: whose order it names, and what its account may come to hold.

Resting orders count as if they had traded, so no sequence of fills can break a limit, whatever arrives in between. An execution
agent's limits are 0 and its parent order, which is why it cannot sell what it no longer has; a market maker's are its inventory limits.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from lobjax.book import BySide
from lobjax.kinds import KNOWN, Kind, Trait, has, is_known, mask
from lobjax.types import Message, Side

NAMES_ORDER, REENTERS = mask(Trait.NAMES_ORDER), mask(Trait.REENTERS)
LIMITED = KNOWN & ~mask(Trait.NEVER_ADDS)  # a kind that does not say that it never adds to a position is checked


class Limits(NamedTuple):
    """Net lots that an account may hold, int32 `[A + 1]` each; row 0 is not checked."""

    low: jax.Array
    high: jax.Array
    target: jax.Array  # what closing messages bring the position to


def only_own_orders(book: BySide, message: Message) -> Message:
    """A CANCEL, DELETE or REPLACE by an account of an order not its own names none: its id becomes 0, which the book counts as unknown."""
    kind = message.kind
    names = has(kind, NAMES_ORDER)
    buys = message.side == Side.BID
    size, order_id, owner = (jnp.where(buys, rows[0], rows[1]) for rows in (book.size, book.order_id, book.owner))
    # A maximum, not `any`, here and what may be traced below: the kernel's compiler takes these lines too.
    foreign = jnp.max(((size > 0) & (order_id == message.order_id) & (owner != message.owner)).astype(jnp.int32)) > 0
    return message._replace(order_id=jnp.where(names & (message.owner >= 1) & foreign, 0, message.order_id))


def clip_to_limits(
    book: BySide, lots: jax.Array, message: Message, limits: Limits, *, closing: bool | jax.Array = False
) -> tuple[Message, jax.Array]:
    """Shrink an account's order to the room that is left, to a NOOP where there is none; and the lots cut off (int32).

    lots: int32 `[A + 1]`, net lots held. Checked is every kind that does not declare that it never adds to a position; a REPLACE gives
    up its own place first. `closing` messages come from the venue as a step ends: their room is the way to the account's target, whatever
    rests, so a market order of any size closes exactly, and what it does not need is not counted as cut off.
    """
    kind = message.kind
    valid = is_known(kind) & ((message.side == Side.BID) | (message.side == Side.ASK)) & (message.size > 0)
    checked = has(kind, LIMITED) & valid & (message.owner >= 1) & (message.owner < lots.shape[0])
    row = jnp.where(checked, message.owner, 0)
    buys = message.side == Side.BID
    own_size = jnp.where(buys, book.size[Side.BID], book.size[Side.ASK])
    own_owner = jnp.where(buys, book.owner[Side.BID], book.owner[Side.ASK])
    own_id = jnp.where(buys, book.order_id[Side.BID], book.order_id[Side.ASK])
    replaced = has(kind, REENTERS) & (own_id == message.order_id)
    resting = jnp.sum(jnp.where((own_owner == message.owner) & ~replaced, own_size, 0), dtype=jnp.int32)
    bound = jnp.where(closing, limits.target[row], jnp.where(buys, limits.high[row], limits.low[row]))
    held = lots[row]
    room = jnp.where(buys, bound - held, held - bound) - jnp.where(closing, 0, resting)
    size = jnp.where(checked, jnp.clip(room, 0, message.size), message.size)
    kind = jnp.where(checked & (size == 0), Kind.NOOP, kind)
    cut = jnp.where(closing, 0, message.size - size)
    return message._replace(kind=kind, size=size), cut
