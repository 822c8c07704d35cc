"""Databento MBO files written with databento-dbn's own encoder, and a small exchange that fills them.

The exchange matches by price and time, with icebergs, self-match prevention, orders modified into the other side and auctions, and
tells it as CME's feed does: trades and fills first, what they did to the book after. Nothing here is shared with the loader.
"""

import datetime
import random
from pathlib import Path
from types import SimpleNamespace

import databento_dbn as dbn
import pyarrow as pa

MIDNIGHT = 1_703_462_400 * 10**9  # 2023-12-25, UTC
TICK = 250_000_000
LAST, SNAPSHOT, TOB, BAD_TS_RECV = 128, 32, 64, 8
NUMBER, SYMBOL = 17077, "ESH4"
FIRST_ID = 6_412_777_000_000  # wider than 32 bits
BUY, SELL = "B", "A"
OTHER = {BUY: SELL, SELL: BUY}


def record(action, side="N", ticks=None, lots=0, order_id=0, flags=LAST, at_ns=0, **fields) -> dbn.MBOMsg:
    """One record; `ticks` of a quarter, None for an undefined price; `at_ns` after midnight."""
    price = dbn.UNDEF_PRICE if ticks is None else ticks * TICK
    values = {
        "publisher_id": 1,
        "instrument_id": NUMBER,
        "ts_event": MIDNIGHT + at_ns,
        "ts_recv": MIDNIGHT + at_ns + 90,
        "price": price,
    }
    values |= {"order_id": order_id, "size": lots, "flags": flags, "channel_id": 0}
    return dbn.MBOMsg(action=dbn.Action(action), side=dbn.Side(side), **(values | fields))


def write_file(path: Path, records, symbols=None, schema=dbn.Schema.MBO) -> Path:
    """Write records as `.dbn` or `.dbn.zst`, by the name."""
    symbols = {SYMBOL: NUMBER} if symbols is None else symbols
    start = datetime.date(2023, 12, 25)
    mappings = [
        SimpleNamespace(
            raw_symbol=name,
            intervals=[SimpleNamespace(start_date=start, end_date=start + datetime.timedelta(1), symbol=str(one))],
        )
        for name, one in symbols.items()
    ]
    head = dbn.Metadata(
        dataset="GLBX.MDP3", start=MIDNIGHT, stype_in=dbn.SType.RAW_SYMBOL, stype_out=dbn.SType.INSTRUMENT_ID, schema=schema,
        symbols=list(symbols), mappings=mappings,
    )  # fmt: skip
    data = head.encode() + b"".join(bytes(one) for one in records)
    path.write_bytes(pa.compress(data, codec="zstd", asbytes=True) if path.suffix == ".zst" else data)
    return path


