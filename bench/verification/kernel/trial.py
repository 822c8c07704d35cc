"""Compiled kernels tried on random messages: does the code do what it should, and how many instructions does a message take."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.verification.kernel.compile import MESSAGES

PLAYED_BOOKS = 20


def _played_book(code: str, capacity: int, *, log: bool) -> dict[str, Any]:
    """The book kernel tried on random streams: whether it equals the reference, and what a message takes on average."""
    import numpy as np

    from bench.peers_stream import peers_stream
    from bench.verification.kernel.book import play
    from lobjax.engine.random_streams import random_streams
    from lobjax.reference import batch

    messages = random_streams(capacity, PLAYED_BOOKS, MESSAGES)
    played = play(code, messages, capacity, MESSAGES if log else 0)
    bids, asks, traded, fills, *counters = batch.run(messages, capacity)
    expected = [bids, asks, traded, fills if log else fills[:0], np.stack(counters, axis=1)]
    total = PLAYED_BOOKS * MESSAGES
    own = {}
    if not log:  # what `bench engine` runs and sets against this count
        counted = play(code, peers_stream(capacity, PLAYED_BOOKS, MESSAGES), capacity, 0).executed.total()
        own["instructions_per_message_peers"] = round(counted / total, 1)
    return {
        **own,
        "equals_reference": all(map(np.array_equal, played[:5], expected)),
        **_taken(played.executed, total),
    }


def _played_market(code: str, capacity: int, *, flow: str) -> dict[str, Any]:
    """The same of the market kernel: whether it equals the loop in XLA."""
    from bench.verification.kernel.market import play

    played = play(code, flow, capacity)
    return {"equals_reference": played.equals_loop, **_taken(played.executed, played.messages)}


def _taken(executed: Counter[str], messages: int) -> dict[str, float]:
    """Instructions a message: all, and those of the slower kinds."""
    slow = {"reductions": "redux", "shuffles": "shfl", "loads": "ld.global", "divisions": "div"}
    totals = {
        name: sum(n for opcode, n in executed.items() if opcode.startswith(start)) for name, start in slow.items()
    }
    totals = {"instructions": executed.total(), **totals}
    return {f"{name}_per_message": round(n / messages, 2) for name, n in totals.items()}


# By name: how the compiled code is tried.
KERNELS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "book": partial(_played_book, log=False),
    "book_log": partial(_played_book, log=True),
    "market_poisson": partial(_played_market, flow="poisson"),
    "market_recorded": partial(_played_market, flow="recorded"),
}
