"""The market's rules, worked by hand: who comes first, latency, fees, limits, bounds, several owners in one book."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import best_prices, listing, volume_at
from lobjax.flow import PoissonConfig, PoissonFlow
from lobjax.kinds import Kind
from lobjax.types import AGENT_ID_BASE, Side
from lobjax.wide import to_int
from tests.market.scripted import market_of, play

BID, ASK = Side.BID, Side.ASK
MINE = AGENT_ID_BASE


def quotes(at=0.5):
    """A background of 10 lots each side: bid 100, ask 102."""
    return [(at, (Kind.LIMIT, BID, 100, 10, 1, 0)), (at, (Kind.LIMIT, ASK, 102, 10, 2, 0))]


def test_a_market_order_pays_the_resting_price_and_the_taker_fee():
    market, params, state = market_of(quotes(), fees=(-200, 300))
    state = play(market, params, state, 1)
    state = play(market, params, state, 2, [(Kind.MARKET, BID, 0, 4, 0, 1)])
    accounts = state.accounts
    assert accounts.lots.tolist() == [-4, 4]
    assert to_int(accounts.cash).tolist() == [408, -408]
    assert to_int(accounts.fees).tolist() == [0, 1200]  # 4 lots x 0.3 ticks, on what was executed
    assert to_int(accounts.edge2).tolist() == [8, -8]  # 1 tick worse than the mid of 101, 4 lots, in half ticks


def test_fees_are_charged_on_what_was_executed_not_on_the_leftover():
    market, params, state = market_of(quotes(), fees=(0, 1000))
    state = play(market, params, state, 1)
    state = play(market, params, state, 2, [(Kind.IOC, BID, 102, 25, 0, 1)])
    assert int(state.accounts.taker_lots[1]) == 10
    assert int(to_int(state.accounts.fees)[1]) == 10_000


def test_a_resting_order_earns_the_maker_rebate_when_the_flow_hits_it():
    script = [*quotes(), (3.0, (Kind.MARKET, BID, 0, 3, 0, 0))]
    market, params, state = market_of(script, fees=(-250, 100))
    state = play(market, params, state, 1)
    state = play(market, params, state, 4, [(Kind.LIMIT, ASK, 101, 5, MINE, 1)])
    assert state.accounts.lots.tolist() == [3, -3]
    assert int(to_int(state.accounts.cash)[1]) == 303
    assert int(to_int(state.accounts.fees)[1]) == -750
    assert int(to_int(state.accounts.lot_ms)[1]) == 3 * 3000


def test_an_account_can_neither_cancel_nor_replace_what_is_not_its_own():
    market, params, state = market_of(quotes(), accounts=2)
    state = play(market, params, state, 1, [(Kind.LIMIT, ASK, 104, 5, MINE, 1)])
    others = [
        (Kind.CANCEL, ASK, 0, 2, MINE, 2),
        (Kind.DELETE, ASK, 0, 0, MINE, 2),
        (Kind.REPLACE, ASK, 100, 5, MINE, 2),  # it would have sold account 1's lots at 100
        (Kind.DELETE, BID, 0, 0, 1, 2),  # the background's
    ]
    state = play(market, params, state, 2, others)
    assert int(state.counters.unknown) == 4 and state.accounts.lots.tolist() == [0, 0, 0]
    assert volume_at(state.book, ASK, jnp.asarray([104])).tolist() == [5] and best_prices(state.book)[0] == 100
    state = play(market, params, state, 3, [(Kind.CANCEL, ASK, 0, 2, MINE, 1)])
    assert volume_at(state.book, ASK, jnp.asarray([104])).tolist() == [3] and int(state.counters.unknown) == 4


def test_at_one_instant_agents_come_before_the_flow():
    script = [(0.5, (Kind.LIMIT, ASK, 102, 5, 1, 0)), (1.0, (Kind.MARKET, BID, 0, 5, 0, 0))]
    market, params, state = market_of(script)
    state = play(market, params, state, 1)  # the flow's message at exactly 1 s waits
    assert best_prices(state.book)[1] == 102
    state = play(market, params, state, 2, [(Kind.MARKET, BID, 0, 5, 0, 1)])
    assert int(state.accounts.lots[1]) == 5


def test_latency_lets_the_flow_go_first():
    script = [(0.5, (Kind.LIMIT, ASK, 102, 5, 1, 0)), (1.2, (Kind.MARKET, BID, 0, 5, 0, 0))]
    for delay, got in ((0.1, 5), (0.3, 0)):
        market, params, state = market_of(script, delay_s=delay)
        state = play(market, params, state, 1)
        state = play(market, params, state, 2, [(Kind.MARKET, BID, 0, 5, 0, 1)])
        assert int(state.accounts.lots[1]) == got


def test_latency_may_outlast_a_step():
    market, params, state = market_of(quotes(), delay_s=2.5)
    state = play(market, params, state, 1, [(Kind.MARKET, BID, 0, 1, 0, 1)])
    state = play(market, params, state, 2)
    assert int(state.accounts.lots[1]) == 0
    state = play(market, params, state, 3)
    assert int(state.accounts.lots[1]) == 1


def test_the_faster_account_trades_first_whoever_sent_first():
    market, params, state = market_of(quotes(), accounts=2, delay_s=(0.2, 0.1))
    state = play(market, params, state, 1)
    state = play(market, params, state, 2, [(Kind.MARKET, BID, 0, 10, 0, 1), (Kind.MARKET, BID, 0, 10, 0, 2)])
    assert state.accounts.lots.tolist() == [-10, 0, 10]


def test_two_owners_trade_with_each_other_in_one_book_and_never_with_themselves():
    market, params, state = market_of([], accounts=2, fees=(-100, 300))
    sent = [
        (Kind.LIMIT, ASK, 50, 2, MINE, 1),
        (Kind.LIMIT, ASK, 50, 3, MINE + 1, 2),
        (Kind.MARKET, BID, 0, 3, 0, 2),  # takes owner 1's two lots, then meets its own order, which is cancelled
    ]
    state = play(market, params, state, 1, sent)
    assert state.accounts.lots.tolist() == [0, -2, 2]
    assert to_int(state.accounts.cash).tolist() == [0, 100, -100]
    assert to_int(state.accounts.fees).tolist() == [0, -200, 600]
    assert int(state.counters.stp) == 1
    assert not np.asarray(listing(state.book)).any()


def test_a_full_queue_drops_the_latest_and_counts():
    market, params, state = market_of([], queue_places=2, delay_s=5.0)
    sent = [(Kind.LIMIT, BID, 10 + k, 1, MINE + k, 1) for k in range(4)]
    state = play(market, params, state, 1, sent)
    assert int(state.in_flight.dropped) == 2
    state = play(market, params, state, 6)
    assert [int(v) for v in volume_at(state.book, BID, jnp.arange(10, 14))] == [1, 1, 0, 0]


def test_the_bound_on_messages_is_counted_and_nothing_is_lost():
    script = [(0.1 * k, (Kind.LIMIT, BID, 10 + k, 1, k + 1, 0)) for k in range(6)]
    market, params, state = market_of(script, max_messages=4)
    state = play(market, params, state, 1)
    assert int(state.late) == 1 and int((state.book.size > 0).sum()) == 4
    state = play(market, params, state, 1.5)
    assert int(state.late) == 1 and int((state.book.size > 0).sum()) == 6


def test_limits_count_resting_orders_so_that_no_fill_can_break_them():
    market, params, state = market_of(quotes(), limit=10)
    state = play(market, params, state, 1)
    sent = [(Kind.LIMIT, BID, 99, 7, MINE, 1), (Kind.LIMIT, BID, 98, 7, MINE + 1, 1), (Kind.MARKET, BID, 0, 5, 0, 1)]
    state = play(market, params, state, 2, sent)
    assert [int(v) for v in volume_at(state.book, BID, jnp.asarray([99, 98]), 1)] == [7, 3]
    assert int(state.clipped_lots) == 4 + 5
    state = play(market, params, state, 3, [(Kind.REPLACE, BID, 98, 9, MINE, 1)])  # gives up 7, may have 7
    assert int(volume_at(state.book, BID, jnp.asarray([98]), 1)[0]) == 3 + 7


def test_closing_messages_lead_exactly_to_the_target_and_meet_no_limit():
    market, params, state = market_of(quotes(), limit=10, target=-6)
    state = play(market, params, state, 1)
    everything = 2**31 - 1
    both = [(Kind.MARKET, BID, 0, everything, 0, 1), (Kind.MARKET, ASK, 0, everything, 0, 1)]
    state = play(market, params, state, 2, [(Kind.MARKET, ASK, 0, 2, 0, 1)], both)
    assert int(state.accounts.lots[1]) == -6
    assert state.tape.closing_lots.tolist() == [0, 4]
    assert int(state.clipped_lots) == 0


def test_the_tape_sums_what_was_sent_and_traded_and_begins_anew():
    script = [*quotes(), (1.1, (Kind.MARKET, ASK, 0, 4, 0, 0)), (1.2, (Kind.IOC, BID, 102, 3, 0, 0))]
    market, params, state = market_of(script)
    state = play(market, params, state, 1)
    assert state.tape.limit_lots.tolist() == [10, 10] and int(state.tape.messages) == 2
    state = play(market, params, state, 2)
    tape = state.tape
    assert tape.limit_lots.tolist() == [0, 0] and tape.market_lots.tolist() == [3, 4]
    assert tape.traded_lots.tolist() == [3, 4] and int(tape.last_price_ticks) == 102
    assert int(tape.opening_mid2_ticks) == 202 and state.depth.size_lots[:, 0].tolist() == [6, 7]


def test_what_agents_send_does_not_change_what_the_flow_draws():
    flow = PoissonFlow()
    config = PoissonConfig()
    market, params, _ = market_of([])
    market = dataclasses.replace(market, flow=flow, capacity=64, max_messages=96)
    params = params.replace(flow=flow.params(config, 64))
    start = market.open(jax.random.key(0), params)
    idle, busy = (play(market, params, start, -8.0, sent) for sent in ([], [(Kind.CANCEL, BID, 0, 1, MINE, 1)] * 4))
    assert int(busy.counters.unknown) == 4 and int(busy.tape.messages) == int(idle.tape.messages) + 4
    for a, b in zip(listing(idle.book), listing(busy.book), strict=True):
        assert np.array_equal(a, b)
    assert idle.due == busy.due


def test_owners_without_an_account_are_the_backgrounds():
    market, params, state = market_of(quotes(), accounts=1)
    state = play(market, params, state, 1)
    state = play(market, params, state, 2, [(Kind.MARKET, BID, 0, 4, 0, 7), (Kind.MARKET, BID, 0, 1, 0, 1)])
    assert state.accounts.lots.tolist() == [-1, 1] and int(to_int(state.accounts.cash).sum()) == 0


def test_a_record_that_has_ended_stays_ended():
    script = [(100.0, (Kind.LIMIT, BID, 10, 1, 1, 0)), (101.0, (Kind.LIMIT, BID, 11, 1, 2, 0))]
    market, params, state = market_of(script)
    for until in (100.5, 102.0, 2e6, 2.1e6, 2.2e6):
        state = play(market, params, state, until)
    assert int(state.late) == 0 and int(state.tape.messages) == 0
    assert int(state.due.s) == 2**31 - 1 and int(state.flow.index) == 8
