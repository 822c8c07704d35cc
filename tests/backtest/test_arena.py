"""`python -m backtest arena`: mixtures, payoffs, ranks, forks, and what it refuses."""

import json

import numpy as np
import polars as pl
import pytest
import yaml

from backtest.__main__ import main
from backtest.arena.cast import cast_of, profiles
from backtest.arena.episodes import SEAT_FIGURES, Played, play, program, without
from backtest.arena.markets import MEASURES, recoveries
from backtest.arena.ranking import MUTATION, alpha_rank, standings
from backtest.arena.resampling import Resampled, mean, percentiles, sharpe
from lobjax.arena import arena_config, make_arena
from lobjax.errors import InputError
from lobjax.nets import MLPConfig, make_net
from lobjax.nets.statistics import unit_statistics
from lobjax.policy import PolicyConfig, make_head, save_policy
from lobjax.settings import key_of

SMALL = {
    "roles": {"market_maker": {"seats": 2}, "momentum": {"seats": 1, "lookback": 2, "threshold_ticks": 0.2}},
    "venues": [{"informed_per_tick_s": 0.3, "taker_fee_milliticks": 100, "band_ticks": 4}],
    "fundamental": {"volatility_ticks": 1.0},
    "events": {"start_probability": 0.4},
    "decisions": 12,
    "capacity": 32,
    "levels": 3,
    "max_messages": 96,
}


@pytest.fixture(scope="module")
def arena():
    return make_arena(arena_config(SMALL))


@pytest.fixture(scope="module")
def agent(tmp_path_factory, arena):
    """The folder of an agent of no training for the market makers."""
    group, folder = arena.groups[0], tmp_path_factory.mktemp("agent")
    size, net = len(arena.observation_names(group)), MLPConfig(hidden=(8,))
    head = make_head(group.role.action_space, None)
    params = {"net": make_net(net, size, head).init(key_of(0)), "head": head.init()}
    config = PolicyConfig(
        task="arena", actions="market_maker", observation_size=size, space=group.role.action_space, net=net
    )
    save_policy(folder, params, unit_statistics(size), config)
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory, agent):
    """The folder that the command leaves."""
    folder = tmp_path_factory.mktemp("arena")
    (folder / "arena.yaml").write_text(yaml.safe_dump(SMALL))
    players = ["--play", f"market_maker=symmetric,{agent}", "momentum=trend,idle"]
    main(
        ["arena", str(folder / "arena.yaml"), "--out", str(folder / "out"), "--episodes", "7", "--batch", "4", *players]
    )
    return folder / "out"


def test_every_mixture_is_played_and_told(out, agent):
    found = json.loads((out / "arena.json").read_text())
    assert len(found["payoffs"]) == 3 * 2  # two makers of two players in three ways, one momentum trader of two
    assert found["payoffs"][1]["seats"] == {"market_maker": {"symmetric": 2}, "momentum": {"idle": 1}}
    both = found["payoffs"][2]
    assert both["seats"]["market_maker"] == {"symmetric": 1, str(agent): 1}
    assert (out / "arena.png").read_bytes()[:4] == b"\x89PNG"
    assert set(found["without"]) == {"market_maker", "momentum"}
    assert {"refused_by_band_per_episode", "halts_per_episode"} <= set(found["markets"][0])
    idle = found["figures"]["momentum"]["idle"]
    assert idle["profit_ticks"] == {"value": 0.0, "low": 0.0, "high": 0.0} and idle["fill_rate"]["value"] is None


def test_what_is_told_is_what_the_episodes_table_says(out):
    found, table = json.loads((out / "arena.json").read_text()), pl.read_parquet(out / "episodes.parquet")
    assert len(table) == 6 * 7 * 3
    for row in found["payoffs"]:
        here = table.filter(pl.col("mixture") == row["mixture"])
        for group, earned in row["profit_ticks"].items():
            for name, estimate in earned.items():
                profits = here.filter((pl.col("group") == group) & (pl.col("player") == name))["profit_ticks"]
                assert estimate["value"] == pytest.approx(profits.mean(), abs=1e-6)
                assert estimate["low"] <= estimate["value"] <= estimate["high"]
    maker = found["figures"]["market_maker"]["symmetric"]
    parts = maker["spread_captured_ticks"]["value"] + maker["inventory_ticks"]["value"] - maker["fees_ticks"]["value"]
    assert maker["profit_ticks"]["value"] == pytest.approx(parts, abs=1e-6)
    # Fees: three mixtures where the trader follows trends; what a taker pays is a tenth of a tick a lot.
    trend = found["figures"]["momentum"]["trend"]
    assert trend["fees_ticks"]["value"] == pytest.approx(0.1 * trend["traded_lots"]["value"], rel=1e-5)


