"""Who may play each group of seats: rules of its role, saved agents, nothing at all, or anything; and every mixture of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import comb, prod
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.arena import ROLES, Arena, ArenaParams, ArenaState, Group
from lobjax.arena.playing import Player as Stateless
from lobjax.arena.playing import random_player, rule_player
from lobjax.env.spaces import Simplex
from lobjax.errors import InputError, nearest
from lobjax.policy import LoadedPolicy, load_policy

IDLE, RANDOM = "idle", "random"
MOST_PROFILES = 512


class Member(Protocol):
    """A player of a group's seats, all of them at once. Pure."""

    def begin(self, seats: int) -> Any:
        """What it carries into the first decision."""
        ...

    def act(
        self,
        key: jax.Array,
        carry: Any,
        observation: jax.Array,
        first: jax.Array,
        state: ArenaState,
        params: ArenaParams,
    ) -> tuple[Any, jax.Array]:
        """What it carries on, and actions `[seats, ...]` for observations f32`[seats, D]`; `first`: whether the episode begins."""
        ...


@dataclass(frozen=True)
class Rule:
    """One that keeps nothing in mind."""

    group: Group
    play: Stateless

    def begin(self, seats: int) -> Any:
        return ()

    def act(
        self,
        key: jax.Array,
        carry: Any,
        observation: jax.Array,
        first: jax.Array,
        state: ArenaState,
        params: ArenaParams,
    ) -> tuple[Any, jax.Array]:
        return carry, self.play(key, self.group, observation, state, params)


@dataclass(frozen=True)
class Agent:
    """A saved one, whose seats share its parameters."""

    policy: LoadedPolicy

    def begin(self, seats: int) -> Any:
        return self.policy.initial_carry(seats)

    def act(
        self,
        key: jax.Array,
        carry: Any,
        observation: jax.Array,
        first: jax.Array,
        state: ArenaState,
        params: ArenaParams,
    ) -> tuple[Any, jax.Array]:
        return self.policy.act(key, carry, observation, jnp.broadcast_to(first, observation.shape[:1]))


@dataclass(frozen=True)
class Cast:
    """Players of every group by name, the first of each its default."""

    arena: Arena
    members: Mapping[str, Mapping[str, Member]]

    def names(self, group: Group) -> list[str]:
        """Of a group's players."""
        return list(self.members[group.name])


@dataclass(frozen=True)
class Profile:
    """Who sits where: of every seat, the place of its player among its group's."""

    choice: tuple[int, ...]  # [A]
    pure: tuple[int, ...] | None  # of every group, where all its seats play alike

    def seats_of(self, group: Group, member: int) -> list[int]:
        """The accounts, less 1, of the seats that a player of a group has."""
        return [account - 1 for account in group.accounts if self.choice[account - 1] == member]

    def title(self, cast: Cast) -> str:
        """In words: 'market_maker: 1 symmetric, 1 skewed; ...'; groups with one player are left out."""
        parts = []
        for group in cast.arena.groups:
            names = cast.names(group)
            if len(names) > 1:
                seated = [(len(self.seats_of(group, at)), name) for at, name in enumerate(names)]
                parts.append(f"{group.name}: " + ", ".join(f"{count} {name}" for count, name in seated if count))
        return "; ".join(parts) or "all by the only player there is"


def cast_of(arena: Arena, said: Sequence[str] = ()) -> Cast:
    """Players as `GROUP=NAME,NAME` says; a group that is not named plays every rule of its role.

    A name is a rule's, `idle`, `random`, or the folder of a saved agent. InputError for what is none of them.
    """
    asked: dict[str, list[str]] = {}
    known = [group.name for group in arena.groups]
    for text in said:
        name, equals, names = text.partition("=")
        if not equals or name in asked or not all(names.split(",")):
            raise InputError(f"--play {text}: expected GROUP=NAME,NAME, each group once")
        if name not in known:
            raise InputError(f"--play {text}: no group '{name}'; {nearest(name, known)}")
        asked[name] = names.split(",")
        if len(set(asked[name])) < len(asked[name]):
            raise InputError(f"--play {text}: a player is there twice; name each once")
    members = {
        group.name: {name: _member(arena, group, name) for name in asked.get(group.name, ROLES[group.role.name].rules)}
        for group in arena.groups
    }
    count = prod(comb(group.seats + len(members[group.name]) - 1, group.seats) for group in arena.groups)
    if count > MOST_PROFILES:
        raise InputError(
            f"--play: {count} mixtures are more than {MOST_PROFILES}; name fewer players, or take fewer seats"
        )
    return Cast(arena, members)


def profiles(cast: Cast) -> list[Profile]:
    """Every mixture: of each group every way to share its seats among its players (which seat has which does not count)."""

    def shared(group: Group) -> Iterator[tuple[int, ...]]:
        yield from combinations_with_replacement(range(len(cast.members[group.name])), group.seats)

    found = []
    for each in product(*(shared(group) for group in cast.arena.groups)):
        pure = tuple(seats[0] for seats in each) if all(len(set(seats)) == 1 for seats in each) else None
        found.append(Profile(tuple(np.concatenate(each).tolist()), pure))
    return found


def _member(arena: Arena, group: Group, name: str) -> Member:
    rules = ROLES[group.role.name].rules
    if name in rules:
        return Rule(group, rule_player(arena, group, name))
    if name == RANDOM:
        return Rule(group, random_player(arena, group))
    if name == IDLE:
        return Rule(group, _idle(group))
    if not Path(name).is_dir():
        raise InputError(
            f"--play {group.name}: no rule and no folder of an agent '{name}'; {nearest(name, [*rules, IDLE, RANDOM])}"
        )
    policy, sees = load_policy(name), len(arena.observation_names(group))
    config = policy.config
    if (config.observation_size, config.space) != (sees, group.role.action_space):
        raise InputError(
            f"{name}: this agent reads {config.observation_size} numbers and acts in {config.space}, '{group.name}' gives {sees} and "
            f"wants {group.role.action_space}; take the arena that it was trained in"
        )
    return Agent(policy)


def _idle(group: Group) -> Stateless:
    """The action that does nothing."""
    role = group.role
    one = jnp.asarray(role.idle, jnp.int32)
    if isinstance(role.action_space, Simplex):
        one = jnp.zeros((role.action_space.n,), jnp.float32).at[role.idle].set(1.0)

    def play(key: jax.Array, group: Group, observation: jax.Array, state: ArenaState, params: ArenaParams) -> jax.Array:
        return jnp.broadcast_to(one, (group.seats, *one.shape))

    return play
