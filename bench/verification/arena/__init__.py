"""Witnesses of the arena: what anybody needs to check it with a book of their own."""