class Exchange:
    """A market of a few hundred orders; `events` are lists of records, `books` what stands after each: [(ticks, lots, id)] by side."""

    def __init__(self, seed: int, icebergs: bool = True) -> None:
        self.random, self.icebergs = random.Random(seed), icebergs
        self.sides: dict[str, dict[int, list[SimpleNamespace]]] = {BUY: {}, SELL: {}}
        self.next_id, self.now_ns, self.in_auction = FIRST_ID, 3_600 * 10**9, False
        self.events: list[list[dbn.MBOMsg]] = []
        self.books: list[dict[str, list[tuple[int, int, int]]]] = []
        self.parts: list[tuple] = []

    def records(self) -> list[dbn.MBOMsg]:
        return [one for event in self.events for one in event]

    def prices(self, side: str) -> list[int]:
        return sorted(self.sides[side], reverse=side == BUY)

    def snapshot(self, orders: int, clear: bool = True) -> None:
        """The book anew, as a feed's snapshot gives it."""
        self.sides = {BUY: {}, SELL: {}}
        told = [("R", "N", None, 0, 0)] if clear else []
        for _ in range(orders):
            side = self.random.choice((BUY, SELL))
            order = self._order(
                19_200 + (1 if side == SELL else -1) * self.random.randint(1, 25), self.random.randint(1, 9)
            )
            self._rest(side, order)
            told.append(("A", side, order.ticks, order.lots, order.id))
        self._end(told, flags=SNAPSHOT | BAD_TS_RECV)

    def clear(self) -> None:
        self.sides = {BUY: {}, SELL: {}}
        self._end([("R", "N", None, 0, 0)])

    def event(self) -> None:
        """Something happens."""
        self.now_ns += self.random.choice((0, 1, 10, 1_000, 123_456_789, 250_000_000))
        side, draw = self.random.choice((BUY, SELL)), self.random.random()
        own = self.prices(side)
        if draw < 0.5 or not own:
            self._new(side, own)
            return
        ticks = own[min(int(self.random.expovariate(0.3)), len(own) - 1)]
        order = self.random.choice(self.sides[side][ticks])
        if draw < 0.6 and order.lots > 1:
            self._part_cancel(side, order)
        elif draw < 0.78:
            self._remove(side, order)
            self._end([("C", side, order.ticks, order.lots, order.id)])
        elif draw < 0.99:
            self._modify(side, order)
        else:
            self._end([("N", "N", None, 0, 0)])

    def auction(self, orders: int) -> None:
        """Orders rest without trading, whatever they cross; then all that cross trade at one price."""
        self.in_auction = True
        for _ in range(orders):
            self.event()
        self.in_auction = False
        told, done = [], []
        at = self.random.choice(self.prices(BUY)[:3])
        while self.prices(BUY) and self.prices(SELL) and self.prices(BUY)[0] >= self.prices(SELL)[0]:
            bid, ask = (self.sides[side][self.prices(side)[0]][0] for side in (BUY, SELL))
            lots = min(bid.lots, ask.lots)
            for side, order in ((BUY, bid), (SELL, ask)):
                told.append(("F", "N", at, lots, order.id))
                order.lots -= lots
                order.hidden = 0
                done.append(("C", side, order.ticks, lots, order.id))
                if order.lots == 0:
                    self._remove(side, order)
        self._end([("T", "N", at, 1, 0), *told, *done])

    def _order(self, ticks: int, lots: int, hidden: int = 0) -> SimpleNamespace:
        self.next_id += self.random.randint(1, 9)
        return SimpleNamespace(
            id=self.next_id, ticks=ticks, lots=lots, shows=lots, hidden=hidden, party=self.random.randint(0, 12)
        )

    def _new(self, side: str, own: list[int]) -> None:
        best = own[0] if own else 19_200
        worse = -1 if side == BUY else 1
        ticks = best + worse * int(self.random.expovariate(0.3)) - worse * self.random.choice((0, 0, 1, 2, 4))
        is_iceberg = self.icebergs and self.random.random() < 0.1
        lots = self.random.randint(1, 60 if self.random.random() < 0.1 else 9)
        self._arrive(side, self._order(ticks, lots, self.random.randint(1, 30) if is_iceberg else 0), [])

    def _modify(self, side: str, order: SimpleNamespace) -> None:
        draw = self.random.random()
        if draw < 0.3:  # the size alone
            lots = self.random.randint(1, 12)
            if lots > order.lots:
                self._remove(side, order)
                self._rest(side, order)
            order.lots = order.shows = lots
            self._end([("M", side, order.ticks, lots, order.id)])
            return
        self._remove(side, order)
        was = (order.ticks, order.lots)
        order.ticks += self.random.choice((-6, -2, -1, 1, 2, 6))
        order.lots = order.shows = self.random.choice((order.lots, self.random.randint(1, 9)))
        order.hidden = 0
        self._arrive(side, order, [was])

    def _part_cancel(self, side: str, order: SimpleNamespace) -> None:
        lots = self.random.randint(1, order.lots - 1)
        order.lots -= lots
        self._end([("C", side, order.ticks, lots, order.id)])

    def _arrive(self, side: str, order: SimpleNamespace, was: list[tuple[int, int]]) -> None:
        """An order comes in, anew or moved from where it `was`: it trades, and what is left of it rests."""
        told, touched, shown = [], {}, {}  # shown: lots when the event began
        other, sign = OTHER[side], 1 if side == BUY else -1
        left = order.lots + order.hidden
        while left and not self.in_auction and self.prices(other) and (order.ticks - self.prices(other)[0]) * sign >= 0:
            resting = self.sides[other][self.prices(other)[0]][0]
            if resting.party == order.party:  # self-match prevention: the resting one goes
                if resting.id not in touched:
                    touched[resting.id] = [("C", other, resting.ticks, resting.lots, resting.id)]
                    self._remove(other, resting)
                    continue
                left = 0  # its owner has traded here already: here the newcomer goes
                break
            lots = min(left, resting.lots)
            left -= lots
            shown.setdefault(resting.id, resting.lots)
            resting.lots -= lots
            if not told or told[-1][0][2] != resting.ticks:
                told.append([("T", side, resting.ticks, 0, order.id)])
                if was:
                    told[-1].append(("F", side, resting.ticks, 0, order.id))
            told[-1][0] = (*told[-1][0][:3], told[-1][0][3] + lots, order.id)
            if was:
                told[-1][1] = (*told[-1][1][:3], told[-1][1][3] + lots, order.id)
            seen = [fill for fill in told[-1] if fill[0] == "F" and fill[4] == resting.id]
            filled = lots + sum(fill[3] for fill in seen)
            if seen:
                told[-1][told[-1].index(seen[0])] = ("F", other, resting.ticks, filled, resting.id)
            else:
                told[-1].append(("F", other, resting.ticks, lots, resting.id))
            if resting.lots:
                touched[resting.id] = [("M", other, resting.ticks, resting.lots, resting.id)]
                continue
            self._remove(other, resting)
            if resting.hidden:  # shows again, at the back
                resting.lots = min(resting.shows, resting.hidden)
                resting.hidden -= resting.lots
                self._rest(other, resting)
                touched.pop(resting.id, None)  # told in the order of the new places
                touched[resting.id] = [("M", other, resting.ticks, resting.lots, resting.id)]
            else:
                touched[resting.id] = [("C", other, resting.ticks, shown[resting.id], resting.id)]
        changes = [one for changed in touched.values() for one in changed]
        mine = []
        if left and not (told and self.random.random() < 0.3):  # else what is left of it is discarded
            order.lots = order.shows = min(left, order.shows)
            order.hidden = left - order.lots
            self._rest(side, order)
            mine = [("M" if was else "A", side, order.ticks, order.lots, order.id)]
        elif was:
            mine = [("C", side, was[0][0], was[0][1], order.id)]
        trades = [one for part in told for one in part]
        self._end(trades + (mine + changes if self.random.random() < 0.5 else changes + mine))

    def _rest(self, side: str, order: SimpleNamespace) -> None:
        self.sides[side].setdefault(order.ticks, []).append(order)

    def _remove(self, side: str, order: SimpleNamespace) -> None:
        level = self.sides[side][order.ticks]
        level.remove(order)
        if not level:
            del self.sides[side][order.ticks]

    def _end(self, told: list[tuple], flags: int = 0) -> None:
        if not told:
            return
        last = len(told) - 1
        self.events.append(
            [record(*one, flags=flags | (LAST if at == last else 0), at_ns=self.now_ns) for at, one in enumerate(told)]
        )
        self.books.append(
            {
                side: [(one.ticks, one.lots, one.id) for ticks in self.prices(side) for one in self.sides[side][ticks]]
                for side in (BUY, SELL)
            }
        )
