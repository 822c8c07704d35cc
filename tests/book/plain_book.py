"""The third opinion: a book of dictionaries and deques, written from the matching rules alone and meant to be read, not to be fast."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from lobjax.engine.stream import StreamTrace
from lobjax.kinds import Kind
from lobjax.types import Counters, Message

NEEDS_PRICE = {Kind.LIMIT, Kind.IOC, Kind.FOK, Kind.POST_ONLY, Kind.REPLACE, Kind.REDUCE}
NEEDS_SIZE = NEEDS_PRICE | {Kind.CANCEL, Kind.MARKET}


@dataclass
class Order:
    price: int
    size: int
    order_id: int
    owner: int


class PlainSide:
    """One side: a queue of orders for each price, oldest on the left, and the live orders by id."""

    def __init__(self, is_bid: bool):
        self.is_bid = is_bid
        self.queues: dict[int, deque[Order]] = {}
        self.by_id: dict[int, Order] = {}

    def prices(self) -> list[int]:
        """Prices with orders, best first."""
        return sorted(self.queues, reverse=self.is_bid)

    def orders(self) -> list[Order]:
        """All orders, first in priority first."""
        return [order for price in self.prices() for order in self.queues[price]]

    def append(self, order: Order) -> None:
        self.queues.setdefault(order.price, deque()).append(order)
        self.by_id[order.order_id] = order

    def remove(self, order: Order) -> None:
        queue = self.queues[order.price]
        queue.remove(order)
        if not queue:
            del self.queues[order.price]
        del self.by_id[order.order_id]


class PlainBook:
    """A whole book; `apply` one message at a time."""

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.sides = (PlainSide(is_bid=True), PlainSide(is_bid=False))
        self.counters = dict.fromkeys(Counters._fields, 0)

    def apply(self, message: Message) -> list[tuple[int, int, int, int]]:
        """Change the book; returns the fills (resting id, resting owner, price, lots) in order of execution."""
        if message.kind == Kind.NOOP:
            return []
        if self.is_invalid(message):
            self.counters["invalid"] += 1
            return []
        kind, side, price, size, order_id, owner = message
        own = self.sides[side]
        if kind == Kind.REDUCE:
            self.reduce(own, price, size, owner)
            return []
        if kind == Kind.CANCEL_ALL:
            mine = [order for order in own.orders() if order.owner == owner]
            self.counters["unknown"] += not mine
            for order in mine:
                own.remove(order)
            return []
        if kind in (Kind.CANCEL, Kind.DELETE, Kind.REPLACE):
            if order_id not in own.by_id:
                self.counters["unknown"] += 1
                return []
            order = own.by_id[order_id]
            if kind != Kind.REPLACE:
                self.take_off(own, order, order.size if kind == Kind.DELETE else size)
                return []
            if price == order.price and size <= order.size:
                order.size = size
                return []
            own.remove(order)
            return self.enter(side, Order(price, size, order_id, order.owner), rests=True)
        incoming = Order(price, size, order_id, owner)
        if kind == Kind.MARKET:
            incoming.price = 2**31 if side == 0 else -1
        if kind == Kind.POST_ONLY and any(self.meets(side, price, best) for best in self.sides[1 - side].prices()):
            self.counters["refused"] += 1
            return []
        if kind == Kind.FOK and self.within_reach(side, incoming) < size:
            self.counters["refused"] += 1
            return []
        return self.enter(side, incoming, rests=kind in (Kind.LIMIT, Kind.POST_ONLY))

    def is_invalid(self, message: Message) -> bool:
        if message.kind not in list(Kind) or message.side not in (0, 1):
            return True
        if message.kind in NEEDS_PRICE and message.price <= 0:
            return True
        if message.kind in NEEDS_SIZE and message.size <= 0:
            return True
        is_new = message.kind in (Kind.LIMIT, Kind.POST_ONLY)
        return is_new and (message.order_id <= 0 or message.order_id in self.sides[message.side].by_id)

    @staticmethod
    def meets(side: int, price: int, resting_price: int) -> bool:
        return resting_price <= price if side == 0 else resting_price >= price

    @staticmethod
    def take_off(side: PlainSide, order: Order, lots: int) -> None:
        order.size -= min(lots, order.size)
        if order.size == 0:
            side.remove(order)

    def reduce(self, own: PlainSide, price: int, size: int, owner: int) -> None:
        mine = [order for order in own.queues.get(price, ()) if order.owner == owner]
        if not mine:
            self.counters["unknown"] += 1
        for order in reversed(mine):
            lots = min(size, order.size)
            size -= lots
            if lots:
                self.take_off(own, order, lots)

    @staticmethod
    def is_self_trade(incoming: Order, resting: Order) -> bool:
        return incoming.owner >= 1 and incoming.owner == resting.owner

    def within_reach(self, side: int, incoming: Order) -> int:
        return sum(
            resting.size
            for resting in self.sides[1 - side].orders()
            if self.meets(side, incoming.price, resting.price) and not self.is_self_trade(incoming, resting)
        )

    def enter(self, side: int, incoming: Order, rests: bool) -> list[tuple[int, int, int, int]]:
        """Trade what crosses; then the rest joins the queue, or is discarded."""
        other = self.sides[1 - side]
        fills = []
        for resting in other.orders():
            if incoming.size == 0 or not self.meets(side, incoming.price, resting.price):
                break
            if self.is_self_trade(incoming, resting):
                self.counters["stp"] += 1
                other.remove(resting)
                continue
            lots = min(incoming.size, resting.size)
            fills.append((resting.order_id, resting.owner, resting.price, lots))
            incoming.size -= lots
            self.take_off(other, resting, lots)
        if rests and incoming.size:
            self.join(self.sides[side], incoming)
        return fills

    def join(self, own: PlainSide, order: Order) -> None:
        own.append(order)
        if len(own.by_id) > self.capacity:
            last = own.orders()[-1]
            own.remove(last)
            self.counters["refused" if last is order else "displaced"] += 1


def trace(messages: Message, capacity: int) -> StreamTrace:
    """Run `[B, M]` streams, listing every book after every message, as the engines' traces do."""
    books, length = np.shape(messages.kind)
    listings = np.zeros((books, length, 2, capacity, 4), np.int32)
    traded = np.zeros((books, length), np.int32)
    counters = np.zeros((books, length, 5), np.int32)
    fills = []
    columns = [np.asarray(field).tolist() for field in messages]
    for b in range(books):
        book = PlainBook(capacity)
        for m, message in enumerate(zip(*(column[b] for column in columns), strict=True)):
            executed = book.apply(Message(*message))
            fills += [(b, m, *fill) for fill in executed]
            traded[b, m] = sum(lots for _, _, _, lots in executed)
            counters[b, m] = list(book.counters.values())
            for side in (0, 1):
                if orders := book.sides[side].orders():
                    rows = [(order.price, order.size, order.order_id, order.owner) for order in orders]
                    listings[b, m, side, : len(rows)] = rows
    return StreamTrace(listings, traded, np.array(fills, np.int32).reshape(-1, 6), counters)
