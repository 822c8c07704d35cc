"""The ways to get a book wrong that published engines have shown; one named test each, on every engine.

Those about fees and about the time of observations are tested with the market.
"""

from lobjax.kinds import Kind
from tests.book.play import (
    ASK,
    BID,
    Row,
    cancel,
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


@every_engine
def test_more_than_one_resting_order_is_filled_per_message(engine: str):
    asks = [limit(ASK, 101 + k, 2, k + 1) for k in range(4)]
    outcome = play(engine, [*asks, market(BID, 7)])
    assert outcome.fills == [(4, 1, 0, 101, 2), (4, 2, 0, 102, 2), (4, 3, 0, 103, 2), (4, 4, 0, 104, 1)]
    assert outcome.asks == [(104, 1, 4, 0)]


@every_engine
def test_cancel_of_an_unknown_id_hits_no_other_order(engine: str):
    resting = [limit(BID, 99, 5, 1), limit(BID, 98, 5, 2), limit(ASK, 101, 5, 3)]
    strangers = [
        cancel(BID, 3, 5),
        delete(BID, 3),
        cancel(ASK, 1, 5),
        delete(ASK, 4),
        replace(BID, 7, 99, 1),
        delete(BID, 0),
    ]
    outcome = play(engine, [*resting, *strangers])
    assert (outcome.bids, outcome.asks) == ([(99, 5, 1, 0), (98, 5, 2, 0)], [(101, 5, 3, 0)])
    assert outcome.counters == {"unknown": 6}


@every_engine
def test_first_in_first_out_survives_the_reuse_of_slots(engine: str):
    # Orders 1 and 3 leave holes in the middle; 5 and 6 arrive at the same price after 2 and 4 and must stay behind them.
    messages = [limit(BID, 99, 1, k) for k in (1, 2, 3, 4)]
    messages += [delete(BID, 1), cancel(BID, 3, 1), limit(BID, 99, 1, 5), limit(BID, 99, 1, 6)]
    outcome = play(engine, [*messages, market(ASK, 4)])
    assert [fill[1] for fill in outcome.fills] == [2, 4, 5, 6]


@every_engine
def test_first_in_first_out_survives_a_long_life(engine: str):
    # A rolling queue of three at one price: each slot is reused many times and arrival numbers rise far past the capacity.
    messages: list[Row] = []
    for k in range(1, 31):
        messages += [limit(ASK, 101, 1, k)] + ([market(BID, 1)] if k > 3 else [])
    outcome = play(engine, messages, capacity=8, length=64)
    assert [fill[1] for fill in outcome.fills] == list(range(1, 28))


@every_engine
def test_a_full_side_displaces_the_last_in_priority_and_counts_it(engine: str):
    full = [limit(BID, price, 1, order_id) for order_id, price in enumerate((97, 99, 97, 98), start=1)]
    outcome = play(engine, [*full, limit(BID, 98, 2, 5), post_only(BID, 100, 3, 6)])
    assert outcome.bids == [(100, 3, 6, 0), (99, 1, 2, 0), (98, 1, 4, 0), (98, 2, 5, 0)]
    assert outcome.counters == {"displaced": 2}


@every_engine
def test_a_newcomer_last_on_a_full_side_is_refused_and_counted(engine: str):
    full = [limit(ASK, price, 1, order_id) for order_id, price in enumerate((101, 102, 103, 104), start=1)]
    outcome = play(engine, [*full, limit(ASK, 104, 9, 5), post_only(ASK, 105, 9, 6), delete(ASK, 5)])
    assert [row[2] for row in outcome.asks] == [1, 2, 3, 4]
    assert outcome.counters == {"refused": 2, "unknown": 1}


@every_engine
def test_a_fully_matched_order_evicts_nothing_from_a_full_side(engine: str):
    full = [limit(BID, 96 + k, 1, k) for k in (1, 2, 3, 4)]
    outcome = play(
        engine, [*full, limit(ASK, 101, 2, 1), limit(BID, 101, 2, 9), limit(ASK, 102, 2, 2), ioc(BID, 103, 5)]
    )
    assert [row[2] for row in outcome.bids] == [4, 3, 2, 1]
    assert (outcome.asks, outcome.counters) == ([], {})


@every_engine
def test_the_rest_of_a_partly_matched_order_displaces(engine: str):
    full = [limit(BID, 96 + k, 1, k) for k in (1, 2, 3, 4)]
    outcome = play(engine, [*full, limit(ASK, 101, 2, 1), limit(BID, 101, 3, 9)])
    assert outcome.bids == [(101, 1, 9, 0), (100, 1, 4, 0), (99, 1, 3, 0), (98, 1, 2, 0)]
    assert (outcome.traded[-1], outcome.counters) == (2, {"displaced": 1})


@every_engine
def test_a_replaced_order_finds_its_own_slot_on_a_full_side(engine: str):
    full = [limit(BID, 96 + k, 1, k) for k in (1, 2, 3, 4)]
    outcome = play(engine, [*full, replace(BID, 4, 90, 2)])
    assert outcome.bids == [(99, 1, 3, 0), (98, 1, 2, 0), (97, 1, 1, 0), (90, 2, 4, 0)]
    assert outcome.counters == {}


@every_engine
def test_nothing_is_left_over_after_a_fill_in_full(engine: str):
    asks = [limit(ASK, 101, 2, 1), limit(ASK, 101, 3, 2)]
    for taker in (limit(BID, 101, 5, 9), fok(BID, 101, 5), ioc(BID, 101, 5), market(BID, 5)):
        outcome = play(engine, [*asks, taker, delete(ASK, 2), delete(BID, 9)])
        assert (outcome.bids, outcome.asks, outcome.traded[2]) == ([], [], 5)
        assert outcome.counters == {"unknown": 2}


@every_engine
def test_no_fill_is_lost_however_many_there_are(engine: str):
    # Seven sweeps of a whole side: 56 fills from 63 messages, and the last ones are as exact as the first.
    messages: list[Row] = []
    for sweep in range(7):
        messages += [limit(ASK, 101 + k, k + 1, 8 * sweep + k + 1, owner=k) for k in range(8)] + [market(BID, 100)]
    outcome = play(engine, messages, capacity=8, length=64)
    expected = [(9 * sweep + 8, 8 * sweep + k + 1, k, 101 + k, k + 1) for sweep in range(7) for k in range(8)]
    assert outcome.fills == expected
    assert sum(outcome.traded) == 7 * 36


@every_engine
def test_minus_one_is_an_owner_and_never_an_empty_slot(engine: str):
    messages = [
        limit(BID, 99, 2, 1, -1),
        limit(BID, 99, 3, 2, -1),
        delete(BID, -1),
        cancel(BID, -1, 1),
        limit(BID, 98, 1, -1),
    ]
    messages += [reduce(BID, 98, 1, -1), ioc(ASK, 99, 3, -1), reduce(ASK, 99, 1, -1), (Kind.LIMIT, BID, -1, 1, 3, -1)]
    outcome = play(engine, messages)
    assert outcome.bids == [(99, 2, 2, -1)]
    assert outcome.fills == [(6, 1, -1, 99, 2), (6, 2, -1, 99, 1)]
    assert outcome.counters == {"unknown": 4, "invalid": 2}
