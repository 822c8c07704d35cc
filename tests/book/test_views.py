"""Views of a book, worked by hand: best prices, depth by level, places in the queue, the listing."""

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book, best_prices, depth, empty_book, listing, lots_ahead, mid2, volume_at
from lobjax.types import Side


def book() -> Book:
    """Bids 100 x (3 of owner 1, 4), 98 x 5; asks 101 x 2, 103 x (6, 1 of owner 1); holes in between."""
    price = [[7, 100, 100, 9, 98, 0], [101, 5, 103, 103, 0, 0]]
    size = [[0, 3, 4, 0, 5, 0], [2, 0, 6, 1, 0, 0]]
    order_id = [[70, 11, 12, 90, 13, 0], [21, 50, 22, 23, 0, 0]]
    owner = [[0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]
    return Book(*(jnp.asarray(x, jnp.int32) for x in (price, size, order_id, owner)))


def test_best_prices_and_mid():
    assert [int(x) for x in best_prices(book())] == [100, 101]
    assert int(mid2(book())) == 201


def test_an_empty_side_has_price_0_and_the_mid_comes_from_the_other():
    assert [int(x) for x in best_prices(empty_book(4))] == [0, 0] and int(mid2(empty_book(4))) == 0
    one_sided = book().replace(size=book().size.at[Side.BID].set(0))
    assert [int(x) for x in best_prices(one_sided)] == [0, 101] and int(mid2(one_sided)) == 202


def test_depth_sums_levels_best_first_and_pads_with_zeros():
    seen = depth(book(), 3)
    assert seen.price_ticks.tolist() == [[100, 98, 0], [101, 103, 0]]
    assert seen.size_lots.tolist() == [[7, 5, 0], [2, 7, 0]]
    assert depth(book(), 1).size_lots.tolist() == [[7], [2]]


def test_volume_at_prices_of_everybody_or_of_one_owner():
    prices = jnp.asarray([100, 99, 98, 7])
    assert volume_at(book(), Side.BID, prices).tolist() == [7, 0, 5, 0]
    assert volume_at(book(), Side.BID, prices, owner=1).tolist() == [3, 0, 0, 0]


@pytest.mark.parametrize(
    ("side", "order_id", "ahead"), [(0, 11, 0), (0, 12, 3), (0, 13, 7), (1, 23, 8), (0, 90, -1), (1, 11, -1)]
)
def test_lots_ahead_counts_better_prices_and_the_queue(side, order_id, ahead):
    assert int(lots_ahead(book(), side, order_id)) == ahead


def test_the_listing_leaves_holes_out():
    bids, asks = (np.asarray(x) for x in listing(book()))
    assert bids[:4].tolist() == [[100, 3, 11, 1], [100, 4, 12, 0], [98, 5, 13, 0], [0, 0, 0, 0]]
    assert asks[:4].tolist() == [[101, 2, 21, 0], [103, 6, 22, 0], [103, 1, 23, 1], [0, 0, 0, 0]]
