"""What is read off markets whose path is worked out by hand: grids of times, events one by one, impact of an order."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from bench.papers.market import events, sampling, views
from bench.papers.market.estimates import REFERENCE, STATISTICS, mean, rounding, rows, std
from bench.papers.market.sampling import LEVELS, Paths
from bench.papers.market.setting import Setting, noise_messages, room
from bench.papers.market.views import AT_MARKET, BEHIND, BEST, INSIDE, Order
from lobjax.flow import PoissonConfig
from lobjax.kinds import Kind
from lobjax.types import Side
from tests.market.scripted import market_of

BID, ASK = Side.BID, Side.ASK
# Before 0 s: bids 4 at 100 and 6 at 99; asks 3 at 101, 5 at 103.
BOOK = [
    (-0.9, (Kind.LIMIT, BID, 100, 4, 1, 0)),
    (-0.8, (Kind.LIMIT, BID, 99, 6, 2, 0)),
    (-0.7, (Kind.LIMIT, ASK, 101, 3, 3, 0)),
    (-0.6, (Kind.LIMIT, ASK, 103, 5, 4, 0)),
]
LATER = [
    (2.3, (Kind.MARKET, BID, 0, 3, 5, 0)),  # the spread is 3 ticks from here on
    (4.0, (Kind.REDUCE, BID, 100, 1, 0, 0)),
    (8.0, (Kind.MARKET, ASK, 0, 3, 6, 0)),  # at the very end: the best bid is 99 after it
]


def scripted(script) -> Setting:
    market, params, _ = market_of(script, capacity=16)
    return Setting(PoissonConfig(warm_up_s=1.0), market, params)


def test_a_grid_that_begins_at_random_gives_time_averages():
    paths = sampling.play(scripted(BOOK + LATER), 400, seed=0, seconds=8)
    narrow = (paths.spread == 1).sum(axis=1)
    assert set(narrow) == {2, 3}  # points before 2.3 s
    share = mean(narrow / 8)
    assert abs(share.value - 2.3 / 8) < 3 * share.error < 0.01
    assert set(np.unique(paths.spread)) == {1, 3} and set(np.unique(paths.bid_lots)) == {3, 4}
    assert np.all(paths.mid_first == 100.5) and np.all(paths.mid_last == 101.0)
    assert np.all(paths.mid == np.where(paths.spread == 1, 100.5, 101.5))
    assert paths.noise_events.shape == (400, 9) and np.all(paths.noise_events.sum(axis=1) == 3)
    assert np.all(paths.bought == 3) and np.all(paths.sold == 3) and paths.wrong == {}
    # The only look at 0 s to 1 s: distances 1 and 2 of both sides, 3 of asks (103 less 100).
    assert paths.depth.shape == (400, LEVELS) and np.all(paths.depth[:, :4] == [3.5, 3.0, 2.5, 0.0])


def test_events_are_told_apart_and_timed():
    more = [(5.5, (Kind.LIMIT, ASK, 104, 2, 7, 0))]
    found = events.play(scripted(BOOK + LATER[:2] + more), 2, seed=0, seconds=7)
    kinds = [events.KINDS[k] for k in found.kind[1, :4] if k >= 0]
    assert kinds == ["market buy", "cancel", "limit sell"] and (found.kind[:, 3:] == -1).all()
    assert found.at_s[0, :4] == pytest.approx([2.3, 4.0, 5.5, 0.0])
    assert found.waits_s() == pytest.approx([1.7, 1.5] * 2)
    assert found.per_s()[0] == pytest.approx([1 / 7, 0, 0, 1 / 7, 1 / 7])


def test_impact_is_the_mid_with_an_order_less_without():
    orders = (Order(AT_MARKET, 2), Order(AT_MARKET, 4), Order(BEST, 5), Order(BEHIND, 5), Order(INSIDE, 5))
    later = [(1.5, (Kind.MARKET, BID, 0, 3, 5, 0)), (2.5, (Kind.MARKET, BID, 0, 5, 6, 0))]
    found = views.impact(scripted(BOOK + later), 2, seed=0, orders=orders, seconds=3)
    assert found.at_s.tolist() == [0, 1, 2, 3] and found.wrong == {}
    assert found.counts.tolist() == [[True, True, True, True, False]] * 2  # a spread of one tick has no inside
    # Without an order the best ask goes from 101 to 103 at 1.5 s, and at 2.5 s there is none, so that the mid is the bid, 100.
    for change in found.change:
        assert change[0].tolist() == [0, 0, 0, 0]  # two of the four lots at the best bid are left
        assert change[1].tolist() == [-0.5, -0.5, -0.5, -1.0]  # 99 is the best bid
        assert change[2].tolist() == [0, 0, -1.0, 1.5]  # the ask stays at 101, then at 103
        assert change[3].tolist() == [0, 0, -0.5, 1.5]  # 102 is the ask after 1.5 s, then 103


@pytest.mark.parametrize(("lots", "left"), [((1, 2), 6), ((1, 0), 9), ((0, 2), 8), ((0, 0), 11)])
def test_the_strategic_traders_messages_are_not_counted(lots, left):
    config: Any = SimpleNamespace(strategic=SimpleNamespace(market_lots=lots[0], limit_lots=lots[1]))
    before, after = (
        cast(Any, SimpleNamespace(flow=SimpleNamespace(sent=sent), tape=SimpleNamespace(messages=11)))
        for sent in (3, 8)
    )  # it sends a market order (even numbers) and a limit order by turns; one of no lots is no message
    assert noise_messages(config, before, after) == left
    assert noise_messages(PoissonConfig(), before, after) == 11


def test_statistics_of_paths_made_by_hand():
    spread = np.array([[1, 1, 1, 3], [1, 2, 2, 3], [1, 1, 1, 1]])
    paths = Paths(
        seconds=4, direction=np.array([1, -1, 1]), mid_first=np.array([10.0, 10.0, 10.0]), mid_last=np.array([12.0, 9.0, 13.0]),
        mid=np.zeros((3, 4)), spread=spread, bid_lots=spread + 1, depth=np.zeros((3, LEVELS)), noise_events=np.full((3, 5), 2),
        bought=np.array([4, 6, 8]), sold=np.zeros(3), wrong={},
    )  # fmt: skip
    value = {name: of(paths).value for name, of in STATISTICS.items()}
    assert [*value.values()] == pytest.approx(
        [4 / 3, np.std([2, -1, 3], ddof=1), 2.0, 1.0, 1.5, 2 / 3, 2.5, 10.0, 6.0, 2.0]
    )
    assert len(rows("strategic", paths)) == len(STATISTICS) and all(row.z is None for row in rows("strategic", paths))
    undirected = rows("noise", paths._replace(direction=np.zeros(3), seconds=150))
    assert [row.reference for row in undirected] == [text for text in REFERENCE["noise"] if text]
    spread_row = next(row for row in undirected if "spread, time" in row.name)
    error = np.std([1.5, 2.0, 1.0], ddof=1) / 3**0.5
    assert spread_row.z == pytest.approx((1.5 - 1.253) / np.sqrt(error**2 * (1 + 3 / 6000) + 0.001**2 / 12))


def test_errors_of_means_and_deviations():
    values = np.random.default_rng(0).normal(5.0, 2.0, 40_000)
    assert mean(values).error == pytest.approx(2.0 / 200, rel=0.02)
    assert std(values).error == pytest.approx(2.0 / np.sqrt(2 * 40_000), rel=0.03)
    assert std(np.array([1.0, -1.0] * 500)).error == pytest.approx(0.0, abs=1e-3)  # a fair sign's deviation is certain
    assert [rounding(text) for text in ("1129", "0.03", "6.61", "12.5")] == pytest.approx([1, 0.01, 0.01, 0.1])
    assert room(1.0) == 40
