"""A whole order-by-order book in plain Python, straight from the records of a file: what replays of it are checked with.

Nothing here is shared with `lobjax.data` but the names of actions and flags: dicts of dicts, no window, no matching. Trades and fills
change nothing (their Cancels and Modifies do); fills are remembered up to those, to know what a Modify left standing.
"""

from array import array
from bisect import bisect_left, insort

from lobjax.data import dbn

_SIDE = {dbn.BID: 0, dbn.ASK: 1}


class OrderBook:
    """Two sides of price -> {id: lots}, oldest order first; prices in ticks. Counts what the file should not hold."""

    def __init__(self) -> None:
        self.unknown_ids = self.negative_sizes = 0
        self._in_snapshot = False
        self._clear()

    def _clear(self) -> None:
        self.levels: tuple[dict[int, dict[int, int]], ...] = ({}, {})
        self.prices: tuple[list[int], ...] = ([], [])  # rising; of bids negated, so that the first is the best
        self._where: dict[int, tuple[int, int]] = {}
        self._filled: dict[int, int] = {}
        self._packed: tuple[dict[int, bytes], ...] = ({}, {})  # levels as an engine lists them, until they change

    def apply(self, action: int, side: int, price: int, lots: int, order_id: int, flags: int) -> None:
        """One record; `side` as in the file, `price` in ticks."""
        is_snapshot = bool(flags & dbn.F_SNAPSHOT)
        if action == dbn.CLEAR or (is_snapshot and not self._in_snapshot):
            self._clear()
        self._in_snapshot = is_snapshot
        if action == dbn.ADD:
            self._remove(order_id)
            self._append(_SIDE[side], price, lots, order_id)
        elif action == dbn.FILL:
            self._filled[order_id] = self._filled.get(order_id, 0) + lots
        elif action in (dbn.CANCEL, dbn.MODIFY):
            filled = self._filled.pop(order_id, 0)
            if order_id not in self._where:
                self.unknown_ids += 1
                if action == dbn.MODIFY:
                    self._append(_SIDE[side], price, lots, order_id)
            elif action == dbn.CANCEL:
                self._reduce(order_id, lots)
            else:
                self._modify(_SIDE[side], price, lots, order_id, filled)

    def best(self) -> tuple[int | None, int | None]:
        """Best bid and ask in ticks, None where there is none."""
        return (-self.prices[0][0] if self.prices[0] else None, self.prices[1][0] if self.prices[1] else None)

    def is_crossed(self) -> bool:
        bid, ask = self.best()
        return bid is not None and ask is not None and bid >= ask

    def packed(self, side: int, orders: int) -> tuple[bytes, int]:
        """The best levels that hold `orders` orders or more, as int32 rows (price, size, id, owner 0), and how many levels."""
        parts, count, cache = [], 0, self._packed[side]
        for key in self.prices[side]:
            if count >= orders:
                break
            price = -key if side == 0 else key
            if (part := cache.get(price)) is None:
                rows = array(
                    "i", [word for order, lots in self.levels[side][price].items() for word in (price, lots, order, 0)]
                )
                part = cache[price] = rows.tobytes()
            parts.append(part)
            count += len(part) // 16
        return b"".join(parts), len(parts)

    def _append(self, side: int, price: int, lots: int, order_id: int) -> None:
        if price not in self.levels[side]:
            self.levels[side][price] = {}
            insort(self.prices[side], -price if side == 0 else price)
        self.levels[side][price][order_id] = lots
        self._where[order_id] = (side, price)
        self._packed[side].pop(price, None)

    def _remove(self, order_id: int) -> None:
        if order_id not in self._where:
            return
        side, price = self._where.pop(order_id)
        del self.levels[side][price][order_id]
        self._packed[side].pop(price, None)
        if not self.levels[side][price]:
            del self.levels[side][price]
            del self.prices[side][bisect_left(self.prices[side], -price if side == 0 else price)]

    def _reduce(self, order_id: int, lots: int) -> None:
        side, price = self._where[order_id]
        left = self.levels[side][price][order_id] - lots
        self.negative_sizes += left < 0
        if left <= 0:
            self._remove(order_id)
            return
        self.levels[side][price][order_id] = left
        self._packed[side].pop(price, None)

    def _modify(self, side: int, price: int, lots: int, order_id: int, filled: int) -> None:
        held = self._where[order_id]
        if held == (side, price) and lots <= self.levels[side][price][order_id] - filled:
            self.levels[side][price][order_id] = lots
            self._packed[side].pop(price, None)
            return
        self._remove(order_id)
        self._append(side, price, lots, order_id)
