"""A small exchange that prints LOBSTER files: a deep random book of which only N levels are shown.

Liquidity enters and leaves below the shown levels without a message, prices wander, sweeps, hidden prints, crosses and halts occur.
Nothing here is shared with the loader: books are dicts of lists, rows are text.
"""

import gzip
import random
import zipfile
from pathlib import Path

BUY, SELL = 1, -1
EMPTY = 9_999_999_999
NAME = "SYN_2020-02-03_34200000_57600000_{}_{}.csv"


class Exchange:
    """Two sides of price -> [[id, lots], ...], prices in cents, and the rows printed so far."""

    def __init__(self, levels: int, seed: int, depth: int) -> None:
        self.levels, self.random = levels, random.Random(seed)
        self.sides: dict[int, dict[int, list[list[int]]]] = {BUY: {}, SELL: {}}
        self.next_id, self.now_ns = 1_000_000_007, 34_200_000_000_000
        self.messages: list[str] = []
        self.books: list[str] = []
        for side in (BUY, SELL):
            for step in range(depth):
                for _ in range(self.random.randint(1, 3)):
                    price = 10_000 - side * (1 + step * self.random.randint(1, 2))
                    self._rest(side, price, self.random.randint(1, 300), printed=False)

    def prices(self, side: int) -> list[int]:
        """Occupied prices, best first."""
        return sorted(self.sides[side], reverse=side == BUY)

    def event(self) -> None:
        """One random event; it is printed if it happens within the shown levels (before or after it)."""
        self.now_ns += self.random.choice((0, 1, 10, 1_000, 123_456_789, 250_000_000))
        side = self.random.choice((BUY, SELL))
        draw = self.random.random()
        if draw < 0.48 or not self.sides[side]:
            self._new(side)
        elif draw < 0.86:
            self._leave(side, whole=draw > 0.56)
        elif draw < 0.95:
            self._sweep(side, self.random.randint(1, 500))
        elif draw < 0.99:
            self._print(5, 0, self.random.randint(1, 50), 10_000 * 100 + self.random.choice((0, 37, 50)), side)
        elif draw < 0.995:
            self._print(6, -1, self.random.randint(0, 50), 10_000 * 100, side)
        else:
            self._print(7, 0, 0, self.random.choice((-1, 0, 1)), -1)

    def _new(self, side: int) -> None:
        other, own = self.prices(-side), self.prices(side)
        best = own[0] if own else (other[0] - side if other else 10_000)
        price = best - side * int(self.random.expovariate(0.3)) + side * self.random.choice((0, 0, 0, 1, 2))
        if other and (price - other[0]) * side >= 0:
            price = other[0] - side
        self._rest(side, price, self.random.randint(1, 300), printed=True)

    def _rest(self, side: int, price: int, lots: int, printed: bool) -> None:
        self.sides[side].setdefault(price, []).append([self.next_id, lots])
        if printed and self._is_shown(side, price):
            self._print(1, self.next_id, lots, price * 100, side)
        self.next_id += self.random.randint(1, 9)

    def _leave(self, side: int, whole: bool) -> None:
        prices = self.prices(side)
        price = prices[min(int(self.random.expovariate(0.25)), len(prices) - 1)]
        order = self.random.choice(self.sides[side][price])
        lots = order[1] if whole or order[1] == 1 else self.random.randint(1, order[1] - 1)
        self._take(side, price, order, lots, 3 if lots == order[1] else 2)

    def _sweep(self, side: int, lots: int) -> None:
        """A market order of `lots` eats into `side`: one execution for every order that it meets."""
        while lots and len(self.sides[side]) > 1:
            price = self.prices(side)[0]
            order = self.sides[side][price][0]
            some = min(lots, order[1])
            lots -= some
            self._take(side, price, order, some, 4)

    def _take(self, side: int, price: int, order: list[int], lots: int, kind: int) -> None:
        shown = self._is_shown(side, price)
        order[1] -= lots
        if order[1] == 0:
            self.sides[side][price].remove(order)
            if not self.sides[side][price]:
                del self.sides[side][price]
        if shown:
            self._print(kind, order[0], lots, price * 100, side)

    def _is_shown(self, side: int, price: int) -> bool:
        return price in self.prices(side)[: self.levels]

    def _print(self, kind: int, order_id: int, lots: int, price: int, side: int) -> None:
        seconds, nanos = divmod(self.now_ns, 10**9)
        time = f"{seconds}.{nanos:09d}".rstrip("0").rstrip(".")
        self.messages.append(f"{time},{kind},{order_id},{lots},{price},{side}")
        asks, bids = self.prices(SELL), self.prices(BUY)
        fields = []
        for level in range(self.levels):
            for side_prices, name, empty in ((asks, SELL, EMPTY), (bids, BUY, -EMPTY)):
                if level < len(side_prices):
                    queue = self.sides[name][side_prices[level]]
                    fields += [side_prices[level] * 100, sum(lots for _, lots in queue)]
                else:
                    fields += [empty, 0]
        self.books.append(",".join(map(str, fields)))


def make_rows(levels: int, rows: int, seed: int, depth: int = 30) -> tuple[list[str], list[str]]:
    """Message and book lines of a day of exactly `rows` rows that shows `levels` levels of a book `depth` levels deep at first."""
    exchange = Exchange(levels, seed, depth)
    while len(exchange.messages) < rows:
        exchange.event()
    return exchange.messages[:rows], exchange.books[:rows]


def write_pair(folder: Path, messages: list[str], books: list[str] | None, ending: str = ".csv") -> Path:
    """Write a pair as `.csv`, `.csv.gz` or `.zip` under LOBSTER's names; returns the path to load."""
    folder.mkdir(parents=True, exist_ok=True)
    levels = (books[0].count(",") + 1) // 4 if books else 5
    files = {NAME.format("message", levels): messages}
    if books:
        files[NAME.format("orderbook", levels)] = books
    texts = {name: "\n".join(lines) + "\n" for name, lines in files.items()}
    first = folder / NAME.format("message", levels)
    if ending == ".zip":
        with zipfile.ZipFile(folder / "day.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        return folder / "day.zip"
    for name, text in texts.items():
        data = text.encode()
        (folder / (name + ending.removeprefix(".csv"))).write_bytes(
            gzip.compress(data) if ending == ".csv.gz" else data
        )
    return first.with_name(first.name + ending.removeprefix(".csv"))


def shown_levels(book: str) -> list[list[tuple[int, int]]]:
    """A book line as [bids, asks], each a list of (price in cents, lots), empty levels left out."""
    fields = [int(field) for field in book.split(",")]
    sides = []
    for first in (2, 0):
        pairs = zip(fields[first::4], fields[first + 1 :: 4], strict=True)
        sides.append([(price // 100, lots) for price, lots in pairs if abs(price) != EMPTY])
    return sides
