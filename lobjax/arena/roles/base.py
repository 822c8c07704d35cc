"""What a role is: how a seat reads an action, what it is rewarded for and what it sees. Written for one seat; an arena vmaps it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import jax

from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.errors import InputError
from lobjax.market import MarketState
from lobjax.registry import Registry, kind_of
from lobjax.types import Message


class Sight(NamedTuple):
    """Where a seat stands: its account, and the market of its venue, or `[V]` of all venues for a role that trades everywhere."""

    account: jax.Array  # int32
    market: MarketState
    left: jax.Array  # int32, decisions of the arena that are left


class Role(Protocol):
    """A role. Static: sizes; every number is in `params`, a pytree that all seats of a group share. All methods are pure."""

    @property
    def name(self) -> str:
        """As the `kind` of its configuration."""
        ...

    @property
    def everywhere(self) -> bool:
        """Whether it trades at all venues: then its messages are `[V, K]`, else `[K]`."""
        ...

    @property
    def messages(self) -> int:
        """K, the most messages of one decision to one venue."""
        ...

    @property
    def closes(self) -> bool:
        """Whether the venue closes its position as the episode ends, which is then its end (terminated); else it is cut (truncated)."""
        ...

    @property
    def action_space(self) -> Simplex | MultiDiscrete: ...

    @property
    def idle(self) -> int | tuple[int, ...]:
        """The action that does nothing, as `lobjax.env.Task`."""
        ...

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each of the D entries of an observation; the arena adds what all seats see."""
        ...

    def begin(self, sight: Sight, params: Any) -> Any:
        """A seat's state at the start of an episode."""
        ...

    def act(self, state: Any, sight: Sight, action: jax.Array, params: Any) -> tuple[Any, Message]:
        """Decode an action into messages."""
        ...

    def judge(
        self, state: Any, before: Sight, after: Sight, gain: jax.Array, params: Any
    ) -> tuple[Any, jax.Array, jax.Array]:
        """Look back on a step: (state, reward float32, whether the seat has done what it came for). gain: float32, change of wealth in
        ticks x lots, after fees, inventory at mid."""
        ...

    def observe(self, state: Any, sight: Sight, params: Any) -> jax.Array:
        """float32 `[D]`."""
        ...

    def act_mask(self, state: Any, sight: Sight, params: Any) -> jax.Array:
        """Which choices mean something now, bool: of a `MultiDiscrete` its dimensions one after the other, of a `Simplex` its parts."""
        ...


Rule = Callable[[Any, Any, Sight, Any], jax.Array]  # (role, state, sight, params) -> action


class Made(NamedTuple):
    """A role with its numbers, and what its account may hold at a venue."""

    role: Role
    params: Any
    low: int
    high: int
    target: int  # what the venue closes the position to


class Ground(NamedTuple):
    """What a role needs to know of the arena that it sits in."""

    venues: int
    assets: tuple[int, ...]  # of each venue
    decisions: int  # that a seat of the group takes: of the arena, divided by its clock
    levels: int  # of the depth snapshot
    price_scale_ticks: float


@dataclass(frozen=True, kw_only=True)
class RoleSpec:
    """A role. `make(config, ground)` raises ValueError or InputError where the numbers do not fit."""

    config: type  # a frozen dataclass with `kind`
    make: Callable[[Any, Ground], Made]
    rules: Mapping[str, Rule] = field(default_factory=dict)  # rule-based play by name; the first is the baseline

    @property
    def baseline(self) -> str:
        """The rule that plays where none is named."""
        return next(iter(self.rules))


ROLES: Registry[RoleSpec] = Registry("role")


def register(spec: RoleSpec) -> RoleSpec:
    """Make a role known by the kind of its configuration; InputError where the name is taken or there is no rule to play by."""
    name = kind_of(spec.config)
    if not spec.rules:
        raise InputError(f"role '{name}': no rules; give at least one, which is its baseline")
    return ROLES.add(name, spec)
