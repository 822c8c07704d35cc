"""Playing an arena: who decides for each group of seats, and a scan over decisions."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

from lobjax.arena.environment import Arena
from lobjax.arena.roles import ROLES
from lobjax.arena.seats import Group
from lobjax.arena.state import ArenaParams, ArenaState
from lobjax.errors import InputError, nearest
from lobjax.settings import split_to_scan

# (key, group, its observations [seats, D], state, params) -> actions [seats, ...]
Player = Callable[[jax.Array, Group, jax.Array, ArenaState, ArenaParams], jax.Array]


def rule_player(arena: Arena, group: Group, name: str | None = None) -> Player:
    """Rule-based play of a group's role; None: its baseline. InputError for a rule that the role does not have."""
    spec = ROLES[group.role.name]
    name = spec.baseline if name is None else name
    if name not in spec.rules:
        raise InputError(f"role '{group.role.name}': no rule '{name}'; {nearest(name, spec.rules)}")
    rule, at = spec.rules[name], arena.groups.index(group)

    def play(key: jax.Array, group: Group, observation: jax.Array, state: ArenaState, params: ArenaParams) -> jax.Array:
        del key, observation
        sight, axes = arena.sights(state)[at]
        return jax.vmap(lambda own, sight: rule(group.role, own, sight, params.roles[at]), in_axes=(0, axes))(
            state.roles[at], sight
        )

    return play


def random_player(arena: Arena, group: Group) -> Player:
    """Uniform over the action space."""
    del arena

    def play(key: jax.Array, group: Group, observation: jax.Array, state: ArenaState, params: ArenaParams) -> jax.Array:
        return jax.vmap(group.role.action_space.sample)(jax.random.split(key, group.seats))

    return play


def baselines(arena: Arena) -> dict[str, Player]:
    """Every group by the baseline of its role."""
    return {group.name: rule_player(arena, group) for group in arena.groups}


def decide(
    arena: Arena,
    players: Mapping[str, Player],
    key: jax.Array,
    observations: Mapping[str, jax.Array],
    state: ArenaState,
    params: ArenaParams,
) -> dict[str, jax.Array]:
    """Actions of all groups; each has a key of its own name's place, which no other player changes."""
    return {
        group.name: players[group.name](jax.random.fold_in(key, at), group, observations[group.name], state, params)
        for at, group in enumerate(arena.groups)
    }


def play_episode(
    arena: Arena, players: Mapping[str, Player], key: jax.Array, params: ArenaParams, watch: Callable[..., Any]
) -> tuple[ArenaState, ArenaState, Any]:
    """One whole episode: (state at its start, at its end, what `watch` returned for every decision).

    watch(before, actions, transition) is called with the state before a decision, the actions, and what `Arena.transition` returned.
    """
    key_reset, key_play, key_market = jax.random.split(key, 3)
    observations, state = arena.reset(key_reset, params)

    def one(carry: tuple[Any, ArenaState], keys: tuple[jax.Array, jax.Array]) -> tuple[tuple[Any, ArenaState], Any]:
        observations, state = carry
        actions = decide(arena, players, keys[0], observations, state, params)
        step = arena.transition(keys[1], state, actions, params)
        return step[:2], watch(state, actions, step)

    keys = split_to_scan(key_play, arena.decisions), split_to_scan(key_market, arena.decisions)
    (_, last), seen = jax.lax.scan(one, (observations, state), keys)
    return state, last, seen
