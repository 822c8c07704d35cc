"""Hand-written streams: messages as readable calls, and the outcome of playing them on an engine as plain lists."""

from typing import NamedTuple

import numpy as np
import pytest

from lobjax.engine import ENGINES, trace_streams
from lobjax.kinds import Kind
from lobjax.types import Counters, Message, Side

BID, ASK = Side.BID, Side.ASK
Row = tuple[int, ...]

every_engine = pytest.mark.parametrize("engine", sorted(ENGINES))


def limit(side: int, price: int, size: int, order_id: int, owner: int = 0) -> Row:
    return (Kind.LIMIT, side, price, size, order_id, owner)


def post_only(side: int, price: int, size: int, order_id: int, owner: int = 0) -> Row:
    return (Kind.POST_ONLY, side, price, size, order_id, owner)


def cancel(side: int, order_id: int, size: int) -> Row:
    return (Kind.CANCEL, side, 0, size, order_id, 0)


def delete(side: int, order_id: int) -> Row:
    return (Kind.DELETE, side, 0, 0, order_id, 0)


def market(side: int, size: int, owner: int = 0) -> Row:
    return (Kind.MARKET, side, 0, size, 0, owner)


def ioc(side: int, price: int, size: int, owner: int = 0) -> Row:
    return (Kind.IOC, side, price, size, 0, owner)


def fok(side: int, price: int, size: int, owner: int = 0) -> Row:
    return (Kind.FOK, side, price, size, 0, owner)


def replace(side: int, order_id: int, price: int, size: int, owner: int = 0) -> Row:
    return (Kind.REPLACE, side, price, size, order_id, owner)


def reduce(side: int, price: int, size: int, owner: int = 0) -> Row:
    return (Kind.REDUCE, side, price, size, 0, owner)


def cancel_all(side: int, owner: int = 0) -> Row:
    return (Kind.CANCEL_ALL, side, 0, 0, 0, owner)


class Outcome(NamedTuple):
    """bids, asks: live orders (price, size, order_id, owner), best first; fills: (message, resting id, resting owner, price, lots);
    traded: lots of each message; counters: those that are not zero."""

    bids: list[Row]
    asks: list[Row]
    fills: list[Row]
    traded: list[int]
    counters: dict[str, int]


def play(engine: str, messages: list[Row], capacity: int = 4, length: int = 16) -> Outcome:
    """Play messages on one empty book; padded with NOOP to `length`, so that a compiled engine compiles once."""
    assert len(messages) <= length
    padded = messages + [(Kind.NOOP, 0, 0, 0, 0, 0)] * (length - len(messages))
    stream = Message(*np.array(padded, np.int32).T[:, None, :])
    trace = trace_streams(stream, engine=engine, capacity=capacity)
    sides = ([tuple(row) for row in side.tolist() if any(row)] for side in trace.listings[0, -1])
    fills = [tuple(row) for row in trace.fills[:, 1:].tolist()]
    traded = trace.traded[0].tolist()
    assert not any(traded[len(messages) :])
    counts = dict(zip(Counters._fields, trace.counters[0, -1].tolist(), strict=True))
    return Outcome(*sides, fills, traded[: len(messages)], {name: count for name, count in counts.items() if count})
