"""Roles of an arena: one file each, in the registry `ROLES`."""

from lobjax.arena.roles import arbitrageur, execution, market_maker, momentum  # noqa: F401 - they register themselves
from lobjax.arena.roles.base import ROLES, Ground, Made, Role, RoleSpec, Rule, Sight, register

__all__ = ["ROLES", "Ground", "Made", "Role", "RoleSpec", "Rule", "Sight", "register"]
