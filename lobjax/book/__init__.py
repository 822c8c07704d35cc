"""The limit order book on the device: state, the pure step of every message kind, and views of it."""

from lobjax.book.state import Book, empty_book
from lobjax.book.step import Outcome, step
from lobjax.book.views import Depth, best_prices, depth, listing, lots_ahead, mid2, volume_at

__all__ = [
    "Book", "Depth", "Outcome", "best_prices", "depth", "empty_book", "listing", "lots_ahead", "mid2", "step", "volume_at",
]  # fmt: skip
