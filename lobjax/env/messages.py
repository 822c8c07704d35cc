"""Small helpers by which tasks write messages; a message that is not wanted becomes a NOOP."""

import jax
import jax.numpy as jnp

from lobjax.kinds import Kind
from lobjax.types import AGENT_ID_BASE, Message

_IDS_EACH = 1 << 20  # order ids set aside for each account


def orders(
    kind: Kind, side: jax.Array, price: jax.Array, size: jax.Array, order_id: jax.Array | int, owner: int | jax.Array
) -> Message:
    """Messages `[K]` of one kind: price and size int32 `[K]`; where size is 0 or less, a NOOP."""
    shape = size.shape
    return Message(
        kind=jnp.where(size > 0, jnp.int32(kind), jnp.int32(Kind.NOOP)),
        side=jnp.broadcast_to(jnp.asarray(side, jnp.int32), shape),
        price=jnp.broadcast_to(price, shape),
        size=jnp.maximum(size, 0),
        order_id=jnp.broadcast_to(jnp.asarray(order_id, jnp.int32), shape),
        owner=jnp.full(shape, owner, jnp.int32),
    )


def no_messages(count: int) -> Message:
    """`count` NOOPs."""
    return Message(*[jnp.zeros((count,), jnp.int32)] * len(Message._fields))


def joined(*messages: Message) -> Message:
    """One batch of messages after another."""
    return Message(*(jnp.concatenate(fields) for fields in zip(*messages, strict=True)))


def fresh_ids(owner: int | jax.Array, step: jax.Array, count: int) -> jax.Array:
    """Order ids int32 `[count]` that this account uses at this step of an episode and never again."""
    return AGENT_ID_BASE + owner * _IDS_EACH + step * count + jnp.arange(count, dtype=jnp.int32)
