"""Small cases worked by hand, kind by kind; what is expected is written out."""

import pytest

from lobjax.kinds import Kind
from lobjax.types import INT32_MAX
from tests.book.play import (
    ASK,
    BID,
    Outcome,
    cancel,
    cancel_all,
    delete,
    every_engine,
    fok,
    ioc,
    limit,
    market,
    play,
    post_only,
    reduce,
    replace,
)

THREE_ASKS = [limit(ASK, 101, 5, 1), limit(ASK, 101, 3, 2), limit(ASK, 102, 4, 3)]

CASES = {
    "a bid and an ask that do not meet both rest": (
        [limit(BID, 99, 5, 1), limit(ASK, 101, 3, 1)],
        Outcome([(99, 5, 1, 0)], [(101, 3, 1, 0)], [], [0, 0], {}),
    ),
    "price before arrival, arrival within a price": (
        [limit(BID, 99, 5, 1), limit(BID, 100, 5, 2), limit(BID, 99, 5, 3), limit(BID, 100, 5, 4)],
        Outcome([(100, 5, 2, 0), (100, 5, 4, 0), (99, 5, 1, 0), (99, 5, 3, 0)], [], [], [0, 0, 0, 0], {}),
    ),
    "a limit sweeps two prices and the rest joins": (
        [*THREE_ASKS, limit(BID, 102, 14, 9)],
        Outcome([(102, 2, 9, 0)], [], [(3, 1, 0, 101, 5), (3, 2, 0, 101, 3), (3, 3, 0, 102, 4)], [0, 0, 0, 12], {}),
    ),
    "a limit stops at its price": (
        [*THREE_ASKS, limit(BID, 101, 10, 9)],
        Outcome([(101, 2, 9, 0)], [(102, 4, 3, 0)], [(3, 1, 0, 101, 5), (3, 2, 0, 101, 3)], [0, 0, 0, 8], {}),
    ),
    "a partly filled order keeps its place": (
        [*THREE_ASKS, ioc(BID, 101, 2), ioc(BID, 101, 4)],
        Outcome(
            [],
            [(101, 2, 2, 0), (102, 4, 3, 0)],
            [(3, 1, 0, 101, 2), (4, 1, 0, 101, 3), (4, 2, 0, 101, 1)],
            [0, 0, 0, 2, 4],
            {},
        ),
    ),
    "a sell trades with the highest bid first": (
        [limit(BID, 99, 2, 1, 7), limit(BID, 100, 2, 2, -3), limit(ASK, 99, 3, 3)],
        Outcome([(99, 1, 1, 7)], [], [(2, 2, -3, 100, 2), (2, 1, 7, 99, 1)], [0, 0, 3], {}),
    ),
    "a cancel keeps the place and a cancel of the rest removes": (
        [*THREE_ASKS, cancel(ASK, 1, 2), cancel(ASK, 3, 99)],
        Outcome([], [(101, 3, 1, 0), (101, 3, 2, 0)], [], [0] * 5, {}),
    ),
    "cancels need a live id on that side and a positive size": (
        [*THREE_ASKS, cancel(BID, 1, 2), cancel(ASK, 7, 1), cancel(ASK, 1, 0), cancel(ASK, -1, 1), cancel(ASK, 8, -1)],
        Outcome([], [(101, 5, 1, 0), (101, 3, 2, 0), (102, 4, 3, 0)], [], [0] * 8, {"unknown": 3, "invalid": 2}),
    ),
    "a delete removes what is left, once": (
        [*THREE_ASKS, ioc(BID, 101, 2), delete(ASK, 1), delete(ASK, 1), delete(ASK, 0)],
        Outcome([], [(101, 3, 2, 0), (102, 4, 3, 0)], [(3, 1, 0, 101, 2)], [0, 0, 0, 2, 0, 0, 0], {"unknown": 2}),
    ),
    "a market order trades at any price and the rest is discarded": (
        [limit(ASK, INT32_MAX, 2, 1), limit(ASK, 1, 1, 2), market(BID, 9), limit(BID, 1, 2, 3), market(ASK, 1)],
        Outcome([(1, 1, 3, 0)], [], [(2, 2, 0, 1, 1), (2, 1, 0, INT32_MAX, 2), (4, 3, 0, 1, 1)], [0, 0, 3, 0, 1], {}),
    ),
    "an ioc discards what does not cross": (
        [*THREE_ASKS, ioc(BID, 101, 20), ioc(BID, 101, 20)],
        Outcome([], [(102, 4, 3, 0)], [(3, 1, 0, 101, 5), (3, 2, 0, 101, 3)], [0, 0, 0, 8, 0], {}),
    ),
    "a fok fills in full or does nothing": (
        [*THREE_ASKS, fok(BID, 101, 9), fok(BID, 101, 8)],
        Outcome([], [(102, 4, 3, 0)], [(4, 1, 0, 101, 5), (4, 2, 0, 101, 3)], [0, 0, 0, 0, 8], {"refused": 1}),
    ),
    "a fok counts only what it may take": (
        [limit(ASK, 101, 5, 1, 2), limit(ASK, 101, 3, 2, 3), fok(BID, 101, 4, 2)],
        Outcome([], [(101, 5, 1, 2), (101, 3, 2, 3)], [], [0, 0, 0], {"refused": 1}),
    ),
    "a fok that fills cancels its own orders on the way, and none behind its last fill": (
        [limit(ASK, 101, 5, 1, 2), limit(ASK, 101, 3, 2, 3), limit(ASK, 101, 1, 3, 2), fok(BID, 101, 3, 2)],
        Outcome([], [(101, 1, 3, 2)], [(3, 2, 3, 101, 3)], [0, 0, 0, 3], {"stp": 1}),
    ),
    "a fok reaches sums past 2^31": (
        [limit(ASK, 1, INT32_MAX, 1), limit(ASK, 1, INT32_MAX, 2), fok(BID, 1, INT32_MAX), fok(BID, 1, INT32_MAX)],
        Outcome([], [], [(2, 1, 0, 1, INT32_MAX), (3, 2, 0, 1, INT32_MAX)], [0, 0, INT32_MAX, INT32_MAX], {}),
    ),
    "a post-only that meets the best is refused whole, whoever owns that": (
        [limit(ASK, 101, 5, 1, 2), post_only(BID, 101, 9, 1, 2), post_only(BID, 102, 9, 1), post_only(BID, 100, 9, 1)],
        Outcome([(100, 9, 1, 0)], [(101, 5, 1, 2)], [], [0] * 4, {"refused": 2}),
    ),
    "a replace down at its price keeps the place, owner and all": (
        [*THREE_ASKS, replace(ASK, 1, 101, 4, 3), replace(ASK, 2, 101, 3)],
        Outcome([], [(101, 4, 1, 0), (101, 3, 2, 0), (102, 4, 3, 0)], [], [0] * 5, {}),
    ),
    "a replace by the size that is left keeps the place": (
        [*THREE_ASKS, ioc(BID, 101, 3), replace(ASK, 1, 101, 2)],
        Outcome([], [(101, 2, 1, 0), (101, 3, 2, 0), (102, 4, 3, 0)], [(3, 1, 0, 101, 3)], [0, 0, 0, 3, 0], {}),
    ),
    "a replace up or to another price goes to the end of the queue": (
        [*THREE_ASKS, replace(ASK, 1, 101, 6), replace(ASK, 2, 102, 1)],
        Outcome([], [(101, 6, 1, 0), (102, 4, 3, 0), (102, 1, 2, 0)], [], [0] * 5, {}),
    ),
    "the size left, not the size sent, decides whether a replace keeps its place": (
        [*THREE_ASKS, ioc(BID, 101, 3), replace(ASK, 1, 101, 3)],
        Outcome([], [(101, 3, 2, 0), (101, 3, 1, 0), (102, 4, 3, 0)], [(3, 1, 0, 101, 3)], [0, 0, 0, 3, 0], {}),
    ),
    "a replace that crosses trades under the order's own id and owner": (
        [limit(ASK, 101, 2, 1, 5), limit(ASK, 101, 3, 2), limit(BID, 99, 4, 9, 5), replace(BID, 9, 101, 7, 4)],
        Outcome([(101, 4, 9, 5)], [], [(3, 2, 0, 101, 3)], [0, 0, 0, 3], {"stp": 1}),
    ),
    "a replace that fills in full leaves nothing": (
        [limit(ASK, 101, 5, 1), limit(BID, 99, 4, 9, 5), replace(BID, 9, 101, 3)],
        Outcome([], [(101, 2, 1, 0)], [(2, 1, 0, 101, 3)], [0, 0, 3], {}),
    ),
    "a replace needs a live id, a price and a size": (
        [
            limit(BID, 99, 4, 9),
            replace(BID, 8, 99, 1),
            replace(ASK, 9, 99, 1),
            replace(BID, 9, 0, 1),
            replace(BID, 9, 9, 0),
        ],
        Outcome([(99, 4, 9, 0)], [], [], [0] * 5, {"unknown": 2, "invalid": 2}),
    ),
    "a reduce takes the owner's newest orders at exactly this price": (
        [
            limit(BID, 99, 4, 1, 1),
            limit(BID, 99, 5, 2),
            limit(BID, 99, 3, 3, 1),
            limit(BID, 98, 9, 4, 1),
            reduce(BID, 99, 5, 1),
        ],
        Outcome([(99, 2, 1, 1), (99, 5, 2, 0), (98, 9, 4, 1)], [], [], [0] * 5, {}),
    ),
    "a reduce of more than is there takes all; then there is nothing": (
        [
            limit(BID, 99, 4, 1, -1),
            limit(BID, 99, 3, 2, -1),
            reduce(BID, 99, 9, -1),
            reduce(BID, 99, 1, -1),
            reduce(ASK, 99, 1),
        ],
        Outcome([], [], [], [0] * 5, {"unknown": 2}),
    ),
    "an owner's resting orders are cancelled as it reaches them": (
        [limit(ASK, 101, 5, 1, 1), limit(ASK, 101, 3, 2), limit(ASK, 102, 4, 3, 1), limit(BID, 102, 7, 9, 1)],
        Outcome([(102, 4, 9, 1)], [], [(3, 2, 0, 101, 3)], [0, 0, 0, 3], {"stp": 2}),
    ),
    "an own order behind the last fill is not reached": (
        [limit(ASK, 101, 3, 1), limit(ASK, 101, 4, 2, 1), market(BID, 3, 1)],
        Outcome([], [(101, 4, 2, 1)], [(2, 1, 0, 101, 3)], [0, 0, 3], {}),
    ),
    "owners 0 and below trade with themselves": (
        [limit(ASK, 101, 3, 1), limit(ASK, 101, 4, 2, -2), market(BID, 3), market(BID, 4, -2)],
        Outcome([], [], [(2, 1, 0, 101, 3), (3, 2, -2, 101, 4)], [0, 0, 3, 4], {}),
    ),
    "bad fields are counted and change nothing": (
        [
            limit(BID, 0, 1, 1),
            limit(BID, 1, 0, 1),
            limit(BID, 1, 1, 0),
            limit(2, 1, 1, 1),
            limit(-1, 1, 1, 1),
            market(BID, 0),
            ioc(BID, -1, 1),
            fok(BID, 1, -1),
            post_only(BID, 1, 1, -1),
            reduce(BID, 0, 1),
            (len(Kind), 0, 1, 1, 1, 0),
            (-1, 0, 1, 1, 1, 0),
            delete(3, 1),
        ],
        Outcome([], [], [], [0] * 13, {"invalid": 13}),
    ),
    "a new order under a live id is invalid, even where it would trade": (
        [limit(BID, 99, 1, 1), limit(ASK, 101, 1, 1), limit(BID, 101, 1, 1), post_only(BID, 98, 1, 1)],
        Outcome([(99, 1, 1, 0)], [(101, 1, 1, 0)], [], [0] * 4, {"invalid": 2}),
    ),
    "a cancel of all takes its owner's orders of one side, whatever their price": (
        [
            limit(BID, 99, 4, 1, 1),
            limit(BID, 98, 5, 2),
            limit(BID, 97, 3, 3, 1),
            limit(ASK, 101, 2, 4, 1),
            cancel_all(BID, 1),
        ],
        Outcome([(98, 5, 2, 0)], [(101, 2, 4, 1)], [], [0] * 5, {}),
    ),
    "a cancel of all looks at side and owner alone, takes more lots than 2^31, and then finds nothing": (
        [
            limit(BID, 99, INT32_MAX, 1, -1),
            limit(BID, 98, INT32_MAX, 2, -1),
            limit(BID, 97, 1, 3),
            (Kind.CANCEL_ALL, BID, -5, -5, -5, -1),
            cancel_all(BID, -1),
            cancel_all(ASK),
            cancel_all(2),
        ],
        Outcome([(97, 1, 3, 0)], [], [], [0] * 7, {"unknown": 2, "invalid": 1}),
    ),
    "a NOOP is never invalid": ([(0, 5, -1, -1, -1, 9)], Outcome([], [], [], [0], {})),
}


@every_engine
@pytest.mark.parametrize("name", CASES)
def test_by_hand(engine: str, name: str):
    messages, expected = CASES[name]
    assert play(engine, messages) == expected
