"""Where an engine's result is not the reference's, and a difference written as a test."""

import re

import numpy as np

from lobjax.engine import StreamResult, StreamTrace
from lobjax.kinds import Kind
from lobjax.types import Message, Side

Result = StreamResult | StreamTrace


def differing_books(expected: Result, found: Result) -> np.ndarray:
    """Which books differ in anything, bool `[B]`: a value, the order of fills, or a shape or type of an array (then all of them)."""
    books = expected.traded.shape[0]
    differs = np.zeros(books, bool)
    for name, right, given in zip(expected._fields, expected, found, strict=True):
        if right.dtype != given.dtype or (right.shape != given.shape and name != "fills"):
            return np.ones(books, bool)
        if np.array_equal(right, given):
            continue
        if name == "fills":
            differs |= _differing_fills(right, given, books)
        else:
            differs |= (right != given).reshape(books, -1).any(axis=1)
    return differs


def _differing_fills(right: np.ndarray, given: np.ndarray, books: int) -> np.ndarray:
    if given.ndim != 2 or given.shape[1] != right.shape[1] or (given[:, 0].astype(np.uint32) >= books).any():
        return np.ones(books, bool)
    # Fills are sorted by book, which a wrong engine need not have done: then every book of the result is wrong.
    if (np.diff(given[:, 0]) < 0).any():
        return np.ones(books, bool)
    ends = np.arange(1, books)
    parts = (np.split(rows, np.searchsorted(rows[:, 0], ends)) for rows in (right, given))
    return np.array([not np.array_equal(one, other) for one, other in zip(*parts, strict=True)])


def as_test(rows: np.ndarray, engine: str, capacity: int, function: str) -> str:
    """A pytest function that plays the messages `[M, 6]` on one book; function: run_streams or trace_streams, which shows it."""
    lines = "\n".join(
        f"        ({', '.join(_word(field, int(value)) for field, value in enumerate(row))})," for row in rows
    )
    header = "    rows = [  # kind, side, price, size, order id, owner"
    streams = f"{header}\n{lines}\n    ]\n    messages = Message(*np.array(rows, np.int32).T[:, None, :])"
    return _test(streams, "from lobjax import Kind, Message, Side", engine, capacity, function)


def batch_as_test(call: str, engine: str, capacity: int, function: str) -> str:
    """The same for a difference that no stream shows alone; call: an expression of `bench.verification.streams.conformance.draw`."""
    return _test(
        f"    messages = {call}", "from bench.verification.streams.conformance import draw", engine, capacity, function
    )


def _word(field: int, value: int) -> str:
    names = {"kind": Kind, "side": Side}.get(Message._fields[field])
    return f"{names.__name__}.{names(value).name}" if names and value in list(names) else str(value)


def _test(streams: str, imports: str, engine: str, capacity: int, function: str) -> str:
    return f"""\
import numpy as np

from lobjax.engine import {function}
{imports}


def test_{re.sub(r"[^0-9a-zA-Z]+", "_", engine)}_equals_the_reference_at_capacity_{capacity}():
{streams}
    expected = {function}(messages, engine="reference", capacity={capacity})
    found = {function}(messages, engine="{engine}", capacity={capacity})
    for name, right, given in zip(expected._fields, expected, found):
        np.testing.assert_array_equal(given, right, err_msg=name, strict=True)
"""
