"""`python -m bench arena`: steps a second of an arena under a random policy, mapped over many; one record each."""

import sys
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from bench import recording, timing
from lobjax.arena import Arena, arena_config, make_arena
from lobjax.arena.playing import decide, random_player
from lobjax.memory import must_fit
from lobjax.settings import split_to_scan

CHANGE = "run fewer at a time or with a smaller capacity"
WARM_UP_S = 4.0


@dataclass(frozen=True)
class Asked:
    """One measurement."""

    roles: dict[str, int]
    messages: int  # of the flow, in a step
    envs: int
    decisions: int  # of an episode; a call plays one of every environment
    capacity: int
    engine: str
    runs: int


def made_arena(asked: Asked) -> Arena:
    """InputError where it cannot be."""
    described = {
        "roles": asked.roles,
        "venues": [{"flow": {"kind": "poisson", "warm_up_s": WARM_UP_S}}],
        "step_messages": asked.messages,
        "decisions": asked.decisions,
        "capacity": asked.capacity,
        "engine": asked.engine,
        "max_messages": asked.messages + 64 + 16 * sum(asked.roles.values()),
    }
    return make_arena(arena_config(described, "bench arena"))


def measure(asked: Asked) -> dict[str, Any]:
    """Whole episodes: reset and its warm-up, then decisions by a uniform policy with observations, rewards and info."""
    arena = made_arena(asked)
    params, players = arena.default_params, {group.name: random_player(arena, group) for group in arena.groups}

    def episode(key: jax.Array) -> Any:
        key_reset, key_play, key_market = jax.random.split(key, 3)
        observations, state = arena.reset(key_reset, params)

        def one(carry: Any, keys: Any) -> Any:
            actions = decide(arena, players, keys[0], carry[0], carry[1], params)
            observations, state, rewards, _, _, info = arena.transition(keys[1], carry[1], actions, params)
            seen = sum(jnp.sum(x) for x in (*rewards.values(), *observations.values()))
            return (observations, state), (seen, info["late"].sum(), info["dropped"].sum())

        keys = split_to_scan(key_play, arena.decisions), split_to_scan(key_market, arena.decisions)
        (_, state), seen = jax.lax.scan(one, (observations, state), keys)
        return state.seats.gain, jax.tree.map(lambda x: x.sum(), seen)

    peak = timing.device_peak()
    made = timing.compiled(jax.vmap(episode), jax.random.split(jax.random.key(0), asked.envs))
    must_fit(made.bytes_needed, f"{asked.envs:,} arenas", change=CHANGE)
    keys = iter(jax.random.split(jax.random.key(1), 1 + (asked.runs + 1) * timing.MOST_CALLS))
    done = timing.timed(made.call, lambda: (jax.random.split(next(keys), asked.envs),), asked.runs)
    _, (seen, late, dropped) = done.result
    if not bool(jnp.isfinite(seen).all()):
        raise SystemExit("error: an arena gave observations that are not finite; run `make test`")
    _, state = jax.eval_shape(arena.reset, jax.random.key(0), params)
    return {
        "bench": "arena",
        "engine": arena.engine.engine,
        "roles": asked.roles,
        "seats": arena.seats,
        "envs": asked.envs,
        "capacity": asked.capacity,
        "messages_per_step": asked.messages,
        "decisions_per_episode": asked.decisions,
        "included": "random actions of every seat, observations, rewards, info; whole episodes, each begun by a reset and its warm-up",
        **recording.rates("steps_per_s", [asked.envs * asked.decisions / seconds for seconds in done.seconds]),
        "calls_per_run": done.calls,
        **made.record(),
        "bytes_per_env": sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)),
        **timing.memory_record(made.bytes_needed, peak),
        "not_zero": {
            name: int(count.sum()) for name, count in (("late", late), ("dropped", dropped)) if int(count.sum())
        },
    }


def say(record: dict[str, Any]) -> None:
    print(
        f"{record['engine']}: {record['envs']:,} arenas of {record['seats']} seats, {record['messages_per_step']} messages a step: "
        f"{record['steps_per_s']:,} steps/s ({record['steps_per_s_min']:,} to {record['steps_per_s_max']:,}), "
        f"compiled in {record['compile_s']} s, {record['bytes_per_env']:,} bytes each",
        file=sys.stderr,
    )
