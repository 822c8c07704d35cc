"""A venue's safeguards: what a band and a halt let through, by hand; and all engines agree on it to the bit."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import pytest

from lobjax.kinds import Kind
from lobjax.market.safeguards import Safeguards
from lobjax.types import AGENT_ID_BASE as MINE
from lobjax.types import Side
from tests.compiling import quick_jit
from tests.market.scripted import market_of, play
from tests.market.test_host import assert_equal, one_step, opened, orders_of, poisson_case, recorded_case

BID, ASK = Side
BAND, HALT = 3, 2
QUOTES = [(0.5, (Kind.LIMIT, BID, 100, 10, 1, 0)), (0.5, (Kind.LIMIT, ASK, 102, 10, 2, 0))]  # mid 101: 98 to 104


def guarded(script):
    """(market, params, state after the first second), from which on the mid is the reference."""
    market, params, _ = market_of([*QUOTES, *script])
    params = params.replace(safeguards=Safeguards(jnp.int32(BAND), jnp.int32(HALT)))
    return market, params, play(market, params, market.open(jax.random.key(0), params), 1)


def counts(state):
    return {name: int(state.counts()[name]) for name in ("refused_by_band", "refused_by_halt", "halts")}


def lots(state, side):
    """{price: lots} that rest on a side."""
    book = jax.device_get(state.book)
    found: dict[int, int] = {}
    for price, size in zip(book.price[side], book.size[side], strict=True):
        if size > 0:
            found[int(price)] = found.get(int(price), 0) + int(size)
    return found


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ((Kind.LIMIT, BID, 105, 1, MINE, 1), True),
        ((Kind.LIMIT, BID, 104, 1, MINE, 1), False),
        ((Kind.LIMIT, BID, 1, 1, MINE, 1), False),  # far away, but not on the aggressive side
        ((Kind.LIMIT, ASK, 97, 1, MINE, 1), True),
        ((Kind.LIMIT, ASK, 98, 1, MINE, 1), False),
        ((Kind.LIMIT, ASK, 900, 1, MINE, 1), False),
        ((Kind.POST_ONLY, BID, 105, 1, MINE, 1), True),
        ((Kind.IOC, ASK, 97, 1, MINE, 1), True),
        ((Kind.FOK, BID, 105, 1, MINE, 1), True),
        ((Kind.REPLACE, BID, 105, 1, MINE, 1), True),
        ((Kind.CANCEL_ALL, BID, 0, 0, 0, 1), False),
        ((Kind.REDUCE, BID, 300, 1, 0, 1), False),
        ((Kind.LIMIT, 7, 105, 1, MINE, 1), False),  # of no side: the book's to count as invalid
        ((99, BID, 105, 1, MINE, 1), False),
    ],
)
def test_an_order_beyond_the_band_on_its_aggressive_side_is_refused_and_nothing_else(row, refused):
    market, params, state = guarded([])
    before = state.book
    state = play(market, params, state, 2, [row])
    assert counts(state) == {"refused_by_band": int(refused), "refused_by_halt": 0, "halts": 0}
    if refused:
        assert jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), state.book, before))


def test_what_takes_any_price_takes_prices_up_to_the_edge():
    market, params, state = guarded([])
    deeper = [(Kind.LIMIT, ASK, 104, 3, MINE, 1), (Kind.LIMIT, ASK, 105, 3, MINE + 1, 1)]
    state = play(market, params, state, 2, [*deeper, (Kind.MARKET, BID, 0, 50, 0, 0)])
    assert lots(state, ASK) == {105: 3} and lots(state, BID) == {100: 10}
    assert state.tape.traded_lots.tolist() == [13, 0] and counts(state)["refused_by_band"] == 0


def test_a_halt_refuses_all_but_cancels_the_flows_and_the_venues_own_too_and_then_there_is_a_new_reference():
    flow = [(2.5, (Kind.MARKET, BID, 0, 1, 0, 0)), (2.6, (Kind.CANCEL, BID, 0, 4, 1, 0))]
    market, params, state = guarded(flow)
    up = [(Kind.LIMIT, ASK, 105, 5, MINE, 1), (Kind.MARKET, BID, 0, 10, 0, 0), (Kind.LIMIT, BID, 103, 5, MINE + 1, 1)]
    state = play(market, params, state, 2, up)  # 103 to 105: the mid is at the edge
    assert counts(state)["halts"] == 1 and int(state.halting.left) == HALT
    closing = [(Kind.MARKET, BID, 0, 9, 0, 1)]
    state = play(market, params, state, 3, [(Kind.LIMIT, BID, 90, 1, MINE + 2, 1)], closing)
    assert state.tape.traded_lots.tolist() == [0, 0] and lots(state, BID) == {103: 5, 100: 6}
    assert counts(state) == {"refused_by_band": 0, "refused_by_halt": 3, "halts": 1}
    assert int(state.halting.left) == 1 and int(state.halting.reference2) == 202
    state = play(market, params, state, 4, [(Kind.DELETE, BID, 0, 0, MINE + 1, 1)])
    assert lots(state, BID) == {100: 6} and int(state.halting.left) == 0
    assert int(state.halting.reference2) == 205
    state = play(market, params, state, 5, [(Kind.IOC, BID, 105, 1, 0, 0), (Kind.IOC, BID, 106, 1, 0, 0)])
    assert state.tape.traded_lots.tolist() == [1, 0] and counts(state)["refused_by_band"] == 1


def test_an_empty_book_is_no_price_to_halt_at():
    market, params, state = guarded([])
    state = play(market, params, state, 2, [(Kind.MARKET, BID, 0, 10, 0, 0), (Kind.MARKET, ASK, 0, 10, 0, 0)])
    assert lots(state, BID) == lots(state, ASK) == {} and counts(state)["halts"] == 0


def test_a_market_without_safeguards_keeps_nothing():
    market, params, state = market_of(QUOTES)
    state = play(market, params, state, 1)
    assert state.halting is None and not {"refused_by_band", "refused_by_halt", "halts"} & set(state.counts())


@pytest.mark.parametrize("make", [poisson_case, recorded_case], ids=["poisson", "recorded"])
def test_engines_agree_in_every_leaf_after_every_step(make):
    case, markets, steps = make(), 4, 25
    band = {"poisson_case": 2, "recorded_case": 4}[make.__name__]
    numbers = jnp.int32(band), jnp.int32(2)
    case = dataclasses.replace(case, params=case.params.replace(safeguards=Safeguards(*numbers)))
    others = ("host", "kernel") if make is poisson_case else ("host",)
    engines = {name: dataclasses.replace(case.market, engine=name) for name in ("xla", *others)}
    run = {n: quick_jit(jax.vmap(partial(one_step, m), in_axes=(0, 0, 0, None))) for n, m in engines.items()}
    states = {n: opened(dataclasses.replace(case, market=m), markets) for n, m in engines.items()}
    for number in range(steps):
        keys = jax.random.split(jax.random.key(number), markets)
        orders = orders_of(case, number, (markets,))
        states = {name: run[name](keys, states[name], orders, case.params) for name in engines}
        for name in others:
            assert_equal(states[name], states["xla"])
    halting = states["xla"].halting
    assert min(int(x.sum()) for x in (halting.halts, halting.refused_by_band, halting.refused_by_halt)) > 0
    assert len(set(halting.reference2.tolist())) > 1  # each venue went its own way
