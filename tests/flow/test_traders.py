"""Tactical and strategic traders, and what refills an empty side, against the formulas in float64 and by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lobjax.book import Book, empty_book, step
from lobjax.clock import to_seconds
from lobjax.flow import PoissonConfig, PoissonFlow, StrategicConfig, StrategicFlow, TacticalConfig
from lobjax.flow.poisson import REFILL_LOTS, PoissonState
from lobjax.flow.strategic import STRATEGIC_OWNER, strategic_params
from lobjax.flow.tactical import multipliers, tactical_params
from lobjax.kinds import Kind
from lobjax.types import Message, Side

CAPACITY, DRAWS = 16, 20_000
FLOW = PoissonFlow()
STRATEGIC = StrategicFlow(FLOW)
STEP, NEXT = jax.jit(step), jax.jit(STRATEGIC.next)  # compiled once
BIDS, ASKS = {1000: 4, 999: 11, 997: 30}, {1002: 9, 1003: 2}  # a spread of 2 ticks


def book_of(bids: dict[int, int], asks: dict[int, int]) -> Book:
    book = empty_book(CAPACITY)
    rows = [(Side.BID, *item) for item in bids.items()] + [(Side.ASK, *item) for item in asks.items()]
    for number, (side, price, size) in enumerate(rows):
        book, _ = STEP(book, Message(*map(jnp.int32, (Kind.LIMIT, side, price, size, number + 1, -1))))
    return book


def drawn(config: PoissonConfig, book: Book) -> tuple[Message, np.ndarray]:
    """DRAWS messages that the flow may write at this book, and waits in seconds."""
    params = FLOW.params(replace(config, opening_lots=(1,)), CAPACITY)
    words = jax.random.bits(jax.random.key(3), (DRAWS, FLOW.words))
    draw = jax.jit(jax.vmap(lambda words: FLOW.next(PoissonState(jnp.int32(1)), book, words, params)))
    _, message, wait = draw(words)
    return jax.tree.map(np.asarray, message), np.asarray(to_seconds(wait))


def rates(config: PoissonConfig) -> dict[tuple[int, int, int], float]:
    """Events a second by kind, side and price at the book of BIDS and ASKS, as the paper's formulas have them."""
    tactical, bid, ask = config.tactical, max(BIDS), min(ASKS)
    weight = lambda k: np.exp(-tactical.decay * k) if tactical else 0.0  # noqa: E731
    near = tactical.levels - (ask - bid) if tactical else 0
    bids = sum(weight(bid - price) * lots for price, lots in BIDS.items() if bid - price <= near)
    asks = sum(weight(price - ask) * lots for price, lots in ASKS.items() if price - ask <= near)
    imbalance = (bids - asks) / (bids + asks) if tactical else 0.0
    factor, scale = (tactical.factor, tactical.scale) if tactical else (0.0, 1.0)
    up, down = 1 + factor * max(0, imbalance), 1 + factor * max(0, -imbalance)
    found = {
        (Kind.MARKET, Side.BID, ask): up * config.market_per_s,
        (Kind.MARKET, Side.ASK, bid): down * config.market_per_s,
    }
    for k, (limit, cancel) in enumerate(zip(config.limit_per_s, config.cancel_per_lot_s, strict=True), 1):
        found |= {(Kind.LIMIT, Side.BID, ask - k): up * limit, (Kind.LIMIT, Side.ASK, bid + k): down * limit}
        found |= {(Kind.REDUCE, Side.BID, ask - k): down * cancel * BIDS.get(ask - k, 0)}
        found |= {(Kind.REDUCE, Side.ASK, bid + k): up * cancel * ASKS.get(bid + k, 0)}
    return {event: scale * rate for event, rate in found.items() if rate > 0}


@pytest.mark.parametrize(
    "tactical", [None, TacticalConfig(), TacticalConfig(scale=1.3, decay=0.2, factor=5.0, levels=4)]
)
def test_every_event_comes_at_its_rate(tactical):
    config = PoissonConfig(tactical=tactical)
    message, wait = drawn(config, book_of(BIDS, ASKS))
    expected = rates(config)
    total = sum(expected.values())
    seen = dict.fromkeys(expected, 0)
    for event in zip(message.kind.tolist(), message.side.tolist(), message.price.tolist(), strict=True):
        seen[event] += 1  # an event that has no rate is a KeyError
    often = {event for event, rate in expected.items() if rate / total * DRAWS > 10}
    observed = np.array([seen[event] for event in expected if event in often])
    share = np.array([expected[event] for event in expected if event in often])
    assert stats.chisquare(observed, share / share.sum() * observed.sum()).pvalue > 1e-3
    assert stats.kstest(wait[:5000] * total, "expon").pvalue > 1e-3


