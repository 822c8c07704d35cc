"""The invariants of the matching rules, after every message of streams that hypothesis makes up."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lobjax.engine import trace_streams
from lobjax.kinds import Kind, Trait
from lobjax.types import INT32_MAX, Counters, Message
from tests.book.play import Row, every_engine

CAPACITY, LENGTH = 3, 40
RESTING = [kind for kind in Kind if Trait.NEW_ID in kind.traits]
TAKING = [kind for kind in Kind if Trait.TAKES in kind.traits and Trait.RESTS not in kind.traits]
LEAVING = [
    kind for kind in Kind if kind.traits & (Trait.NAMES_ORDER | Trait.OF_OWNER) and Trait.REENTERS not in kind.traits
]


@st.composite
def messages(draw) -> Row:
    """Few prices, sizes and ids, so that every message matters to some other and sides fill up; bids lie mostly below asks."""
    kind = draw(st.sampled_from([*Kind, *RESTING, *RESTING, *RESTING]))
    side = draw(st.integers(0, 1))
    price = draw(st.integers(1, 4)) + draw(st.sampled_from([0, 3, 3])) * side
    size = draw(st.sampled_from([1, 2, 3, 4, 9, INT32_MAX, 0]))
    return (
        kind,
        side,
        draw(st.sampled_from([price] * 19 + [0])),
        size,
        draw(st.integers(0, 8)),
        draw(st.integers(-1, 2)),
    )


streams = st.lists(messages(), min_size=LENGTH, max_size=LENGTH)


class Ledger:
    """Where every lot of one side went, read from listings, fills and counters only."""

    def __init__(self):
        self.lots: Counter[str] = Counter()

    def balances(self, resting: int) -> bool:
        out = ("traded", "cancelled", "discarded", "displaced", "refused")
        return self.lots["in"] == resting + sum(self.lots[name] for name in out)


def orders(listing: np.ndarray) -> dict[int, Row]:
    """Live orders of one side by id, best first: (price, size, owner)."""
    rows = [tuple(row) for row in listing.tolist()]
    n = sum(size > 0 for _, size, _, _ in rows)
    assert all(size > 0 for _, size, _, _ in rows[:n]), "a live order without lots"
    assert rows[n:] == [(0, 0, 0, 0)] * (len(rows) - n), "a hole in the listing"
    live = {order_id: (price, size, owner) for price, size, order_id, owner in rows[:n]}
    assert len(live) == n, "two live orders share an id"
    return live


def lots_of(side: dict[int, Row]) -> int:
    return sum(size for _, size, _ in side.values())


def check_order(sides: list[dict[int, Row]], arrival: list[dict[int, int]]) -> None:
    """Prices in order, arrival rising within a price, and the sides apart."""
    for side, live in enumerate(sides):
        toward_worse = [-price if side == 0 else price for price, _, _ in live.values()]
        keys = list(zip(toward_worse, (arrival[side][order_id] for order_id in live), strict=True))
        assert keys == sorted(keys)
    if all(sides):
        best_bid, best_ask = (next(iter(live.values()))[0] for live in sides)
        assert best_bid < best_ask


def account(message: Message, before: list, after: list, fills: list[Row], count: dict, ledgers: list[Ledger]) -> bool:
    """Book where the lots of one message went; returns whether an order entered the queue."""
    kind, side, price, size, order_id, owner = message
    if count["invalid"] or count["unknown"]:
        assert before == after and not fills
        return False
    own, other = before[side], before[1 - side]
    mine, theirs = ledgers[side].lots, ledgers[1 - side].lots
    traded = sum(lots for _, _, _, lots in fills)

    # The other side: every order is as it was, less its fills; those of the incoming owner may be cancelled, counted one by one.
    if kind == Kind.REPLACE:
        owner = own[order_id][2]
    left = {filled: (at, other[filled][1] - lots, who) for filled, who, at, lots in fills}
    expected = {key: left.get(key, row) for key, row in other.items() if left.get(key, row)[1]}
    cancelled = {key: row for key, row in expected.items() if key not in after[1 - side]}
    assert {key: row for key, row in expected.items() if key not in cancelled} == after[1 - side]
    assert len(cancelled) == count["stp"] and all(who == owner >= 1 for _, _, who in cancelled.values())
    assert all(other[filled][2] == who and other[filled][0] == at for filled, who, at, _ in fills)
    theirs["traded"] += traded
    theirs["cancelled"] += lots_of(cancelled)

    # The own side: what came in, what it did, and what left.
    if kind in LEAVING:
        gone = lots_of(own) - lots_of(after[side])
        mine["cancelled"] += gone
        assert gone > 0 and (gone <= size or Trait.SIZED not in Kind(kind).traits)
        return False
    enters = kind in RESTING
    if kind == Kind.REPLACE:
        enters = price != own[order_id][0] or size > own[order_id][1]
        mine["cancelled"] += own[order_id][1]
        own = {key: row for key, row in own.items() if key != order_id}
    mine["in"] += size if kind != Kind.NOOP else 0
    mine["traded"] += traded
    if kind in TAKING or kind == Kind.NOOP:
        assert after[side] == own
        assert kind != Kind.FOK or traded == (0 if count["refused"] else size)
        mine["refused" if count["refused"] else "discarded"] += size - traded if kind != Kind.NOOP else 0
        return False
    assert kind != Kind.POST_ONLY or traded == 0
    rest = {order_id: (price, size - traded, owner)} if order_id in after[side] else {}
    assert rest.items() <= after[side].items() and bool(rest) == (size > traded and not count["refused"])
    mine["refused"] += size - traded if count["refused"] else 0
    displaced = {key: row for key, row in own.items() if key not in after[side]}
    assert len(displaced) == count["displaced"]
    assert {key: row for key, row in after[side].items() if key not in rest} | displaced == own
    mine["displaced"] += lots_of(displaced)
    return enters and bool(rest)


@every_engine
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(stream=streams)
def test_invariants_hold_after_every_message(engine: str, stream: list[Row]):
    trace = trace_streams(Message(*np.array(stream, np.int32).T[:, None, :]), engine=engine, capacity=CAPACITY)
    before: list[dict[int, Row]] = [{}, {}]
    arrival: list[dict[int, int]] = [{}, {}]
    counted = np.zeros(5, int)
    ledgers = [Ledger(), Ledger()]
    for m, row in enumerate(stream):
        message = Message(*row)
        after = [orders(side) for side in trace.listings[0, m]]
        count = dict(zip(Counters._fields, (trace.counters[0, m] - counted).tolist(), strict=True))
        fills = [tuple(fill) for fill in trace.fills[trace.fills[:, 1] == m, 2:].tolist()]
        assert trace.traded[0, m] == sum(lots for _, _, _, lots in fills)
        assert len({filled for filled, _, _, _ in fills}) == len(fills) and all(lots > 0 for _, _, _, lots in fills)
        assert (
            min(count.values()) >= 0
            and count["unknown"] + count["invalid"] + count["refused"] + count["displaced"] <= 1
        )
        if account(message, before, after, fills, count, ledgers):
            arrival[message.side][message.order_id] = m
        check_order(after, arrival)
        for ledger, live in zip(ledgers, after, strict=True):
            assert ledger.balances(lots_of(live))
        before, counted = after, trace.counters[0, m].astype(int)
