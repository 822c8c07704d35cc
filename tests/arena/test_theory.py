"""What theory demands of an arena, over five seeds, with intervals (95%, Student's t over episodes)."""

from itertools import pairwise

import numpy as np
import pytest

from backtest.arena.cast import cast_of
from backtest.arena.episodes import play, program
from lobjax.arena import arena_config, make_arena
from lobjax.results.intervals import interval

pytestmark = pytest.mark.slow
SEEDS, EPISODES = range(5), 200
BASE = {"decisions": 60, "capacity": 64, "levels": 3, "max_messages": 128}


def runner(**described):
    """(one compiled program, the numbers of an arena of the same shape): parts of the first seat's profit, [seeds x episodes] each."""
    run = program(cast_of(make_arena(arena_config(BASE | described))))

    def parts(**other) -> dict[str, np.ndarray]:
        params = make_arena(arena_config(BASE | described | other)).default_params
        seats = [play(run, (0,), params, seed, EPISODES, EPISODES).seats for seed in SEEDS]
        whole = {name: np.concatenate([one[name][:, 0] for one in seats]) for name in seats[0]}
        moved = whole["profit_ticks"] - whole["spread_captured_ticks"] + whole["fees_ticks"]
        return {"profit": whole["profit_ticks"], "spread": whole["spread_captured_ticks"], "moved": moved}

    return parts


def by_seed(values):
    """Means of each seed's episodes."""
    return values.reshape(len(SEEDS), EPISODES).mean(axis=1)


def test_a_momentum_trader_earns_nothing_without_drift_and_loses_the_spread_and_earns_with_drift():
    trader = {"lookback": 5, "threshold_ticks": 1.0, "maximum_position_lots": 5}
    parts = runner(roles={"momentum": trader}, venues=[{"informed_per_tick_s": 0.5}])
    still = parts()
    moved, lost = interval(still["moved"]), interval(still["spread"])
    assert moved.low <= 0 and abs(moved.mean) < 0.1 * abs(lost.mean)  # prices did nothing for it
    assert lost.high < 0 and interval(still["profit"]).high < 0 and (by_seed(still["profit"]) < 0).all()
    drifting = parts(fundamental={"drift_ticks_per_s": 1.0})["profit"]
    assert interval(drifting).low > 0 and (by_seed(drifting) > 0).all()


def venues(informed, lag):
    return [{"informed_per_tick_s": informed}, {"informed_per_tick_s": informed, "lag": lag}]


def test_an_arbitrageur_earns_when_venues_lag_and_nothing_when_they_cannot():
    role = {"profit_threshold_ticks": 3.0, "order_lots": 1}
    moving = {"volatility_ticks": 2.0}
    parts = runner(roles={"arbitrageur": role}, venues=venues(1.0, 10), fundamental=moving)
    lagging = parts()["profit"]
    assert interval(lagging).low > 0
    # No news, so that nothing can come late: what it earned is gone.
    quiet = parts(fundamental={"volatility_ticks": 0.0})["profit"]
    assert interval(quiet).low <= 0 and abs(interval(quiet).mean) < 0.05 * interval(lagging).mean
    gap = interval(lagging - parts(venues=venues(1.0, 0))["profit"])
    assert gap.low > 0  # and most of it is the lag's, episode by episode


def test_a_market_maker_loses_to_informed_traders_as_their_share_grows_and_the_spread_that_breaks_even_widens():
    role = {"sizes_lots": [2]}
    moving = {"volatility_ticks": 1.0}
    # A few informed traders in the first arena, so that it has them at all; then none to many.
    parts = runner(
        roles={"market_maker": role | {"offsets_ticks": [1]}}, venues=[{"informed_per_tick_s": 0.1}], fundamental=moving
    )
    offsets, shares = (0, 1, 2, 4, 8), (1e-5, 0.2, 1.0)
    profit = {
        (share, offset): parts(
            roles={"market_maker": role | {"offsets_ticks": [offset]}}, venues=[{"informed_per_tick_s": share}]
        )["profit"]
        for share in shares for offset in offsets
    }  # fmt: skip
    for few, many in pairwise(shares):
        for offset in (0, 1):
            gap = profit[few, offset] - profit[many, offset]
            assert interval(gap).low > 0 and (by_seed(gap) > 0).all()
    # The smallest offset, from the best price, at which it does not clearly lose.
    even = [next(offset for offset in offsets if interval(profit[share, offset]).high >= 0) for share in shares]
    assert even == sorted(even) and even[0] < even[-1]
