"""The reference engine: one book as sorted arrays, compiled by Numba. Knows no JAX."""

from lobjax.reference.book import BookArrays, apply, empty_book, listing

__all__ = ["BookArrays", "apply", "empty_book", "listing"]
