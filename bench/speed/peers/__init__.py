"""Other people's engines on the same messages, where the caller has them. To add one: a module with `load`, named here."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lobjax.errors import InputError, nearest
from lobjax.types import Message

PEERS = {"jaxmarl_hft": "bench.speed.peers.jaxmarl_hft"}


class Ends(NamedTuple):
    """What two engines of different books can be compared by, int64 `[B, 2]` (bid, ask) each; 0 on an empty side."""

    best_price: np.ndarray
    lots: np.ndarray  # resting, over all prices
    best_lots: np.ndarray  # at the best price
    orders: np.ndarray


class Peer(NamedTuple):
    """An engine as `bench engine` runs it. Written for one book; the caller maps it."""

    name: str
    convert: Callable[[Message], Any]  # messages [B, M], NumPy -> its own form, a pytree of arrays that lead with [B]
    empty: Callable[[int], Any]  # capacity -> one empty book
    run: Callable[[Any, Any], Any]  # one book, its messages -> the book
    ends: Callable[[Any], Ends]  # books, all of them, NumPy


def load(asked: str, capacity: int) -> Peer:
    """The peer that `NAME` or `NAME=PATH` asks for, for books of `capacity` orders a side. InputError where it is not there."""
    name, _, path = asked.partition("=")
    if name not in PEERS:
        raise InputError(f"--peer {asked}: unknown engine '{name}'; {nearest(name, PEERS)}")
    if path and not Path(path).is_dir():
        raise InputError(f"--peer {asked}: no folder {path}; give the folder of its repository")
    return import_module(PEERS[name]).load(path or None, capacity)


def ends_of(bids: np.ndarray, asks: np.ndarray) -> Ends:
    """The same of our listings `[B, N, 4]`."""
    sides = []
    for side in (bids, asks):
        price, lots = side[:, :, 0].astype(np.int64), side[:, :, 1].astype(np.int64)
        best = price[:, 0]
        sides.append((best, lots.sum(1), np.where(price == best[:, None], lots, 0).sum(1), (lots > 0).sum(1)))
    return Ends(*(np.stack(pair, axis=1) for pair in zip(*sides, strict=True)))


def agreement(theirs: Ends, ours: Ends) -> dict[str, float]:
    """The share of books in which each figure agrees on both sides, and in which all do."""
    equal = {name: (getattr(theirs, name) == getattr(ours, name)).all(axis=1) for name in Ends._fields}
    equal["all"] = np.logical_and.reduce(list(equal.values()))
    return {name: round(float(same.mean()), 6) for name, same in equal.items()}
