"""The journal of one step: every message as the book got it, after limits, closing ones included, in order.

For witnesses, who play it through a book of their own. A market keeps one where it is told to (`Market.journal`), on the engine xla.
"""

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.types import Message


class Journal(flax.struct.PyTreeNode):
    """What happened since the step began; R places, later ones than `count` are NOOPs."""

    message: Message  # int32 [R]
    count: jax.Array  # int32; more than R where places were too few


def blank_journal(places: int) -> Journal:
    """Nothing yet."""
    return Journal(Message(*[jnp.zeros((places,), jnp.int32)] * len(Message._fields)), jnp.int32(0))


def write(journal: Journal, message: Message) -> Journal:
    """Add a message (scalars)."""
    places = journal.message.kind.shape[0]
    at = jnp.where(journal.count < places, journal.count, places)  # beyond the last place: dropped
    rows = jax.tree.map(lambda rows, x: rows.at[at].set(x, mode="drop"), journal.message, message)
    return Journal(rows, journal.count + 1)
