"""One decision of all seats: of the policies that learn, past selves, saved agents and rules; and which past selves play an episode."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax.arena import ArenaParams, ArenaState, Group
from lobjax.arena.playing import Player
from lobjax.learn.arena import pool
from lobjax.learn.arena.acting import Decided, decide, decide_past
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.state import Constants, Local, Shared


def decide_all(
    cast: Cast, shared: Shared, constants: Constants, local: Local, own: dict[str, jax.Array], keys: jax.Array, progress: jax.Array
) -> tuple[dict[str, Any], dict[str, Any], dict[str, jax.Array], dict[str, Decided]]:  # fmt: skip
    """What all seats do: (memories, those of past selves, actions, what the groups that learn decided)."""
    carry, past_carry, actions, decided = dict(local.carry), dict(local.past_carry), {}, {}
    for at, group in enumerate(cast.arena.groups):
        name, seen = group.name, local.observation[group.name]
        mine = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, at)
        if name in cast.learners:
            brain, agent = cast.brains[name], shared.agents[name]
            one = decide(brain, agent.params, agent.statistics, progress, mine, carry[name], seen, local.reset)
            carry[name], raw, decided[name] = one.carry, one.raw, one
            if name in cast.replaced:
                parts = cast.against_past((local.drawn[name], mine, past_carry[name], seen, local.reset))
                memory, old = decide_past(brain, shared.pools[name], *parts)
                past_carry[name] = cast.put_back(past_carry[name], memory)
                raw = jnp.where(own[name][:, :, None], raw, cast.put_back(raw, old))
            actions[name] = brain.head.to_action(raw)
        elif name in cast.pooled:
            source = cast.pooled[name]
            brain, parts = cast.brains[source], (local.drawn[name], mine, past_carry[name], seen, local.reset)
            past_carry[name], raw = decide_past(brain, shared.pools[source], *parts)
            actions[name] = brain.head.to_action(raw)
        elif name in cast.saved:
            actions[name], carry[name] = _saved(cast, constants, name, mine, carry[name], seen, local.reset)
        else:
            actions[name] = by_rule(cast.rules[name], group, mine, seen, local.state, constants.arena)
    return carry, past_carry, actions, decided


def by_rule(
    rule: Player, group: Group, keys: jax.Array, seen: jax.Array, state: ArenaState, params: ArenaParams
) -> jax.Array:
    """Actions of a group [B, S, ...] by a rule, in arenas side by side."""
    return jax.vmap(lambda key, seen, state: rule(key, group, seen, state, params))(keys, seen, state)


def _saved(
    cast: Cast, constants: Constants, name: str, keys: jax.Array, carry: Any, seen: jax.Array, reset: jax.Array
) -> tuple[jax.Array, Any]:
    (brain, agent), numbers = cast.saved[name], constants.frozen[name]
    progress = jnp.float32(agent.config.progress)
    one = decide(brain, numbers["params"], numbers["statistics"], progress, keys, carry, seen, reset)
    return brain.head.to_action(one.mode if agent.deterministic else one.raw), one.carry


def draw_past(config: ArenaTrainConfig, cast: Cast, shared: Shared, keys: jax.Array) -> dict[str, jax.Array]:
    """A past self of each group that they play, for every environment."""
    if config.opponents is None:
        return {}
    each = lambda at: jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, at)  # noqa: E731
    return {
        name: pool.draw(config.opponents, shared.pools[source], each(at))
        for at, (name, source) in enumerate(cast.drawn.items())
    }
