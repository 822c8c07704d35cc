"""Small arenas that the tests share, each with one compiled program."""

from functools import cache

import jax

from lobjax.arena import Arena, ArenaConfig, arena_config, make_arena
from lobjax.arena.playing import play_episode, random_player, rule_player
from tests.compiling import quick_jit

MIXED = {
    "roles": {
        "market_maker": {"seats": 2, "capital": 50_000, "order_delay_ns": 1_000_000},
        "momentum": {"seats": 1, "lookback": 3, "threshold_ticks": 0.5, "every": 2},
        "arbitrageur": {"seats": 1, "profit_threshold_ticks": 0.0},
        "execution": {"seats": 1, "venue": 1, "lots": 6, "offsets_ticks": [1, 2]},
    },
    "venues": [
        {"informed_per_tick_s": 0.3, "maker_fee_milliticks": -50, "taker_fee_milliticks": 130},
        {"informed_per_tick_s": 0.3, "lag": 2, "maker_fee_milliticks": -20, "taker_fee_milliticks": 70},
    ],
    "fundamental": {"volatility_ticks": 1.0},
    "events": {"start_probability": 0.3},
    "decisions": 12,
    "capacity": 64,
    "levels": 3,
    "max_messages": 96,
}


def config(**changes) -> ArenaConfig:
    return arena_config(MIXED | changes)


@cache
def mixed(engine: str = "host") -> Arena:
    return make_arena(config(engine=engine))


def watched(before, actions, step):
    """Everything that a decision left, for the tests to look at."""
    return {
        "state": step[1],
        "rewards": step[2],
        "terminated": step[3],
        "truncated": step[4],
        "info": step[5],
        "actions": actions,
    }


@cache
def player_of(arena: Arena, play: str):
    """A compiled program: key, params -> (opening, last state, what was watched)."""
    make = {"random": random_player, "rules": rule_player}[play]
    players = {group.name: make(arena, group) for group in arena.groups}
    return quick_jit(
        jax.vmap(lambda key, params: play_episode(arena, players, key, params, watched), in_axes=(0, None))
    )
