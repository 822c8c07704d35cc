"""Every engine equals the reference at every size of batch and of book: what depends on how many there are shows only there."""

import functools

import pytest

from bench.verification.streams.difference import differing_books
from lobjax.engine import ENGINES, StreamResult, run_streams
from lobjax.engine.random_streams import random_streams
from lobjax.types import Message

# (books, messages, capacity): one book and thousands, the smallest book and the largest, and a batch that no power of two divides.
SIZES = [(1, 2000, 8), (1, 2000, 512), (4096, 40, 8), (4096, 12, 64), (1000, 60, 32), (37, 400, 256)]


@functools.cache
def drawn(books: int, length: int, capacity: int) -> tuple[Message, StreamResult]:
    messages = random_streams((17, books), books, length)
    return messages, run_streams(messages, engine="reference", capacity=capacity)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "reference"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "{}x{}-at-{}".format(*size))
def test_equals_the_reference(size, engine: str):
    messages, expected = drawn(*size)
    if reason := ENGINES[engine]().refusal(size[2]):
        pytest.skip(f"{engine} cannot run: {reason}")
    assert not differing_books(expected, run_streams(messages, engine=engine, capacity=size[2])).any()
    assert len(expected.fills) > 0