def test_multipliers_follow_the_imbalance():
    config = TacticalConfig(levels=20)
    params = tactical_params(config, 32)
    rng = np.random.default_rng(0)
    for _ in range(50):
        spread = int(rng.integers(1, 6))
        lots = rng.integers(0, 40, (2, 32)) * (rng.random((2, 32)) < 0.5)
        lots[:, : spread - 1] = 0
        weights = np.exp(-config.decay * np.arange(32))
        weights = np.where(np.arange(1, 33) <= config.levels, np.roll(weights, spread - 1), 0)
        bids, asks = lots @ weights
        imbalance = (bids - asks) / max(bids + asks, 1e-9)
        wanted = 1 + config.factor * np.maximum([imbalance, -imbalance], 0)
        found = multipliers(tuple(jnp.asarray(lots, jnp.int32)), jnp.int32(spread), params)
        assert np.abs(np.asarray(found) / 2**16 - wanted).max() < 5e-4
    nothing = (jnp.zeros(32, jnp.int32),) * 2
    assert [int(x) for x in multipliers(nothing, jnp.int32(1), params)] == [2**16, 2**16]


@pytest.mark.parametrize(
    ("bids", "asks", "side", "price", "size"),
    [
        ({}, {1003: 7, 1004: 1}, Side.BID, 1002, 7),
        ({998: 3, 997: 9}, {}, Side.ASK, 999, 3),
        ({}, {}, Side.BID, 1000, REFILL_LOTS),
    ],
)
def test_an_empty_side_is_refilled_at_once(bids, asks, side, price, size):
    message, wait = drawn(PoissonConfig(), book_of(bids, asks))
    assert {(Kind.LIMIT, side, price, size)} == set(zip(*(x.tolist() for x in message[:4]), strict=True))
    np.testing.assert_allclose(wait, 1e-6)


def strategic(direction: str, **numbers):
    other = FLOW.params(
        PoissonConfig(limit_per_s=(0.0,), cancel_per_lot_s=(0.0,), market_per_s=0.0, warm_up_s=15.0), 64
    )
    return strategic_params(StrategicConfig(direction=direction, **numbers), other)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("direction", "side", "price"), [("buy", Side.BID, 1001), ("sell", Side.ASK, 1001)])
def test_the_strategic_trader_sends_a_market_and_a_limit_order_at_the_price_before_it(direction, side, price):
    params = strategic(direction, every_s=3.0)
    opening = STRATEGIC.open(jax.random.key(0), params)
    state, book, now = opening.flow, book_of({1000: 1, 999: 5}, {1002: 1, 1004: 5}), float(to_seconds(opening.due))
    sent = []
    for _ in range(8):
        state, message, wait = NEXT(state, book, jnp.zeros(FLOW.words, jnp.uint32), params)
        if int(message.owner) == STRATEGIC_OWNER:
            sent.append((round(now, 3), *(int(x) for x in message[:4])))
        book, _ = STEP(book, message)
        now += float(to_seconds(wait))
    # The other flow is idle, but is asked first at the opening: then the trader's orders, three seconds apart.
    assert sent[0] == (-15.0, Kind.MARKET, side, price, 1)
    assert sent[1] == (
        -15.0,
        Kind.LIMIT,
        side,
        price,
        2,
    )  # though the market order emptied the level it was counted from
    assert [row[0] for row in sent[:6]] == [-15.0, -15.0, -12.0, -12.0, -9.0, -9.0]
    assert [row[1] for row in sent[:6]] == [Kind.MARKET, Kind.LIMIT] * 3


def test_directions_are_drawn_evenly_and_an_episode_keeps_its_own():
    keys = jax.random.split(jax.random.key(1), 4000)
    states = jax.vmap(lambda key: STRATEGIC.open(key, strategic("drawn")).flow)(keys)
    directions = np.asarray(states.direction)
    assert set(directions.tolist()) == {1, -1} and abs(directions.mean()) < 4 / np.sqrt(4000)
    fixed = STRATEGIC.open(keys[0], strategic("sell")).flow.direction
    assert int(fixed) == -1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TacticalConfig(levels=65), "levels: 65 is out of range; choose 1 to 64"),
        (lambda: TacticalConfig(factor=-1.0), "factor: -1.0 is out of range; choose 0 to 15"),
        (lambda: StrategicConfig(every_s=0.0), "every_s: 0.0 is out of range"),
        (lambda: StrategicConfig(market_lots=-1), "market_lots: -1 is out of range"),
    ],
)
def test_numbers_out_of_range_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
