"""Views of a book on flat slots, in whatever slots its orders lie, are those of the same book on ordered slots."""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import Book, best_prices, depth, listing, lots_ahead, lots_from, mid2, volume_at
from lobjax.engine import xla
from lobjax.engine.kernel.book import FlatBook, from_book, load_sides
from lobjax.engine.kernel.view import FlatView
from lobjax.engine.random_streams import random_streams
from lobjax.types import Message, Side

BOOKS, CAPACITY = 40, 24


def books() -> tuple[Book, FlatBook]:
    """Books of random streams, some of them with an empty side, as both; flat slots are shuffled."""
    zeros = jnp.zeros((BOOKS, 2, CAPACITY), jnp.int32)
    messages = random_streams(11, BOOKS, 60)
    kind = np.where((np.arange(BOOKS)[:, None] % 4 == 0) & (messages.side == 0), 0, messages.kind)
    messages = messages._replace(kind=np.where(np.arange(BOOKS)[:, None] == 1, 0, kind))
    ordered, _ = jax.jit(jax.vmap(xla.replay))(
        Book(zeros, zeros, zeros, zeros), Message(*(jnp.asarray(field, jnp.int32) for field in messages))
    )
    flat = jax.vmap(from_book)(ordered)
    place = jnp.asarray(np.random.default_rng(5).permuted(np.tile(np.arange(32), (BOOKS, 2, 1)), axis=2))
    slots = {name: jnp.take_along_axis(field, place, 2) for name, field in flat.slots._asdict().items()}
    return ordered, flat.replace(**slots)


def test_every_view_is_the_same():
    ordered, flat = books()
    assert bool((ordered.size > 0).any((1, 2)).sum() > 30) and not bool((ordered.size[1] > 0).any())
    prices = jnp.arange(960, 1040)

    def views(book):
        named = jnp.concatenate([listing(book)[side][:5, 2] for side in Side])
        return (
            best_prices(book),
            mid2(book),
            depth(book, 7),
            listing(book),
            [volume_at(book, side, prices, owner) for side in Side for owner in (None, 0, 1)],
            [lots_from(book, side, jnp.int32(1000), 13, 32) for side in Side],
            [jax.vmap(lambda i, s=side: lots_ahead(book, s, i))(named) for side in Side],
        )

    one, other = (jax.jit(jax.vmap(views))(book) for book in (flat, ordered))
    assert jax.tree.all(jax.tree.map(np.array_equal, one, other))
    assert int((other[-1][0] > 0).sum()) > 20

    def views_in_kernel(book):
        view = FlatView(load_sides(book))
        return best_prices(view), mid2(view), [lots_from(view, side, jnp.int32(1000), 13, 32) for side in Side]

    in_kernel = jax.jit(jax.vmap(views_in_kernel))(flat)
    assert jax.tree.all(jax.tree.map(np.array_equal, in_kernel, (other[0], other[1], other[5])))
    many = jnp.stack(other[5]).sum(-1)
    assert bool((many > 1023).any()) and bool(((many > 0) & (many < 1024)).any())  # both ways of adding up
