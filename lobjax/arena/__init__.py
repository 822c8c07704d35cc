"""Arenas: seats of several roles in one book or several, with events, informed flow and a referee who is fair."""

from lobjax.arena.config import ArenaConfig, GroupConfig, VenueConfig, arena_config
from lobjax.arena.environment import Arena
from lobjax.arena.events import Event, EventsConfig
from lobjax.arena.fundamental import FundamentalConfig
from lobjax.arena.make import make_arena
from lobjax.arena.roles import ROLES
from lobjax.arena.seats import Group
from lobjax.arena.state import ArenaParams, ArenaState

__all__ = [
    "ROLES", "Arena", "ArenaConfig", "ArenaParams", "ArenaState", "Event", "EventsConfig", "FundamentalConfig", "Group", "GroupConfig",
    "VenueConfig", "arena_config", "make_arena",
]  # fmt: skip