def test_episodes_are_the_same_whoever_plays_and_however_many_side_by_side(arena):
    cast = cast_of(arena, ("momentum=trend,idle",))
    run, params = program(cast), arena.default_params
    first = play(run, (0, 0, 1), params, 3, 5, 5)
    other = play(run, (0, 0, 0), params, 3, 5, 5)
    np.testing.assert_array_equal(first.event, other.event)
    assert (first.seats["profit_ticks"] != other.seats["profit_ticks"]).any()
    # A trader who does nothing may as well not be there.
    fork = play(run, (0, 0, 0), without(params, (3,)), 3, 5, 5)
    for name in ("mid2", "spread", "depth"):
        np.testing.assert_array_equal(fork.series[name], first.series[name])
    assert run._cache_size() == 1  # one compilation serves every mixture and fork
    again = play(run, (0, 0, 1), params, 3, 5, 2)
    for name in SEAT_FIGURES:
        np.testing.assert_array_equal(first.seats[name], again.seats[name])


def test_mixtures_of_seats_are_counted_once(arena):
    cast = cast_of(arena, ("market_maker=skewed,symmetric,idle", "momentum=trend"))
    found = profiles(cast)
    assert [profile.choice[:2] for profile in found] == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    assert [profile.pure for profile in found] == [(0, 0), None, None, (1, 0), None, (2, 0)]
    assert found[1].title(cast) == "market_maker: 1 skewed, 1 symmetric"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("market_makr=symmetric",), "no group 'market_makr'; did you mean 'market_maker'?"),
        (("market_maker=symetric",), "no rule and no folder of an agent 'symetric'; did you mean 'symmetric'?"),
        (("market_maker",), "expected GROUP=NAME,NAME"),
        (("market_maker=",), "expected GROUP=NAME,NAME"),
        (("momentum=idle,idle",), "a player is there twice"),
        (("momentum=idle", "momentum=trend"), "each group once"),
    ],
)
def test_players_that_are_none_are_refused_in_one_line(arena, said, words):
    with pytest.raises(InputError) as error:
        cast_of(arena, said)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_an_agent_of_another_arena_and_too_many_mixtures_are_refused(arena, agent, tmp_path):
    wider = make_arena(arena_config(SMALL | {"levels": 5}))
    with pytest.raises(InputError, match=r"this agent reads .* take the arena that it was trained in"):
        cast_of(wider, (f"market_maker={agent}",))
    crowd = make_arena(arena_config(SMALL | {"roles": {"market_maker": 40, "momentum": 20}, "max_messages": 400}))
    with pytest.raises(InputError, match="mixtures are more than 512"):
        cast_of(crowd, ("momentum=trend,idle",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no saved agent there"):
        cast_of(arena, (f"momentum={tmp_path / 'empty'}",))


def test_alpha_rank_of_games_with_a_known_answer():
    """Payoffs [draws, K_1, K_2, 2]: a dominant choice of each, then matching pennies, then a game in which nothing matters."""
    dominant = np.zeros((2, 2, 2))
    dominant[1, :, 0] = 1  # the first player gains by its second choice
    dominant[:, 0, 1] = 1  # the second by its first
    pennies = np.asarray([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], float)
    mass = alpha_rank(np.stack([dominant, pennies, np.zeros((2, 2, 2))]))
    np.testing.assert_allclose(mass.sum((1, 2)), 1)
    assert mass[0, 1, 0] > 1 - 3 * MUTATION
    np.testing.assert_allclose(mass[1], 0.25, atol=1e-9)
    np.testing.assert_allclose(mass[2], 0.25, atol=1e-9)


def test_a_rank_is_as_certain_as_its_payoffs():
    payoffs = np.zeros((3, 1, 2))
    payoffs[:, 0, 0] = [0.0, 2.0, 2.0]
    clear = np.repeat(payoffs[None], 200, axis=0)
    noisy = clear.copy()
    noisy[..., 0] += np.random.default_rng(0).normal(0, 1e-3, noisy.shape[:-1])
    for drawn, first in ((clear, 1.0), (noisy, 0.5)):
        best, lone = standings(payoffs, drawn, percentiles)
        assert [one.place for one in best] == [3, 1, 1] and lone[0].place == 1
        assert best[1].first == pytest.approx(first, abs=0.12) and best[0].first == 0


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, hits = np.random.default_rng(1), 0
    for seed in range(200):
        values = rng.normal(2.0, 1.0, 60)
        sums = np.stack([values, np.ones(60)], axis=-1)
        estimate = Resampled(60, 400, seed).estimate(mean, sums)
        assert estimate.value == pytest.approx(values.mean())
        hits += estimate.low <= 2.0 <= estimate.high
    assert 0.88 <= hits / 200 <= 0.99


def test_differences_are_paired_and_one_episode_has_no_interval():
    rng = np.random.default_rng(2)
    values, ones = rng.normal(0, 10.0, 50), np.ones(50)
    resampled = Resampled(50, 500, 0)
    gap = resampled.difference(mean, np.stack([values + 1, ones], -1), np.stack([values, ones], -1))
    assert gap.low == pytest.approx(1) and gap.high == pytest.approx(1) and gap.is_clear
    assert resampled.estimate(sharpe, np.stack([values, values**2, ones], -1)).value == pytest.approx(
        values.mean() / values.std()
    )
    alone = Resampled(1, 100, 0).estimate(mean, np.ones((1, 2)))
    assert alone.plain() == {"value": 1.0, "low": None, "high": None}


def made_up(mid2, spread, depth, event) -> Played:
    """One episode at one venue, whose first entries are its opening."""
    rows = {"mid2": mid2, "spread": np.asarray(spread, np.float32), "depth": depth}
    rows = {name: np.asarray(x)[None, :, None] for name, x in rows.items()}
    series = {name: x[:, 1:] for name, x in rows.items()}
    return Played({}, series, {name: x[:, 0] for name, x in rows.items()}, np.asarray([event]), {}, 0)


def test_recovery_is_when_spread_and_depth_are_as_before_the_event():
    spread = [2, 2, 2, 9, 9, 5, 2, 2, 7, 7]
    depth = [50, 50, 50, 10, 10, 20, 40, 46, 10, 10]
    played = made_up([200] * 10, spread, depth, [0, 0, 5, 5, 0, 0, 0, 1, 0])
    crash, spike = recoveries(played)
    assert (crash.decisions, crash.recovered) == (3, True)  # at the third decision after it, 46 lots are deep enough
    assert (spike.decisions, spike.recovered) == (1, False)
    last = made_up([200] * 4, [2, 2, 2, 9], [50] * 4, [0, 0, 5])
    assert not list(recoveries(last))  # nothing is left to look at


def test_figures_of_a_venue_by_hand():
    played = made_up([200, 204, 200, 204, 204], [2, 2, np.nan, 4, 4], [10, 20, 30, 40, 50], [0] * 4)
    value = {key: float(measure.statistic(measure.sums(played)[:, 0].sum(0))) for key, measure in MEASURES.items()}
    assert value["spread_ticks"] == pytest.approx(10 / 3) and value["depth_lots"] == 35
    assert value["volatility_ticks"] == pytest.approx(np.sqrt(12 / 4))  # changes 2, -2, 2, 0
    assert value["autocorrelation"] == pytest.approx(-8 / 12)
    assert value["excess_kurtosis"] == pytest.approx(4 * 48 / 144 - 3)
    assert np.isnan(value["recovery_decisions"])


def test_a_step_with_too_many_messages_is_an_error_of_the_configuration(tmp_path, capsys):
    (tmp_path / "arena.yaml").write_text(yaml.safe_dump(SMALL | {"max_messages": 13, "roles": {"market_maker": 3}}))
    with pytest.raises(SystemExit) as exit:
        main(["arena", str(tmp_path / "arena.yaml"), "--out", str(tmp_path / "out"), "--episodes", "2"])
    assert exit.value.code == 2 and "arena.max_messages" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
