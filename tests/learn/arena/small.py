"""A small arena in which groups learn, for tests, and runs in it of which each program is compiled once."""

import json
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from lobjax.arena import make_arena
from lobjax.config import to_dict
from lobjax.learn import devices
from lobjax.learn.arena import ArenaTrainConfig, load_arena_config
from lobjax.learn.arena.casting import Cast, make_cast
from lobjax.learn.arena.program import ArenaProgram
from lobjax.learn.flax import Program

ARENA = {
    "roles": {
        "market_maker": {"seats": 2, "capital": 2_000, "risk_tolerance": 0.002, "offsets_ticks": [0, 1]},
        "momentum": {"seats": 1, "lookback": 2, "every": 2},
        "rival": {"role": "market_maker", "offsets_ticks": [0, 1]},
        "execution": {"lots": 4, "offsets_ticks": [1, 2]},
    },
    "venues": [{"informed_per_tick_s": 0.3, "taker_fee_milliticks": 300}],
    "fundamental": {"volatility_ticks": 1.0},
    "events": {"start_probability": 0.2},
    "decisions": 6,
    "capacity": 32,
    "levels": 2,
    "max_messages": 80,
}
CONFIG = {
    "arena": ARENA,
    "net": {"kind": "mlp", "hidden": [8]},
    "algorithm": {"epochs": 2, "minibatches": 2, "learning_rate": 3e-3},
    "learn": {"market_maker": {}, "momentum": {"algorithm": {"discount": 0.9}}},
    "plays": {"rival": {"pool": "market_maker"}},
    "opponents": {"every": 2, "size": 3, "share": 0.5, "draw": "prioritised"},
    "curriculum": {"start_probability": [0.0, 0.4], "intensity": [0.0, 1.0]},
    "n_envs": 8,
    "rollout_length": 5,
    "total_steps": 320,
    "checkpoint_every": 3,
    "compile": "quick",
    "evaluation": {"episodes": 20},
}
_COMPILED: dict[str, Any] = {}
_COMPILE = Program.compile


def config(**changes: Any) -> ArenaTrainConfig:
    return load_arena_config(CONFIG | changes)


def compile_once(program: Program) -> None:
    """`Program.compile`, with what was compiled for the same configuration before."""
    key = json.dumps(to_dict(program._config), default=str)
    if key not in _COMPILED:
        _COMPILE(program)
        _COMPILED[key] = program._update
    program._state = devices.split(program._now, program._config.devices) if program._update is None else program._now
    program._update = _COMPILED[key]


def program_of(made: ArenaTrainConfig) -> tuple[Cast, ArenaProgram]:
    """Who plays, and the run at its start, ready to be moved on."""
    cast = make_cast(made, make_arena(made.arena))
    program = ArenaProgram(made, cast)
    program.begin()
    compile_once(program)
    return cast, program


@cache
def three_updates() -> tuple[Cast, list[Any], list[Any]]:
    """The small run's states at the start and after each of three updates, on the host, and the reports."""
    cast, program = program_of(config())
    states, reports = [_copied(program)], []
    for _ in range(3):
        reports.append(program.update())
        states.append(_copied(program))
    return cast, states, reports


def _copied(program: ArenaProgram) -> Any:
    is_key = lambda x: jnp.issubdtype(x.dtype, jax.dtypes.prng_key)  # noqa: E731
    return jax.device_get(jax.tree.map(lambda x: jax.random.key_data(x) if is_key(x) else jnp.copy(x), program._now))
