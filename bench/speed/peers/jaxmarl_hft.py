"""JaxMARL-HFT's order book (arXiv 2511.02136), imported from a folder of its repository or as installed; it needs `chex`.

Its messages are rows of eight: type (1 limit, 2 cancel, 3 delete, 4 takes from the other side), side (1 bid, -1 ask), lots, price,
order id, trader id, seconds, nanoseconds. Time gives priority, so each message gets a second of its own. What its book does otherwise
than ours: a full side loses all orders at its worst price; a cancel of an unknown id falls on another order. Neither happens on the
stream `peers`.
"""

import importlib
import sys
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.speed.peers import Ends, Peer
from lobjax.errors import InputError
from lobjax.kinds import Kind
from lobjax.types import Message, Side

_TYPES = {Kind.NOOP: 0, Kind.LIMIT: 1, Kind.CANCEL: 2, Kind.DELETE: 3, Kind.IOC: 4}
_PACKAGE = "gymnax_exchange.jaxob"
_EMPTY = -1
_FIRST_SECOND = 34_200


def load(path: str | None, capacity: int) -> Peer:
    """InputError where it cannot be imported."""
    book, configuration = _imported(path)
    config = configuration.JAXLOB_Configuration(nOrders=capacity)
    key = jax.random.key(0) if hasattr(jax.random, "key") else jax.random.PRNGKey(0)

    def empty(_: int) -> Any:
        side = jnp.full((capacity, 6), _EMPTY, jnp.int32)
        return side, side, jnp.full((config.nTrades, 8), _EMPTY, jnp.int32)

    def run(state: Any, messages: Any) -> Any:
        return book.scan_through_entire_array(config, key, messages, state)

    return Peer("JaxMARL-HFT", to_rows, empty, run, ends)


def to_rows(messages: Message) -> np.ndarray:
    """Our messages `[B, M]` as its rows, int32 `[B, M, 8]`. InputError for kinds that it does not know."""
    kinds = np.asarray(messages.kind)
    if unknown := sorted(set(np.unique(kinds).tolist()) - set(map(int, _TYPES))):
        raise InputError(f"--peer jaxmarl_hft: knows no message of kind {unknown[0]}; give --stream peers")
    table = np.array([_TYPES.get(Kind(kind), 0) for kind in range(int(Kind.IOC) + 1)], np.int32)
    side = np.where(messages.side == Side.BID, 1, -1)
    # Its type 4 names the side that is taken from.
    side = np.where(kinds == Kind.IOC, -side, side) * (kinds != Kind.NOOP)
    second = np.broadcast_to(_FIRST_SECOND + np.arange(kinds.shape[1]), kinds.shape)
    size = np.where(kinds == Kind.DELETE, 2**31 - 1, messages.size)
    columns = (table[kinds], side, size, messages.price, messages.order_id, messages.owner, second, 0 * second)
    return np.stack(columns, axis=-1).astype(np.int32)


def ends(state: Any) -> Ends:
    """Of its books: asks and bids, int32 `[B, N, 6]` (price, lots, order id, trader id, seconds, nanoseconds), -1 where empty."""
    asks, bids, *_ = (np.asarray(part) for part in state)
    sides = []
    for rows, best_of, none in ((bids, np.max, -1), (asks, np.min, 2**31)):
        price, lots = rows[:, :, 0].astype(np.int64), rows[:, :, 1].astype(np.int64)
        live = price != _EMPTY
        best = best_of(np.where(live, price, none), axis=1)
        best = np.where(live.any(1), best, 0)
        at_best = live & (price == best[:, None])
        sides.append((best, np.where(live, lots, 0).sum(1), np.where(at_best, lots, 0).sum(1), live.sum(1)))
    return Ends(*(np.stack(pair, axis=1) for pair in zip(*sides, strict=True)))


def _imported(path: str | None) -> tuple[Any, Any]:
    """Its book and its configuration. What the import changes here (the path, the hook for tracebacks) is put back."""
    hook, search = sys.excepthook, [*sys.path]
    if path:
        sys.path.insert(0, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = ("JaxOrderBookArrays", "jaxob_config")
            book, configuration = (importlib.import_module(f"{_PACKAGE}.{name}") for name in names)
    except Exception as error:  # whatever its own code raises
        where = f"in {path}" if path else "among installed packages; give --peer jaxmarl_hft=FOLDER"
        raise InputError(f"--peer jaxmarl_hft: cannot import {_PACKAGE} {where} ({error})") from None
    finally:
        sys.excepthook, sys.path[:] = hook, search
    return book, configuration
