"""Venues of an arena may have safeguards: a halted venue trades nothing, and what was refused is told."""

import jax
import numpy as np
import pytest

from lobjax.arena import make_arena
from tests.arena.small import config, player_of

KEYS = jax.random.split(jax.random.key(3), 6)
ROLES = {"market_maker": {"seats": 1, "informed": True}, "momentum": {"seats": 2, "maximum_position_lots": 20}}
FLOW = {"informed_per_tick_s": 0.3}


def played(venues):
    arena = make_arena(config(roles=ROLES, venues=venues, fundamental={"volatility_ticks": 3.0}))
    return arena, *jax.device_get(player_of(arena, "random")(KEYS, arena.default_params))


@pytest.fixture(scope="module")
def episodes():
    return played([FLOW | {"band_ticks": 2, "halt_decisions": 2}, FLOW])


def test_a_halted_venue_trades_nothing_and_the_other_goes_on(episodes):
    _, opening, _, watched = episodes
    left = watched["state"].markets.halting.left  # [episode, decision, venue], after it
    before = np.concatenate([opening.markets.halting.left[:, None], left[:, :-1]], axis=1)
    halted = before[..., 0] > 0
    traded = watched["state"].markets.tape.traded_lots.sum(-1)
    assert halted.any() and not traded[..., 0][halted].any()
    assert traded[..., 0][~halted].sum() > 0 and traded[..., 1].sum() > 0
    assert not left[..., 1].any()
    runs = [len(run) for row in halted[:, :-3] for run in "".join("x" if x else " " for x in row).split()]
    assert 2 in runs  # a halt lasts as long as was said; what the mid then is, may halt the venue again


def test_what_was_refused_is_counted_by_venue_and_a_halt_is_seen(episodes):
    arena, _, _, watched = episodes
    info = watched["info"]
    for name in ("refused_by_band", "refused_by_halt", "halts"):
        assert info[name].shape == (6, 12, 2) and info[name][:, -1, 0].any() and not info[name][..., 1].any()
    names = arena.observation_names(arena.groups[0])
    seen = info["final_observation"]["market_maker"][..., 0, names.index("halted_0")]
    np.testing.assert_array_equal(seen, (watched["state"].markets.halting.left[..., 0] > 0).astype(np.float32))
    assert len(names) == info["final_observation"]["market_maker"].shape[-1]


def test_the_reference_is_the_mid_as_the_episode_begins(episodes):
    opening = episodes[1]
    book = opening.markets.book
    live = book.size > 0
    bid = np.where(live, book.price, 0)[:, :, 0].max(-1)
    ask = np.where(live, book.price, 1 << 30)[:, :, 1].min(-1)
    np.testing.assert_array_equal(opening.markets.halting.reference2, bid + ask)
    assert not opening.markets.halting.refused_by_band.any()


def test_without_safeguards_nothing_is_told_or_kept():
    arena = make_arena(config(roles=ROLES, venues=[FLOW]))
    assert not arena.halts and arena.default_params.markets.safeguards is None
    assert not any("halted" in name for name in arena.observation_names(arena.groups[0]))
