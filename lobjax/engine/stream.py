"""Streams of messages over many books: their files and what an engine gives back. NumPy only, so that no engine drags in another."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.reading import read_npz
from lobjax.types import Message


class StreamResult(NamedTuple):
    """What every engine gives for a batch of streams, to the bit; NumPy int32.

    bids, asks: `[B, N, 4]` (price, size, order_id, owner), best first, zero padded; traded: `[B, M]` lots;
    fills: `[F, 6]` (book, message, resting id, resting owner, price, lots), sorted by book, then message, then execution;
    counters `[B]`: unknown, invalid, refused, displaced, stp.
    """

    bids: np.ndarray
    asks: np.ndarray
    traded: np.ndarray
    fills: np.ndarray
    unknown: np.ndarray
    invalid: np.ndarray
    refused: np.ndarray
    displaced: np.ndarray
    stp: np.ndarray


class StreamTrace(NamedTuple):
    """The same after every message, for tests; NumPy int32.

    listings: `[B, M, 2, N, 4]` (bids, then asks, as in `StreamResult`); traded: `[B, M]`; fills: `[F, 6]`;
    counters: `[B, M, 5]`, the counts up to and including each message, in the order of `lobjax.types.Counters`.
    """

    listings: np.ndarray
    traded: np.ndarray
    fills: np.ndarray
    counters: np.ndarray


def read_streams(path: str | Path) -> Message:
    """Read a `.npz` of streams as a `Message` of int32 `[B, M]`.

    The file holds integer arrays of one shape named after the fields of `Message`; other arrays are ignored. InputError if it
    cannot be read, an array is missing, shapes differ, there is no message, or a value is not an integer of 32 bits.
    """
    path = Path(path)
    fields = read_npz(path, Message._fields, advice="write a file of plain arrays with numpy.savez")
    if missing := [name for name in Message._fields if name not in fields]:
        names = ", ".join(Message._fields)
        raise InputError(f"{path}: no array named '{missing[0]}'; a file of streams holds {names}")
    return Message(
        **{name: _checked(field, f"{path}: '{name}'", fields["kind"].shape) for name, field in fields.items()}
    )


def _checked(field: np.ndarray, where: str, shape: tuple[int, ...]) -> np.ndarray:
    if field.ndim != 2 or field.size == 0:
        raise InputError(f"{where} has shape {field.shape}; it must be [books, messages], at least one of each")
    if field.shape != shape:
        raise InputError(
            f"{where} has shape {field.shape}, 'kind' has {shape}; give all arrays one shape [books, messages]"
        )
    if not np.issubdtype(field.dtype, np.integer):
        raise InputError(f"{where} has type {field.dtype}; convert it to int32")
    narrow = field.astype(np.int32)
    if (wide := np.argwhere(narrow != field)).size:
        book, message = (int(place) for place in wide[0])
        value = field[book, message]
        raise InputError(f"{where} is {value} at book {book}, message {message}; map values into the range of int32")
    return narrow


def write_result(path: str | Path, result: StreamResult) -> None:
    """Write a result as a `.npz` of the fields' names, whole or not at all; InputError if `path` cannot be a file."""
    if os.path.isdir(path):
        raise InputError(f"{path}: is a folder; name a file in it")
    try:
        # An open file, not a name: numpy.savez would append .npz to a name that lacks it.
        with whole_file(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **result._asdict())
    except (NotADirectoryError, FileExistsError):
        raise InputError(f"{path}: part of this path is a file, not a folder; choose another place") from None
