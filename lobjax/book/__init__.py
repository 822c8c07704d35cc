"""The limit order book on the device: state, the pure step of every message kind, and views of it."""

from lobjax.book.state import Book, empty_book
from lobjax.book.step import Outcome, step
from lobjax.book.views import BySide, Depth, best_prices, depth, listing, lots_ahead, lots_from, mid2, volume_at

__all__ = [
    "Book", "BySide", "Depth", "Outcome",
    "best_prices", "depth", "empty_book", "listing", "lots_ahead", "lots_from", "mid2", "step", "volume_at",
]  # fmt: skip
