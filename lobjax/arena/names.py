"""Seats by name, for interfaces that speak of agents: GROUP_0, GROUP_1 and so on, and their parts of arrays by group and by seat."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

from lobjax.arena.environment import Arena
from lobjax.arena.seats import Group


def agent_names(arena: Arena) -> tuple[str, ...]:
    """All A, in order of their accounts."""
    return tuple(f"{group.name}_{seat}" for group in arena.groups for seat in range(group.seats))


def groups_by_agent(arena: Arena) -> dict[str, Group]:
    """The group that each agent is of."""
    groups = [group for group in arena.groups for _ in range(group.seats)]
    return dict(zip(agent_names(arena), groups, strict=True))


def by_agent(arena: Arena, by_group: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves `[seats, ...]` of each group as one of each agent."""
    return {
        f"{group.name}_{seat}": jax.tree.map(lambda x, seat=seat: x[seat], by_group[group.name])
        for group in arena.groups
        for seat in range(group.seats)
    }


def by_group(arena: Arena, by_agent: Mapping[str, Any], stack: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """The way back."""
    return {
        group.name: stack([by_agent[f"{group.name}_{seat}"] for seat in range(group.seats)]) for group in arena.groups
    }
