"""What an arena is made from: venues, groups of seats, the fundamental value and events, each a strict configuration.

In YAML, `roles` is a mapping from a group's name to how many seats it has, or to its numbers: those of its seats and those of its role in
one mapping. A group whose name is not that of a role says which one it plays by `role`.

    roles: {market_maker: 2, slow_momentum: {role: momentum, seats: 1, every: 4, lookback: 40}}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from lobjax.arena.events import EventsConfig
from lobjax.arena.fundamental import MOST_ASSETS, FundamentalConfig
from lobjax.arena.roles import ROLES
from lobjax.clock import NS
from lobjax.config import build
from lobjax.errors import InputError, nearest
from lobjax.flow import PoissonConfig
from lobjax.market.safeguards import MOST_BAND
from lobjax.ranges import Length, Range, check, shown
from lobjax.registry import OneOf

MOST_SEATS, MOST_VENUES = 64, 8
_DELAY_NS = Range(0, 3600 * NS)
_FEE = Annotated[int, Range(-1_000_000, 1_000_000)]


@dataclass(frozen=True, kw_only=True)
class GroupConfig:
    """Seats of one role that share its numbers."""

    name: str
    role: Annotated[Any, OneOf(ROLES)]
    seats: Annotated[int, Range(1, MOST_SEATS)] = 1
    venue: Annotated[int, Range(0, MOST_VENUES - 1)] = 0  # of a role that trades at one
    capital: Annotated[float, Range(0.0, 1e12)] = 100_000.0  # ticks x lots
    risk_tolerance: Annotated[float, Range(0.0, 1.0)] = (
        1.0  # share of the capital that may be lost before the venue closes the seat
    )
    margin: Literal["full", "none"] = "full"  # none: cash may not go below zero, and nothing is sold short
    every: Annotated[int, Range(1, 1 << 20)] = 1  # a seat decides at every so many decisions
    feed_delay_ns: Annotated[int, _DELAY_NS] = 0
    order_delay_ns: Annotated[int, _DELAY_NS] = 0
    maker_fee_milliticks: _FEE | None = None  # None: the venue's
    taker_fee_milliticks: _FEE | None = None
    informed: bool = False  # sees the fundamental value

    def __post_init__(self) -> None:
        check(self)
        if not self.name.isidentifier():
            raise ValueError(f"{shown(self.name)} is no name for a group; use letters, digits and underscores")


@dataclass(frozen=True, kw_only=True)
class VenueConfig:
    """A market: its background flow, fees, the asset it lists, and how informed its flow is."""

    flow: PoissonConfig = field(default_factory=PoissonConfig)
    asset: Annotated[int, Range(0, MOST_ASSETS - 1)] = 0
    maker_fee_milliticks: _FEE = 0
    taker_fee_milliticks: _FEE = 0
    informed_per_tick_s: Annotated[float, Range(0.0, 8.0)] = (
        0.0  # informed market orders a second, for each tick of the gap
    )
    informed_threshold_ticks: Annotated[float, Range(0.0, 1e5)] = 1.0
    informed_cap_ticks: Annotated[float, Range(0.0, 1e5)] = 10.0
    lag: Annotated[int, Range(0, 256)] = 0  # decisions by which its informed traders know the value late
    # Safeguards: prices this far from the reference at most, and a halt of so many decisions when the mid has come there.
    band_ticks: Annotated[int, Range(1, MOST_BAND)] | None = None
    halt_decisions: Annotated[int, Range(1, 1 << 20)] = 5

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ArenaConfig:
    """One arena."""

    roles: tuple[GroupConfig, ...]
    venues: Annotated[tuple[VenueConfig, ...], Length(1, MOST_VENUES)] = (VenueConfig(),)
    fundamental: FundamentalConfig = field(default_factory=FundamentalConfig)
    events: EventsConfig | None = None
    tells_events: bool = False  # whether seats see what is going on
    decisions: Annotated[int, Range(1, (1 << 20) - 1)] = 100
    step_s: Annotated[float, Range(1e-3, 86_400.0)] = 1.0
    # If not 0, a step of the one venue lasts instead until so many messages of the flow have come.
    step_messages: Annotated[int, Range(0, 1 << 19)] = 0
    capacity: Annotated[int, Range(8, 512)] = 128  # orders a side
    max_messages: Annotated[int, Range(1, 1 << 20)] = 256  # of one step at one venue
    levels: Annotated[int, Range(1, 64)] = 5  # of the depth in observations
    price_scale_ticks: Annotated[float, Range(1e-3, 1e6)] = 5.0  # the unit of prices in observations
    engine: Literal["auto", "kernel", "host", "xla"] = "auto"

    def __post_init__(self) -> None:
        check(self)
        if not self.roles:
            raise ValueError("roles: no seats; name at least one role")
        names = [group.name for group in self.roles]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"roles: '{twice}' is there twice; give each group a name of its own")
        if (total := sum(group.seats for group in self.roles)) > MOST_SEATS:
            raise ValueError(f"roles: {total} seats are more than {MOST_SEATS}; drop some")
        if self.capacity not in (8, 16, 32, 64, 128, 256, 512):
            raise ValueError(f"capacity {self.capacity} must be a power of two from 8 to 512")
        for group in self.roles:
            if group.venue >= len(self.venues):
                raise ValueError(
                    f"roles.{group.name}.venue: {group.venue}, but there are {len(self.venues)} venues, from 0 on"
                )
            delay_s = (group.feed_delay_ns + group.order_delay_ns) * 1e-9
            if delay_s >= self.step_s:
                raise ValueError(
                    f"roles.{group.name}: feed and order delay together ({delay_s:g} s) must be shorter than a decision "
                    f"({self.step_s:g} s); lengthen step_s"
                )
        if self.step_messages and len(self.venues) > 1:
            raise ValueError(
                "step_messages counts the messages of one venue, and venues share one clock; set it to 0, or drop venues"
            )
        if self.step_messages and any(group.feed_delay_ns + group.order_delay_ns for group in self.roles):
            raise ValueError(
                "steps counted in messages may be shorter than any delay; set the delays to 0, or step_messages to 0"
            )
        assets = {venue.asset for venue in self.venues}
        if assets != set(range(len(assets))):
            raise ValueError(f"venues: assets {sorted(assets)} have a gap; number them from 0 on")


def arena_config(data: Any, where: str = "config") -> ArenaConfig:
    """The configuration that a mapping describes; InputError where it does not."""
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: expected a mapping, found {type(data).__name__} {shown(data)}")
    roles = data.get("roles", {})
    if isinstance(roles, (list, tuple)):  # as `to_dict` writes them
        return build(ArenaConfig, dict(data), where)
    if not isinstance(roles, Mapping):
        raise InputError(
            f"{where}.roles: expected a mapping of roles to seats, found {type(roles).__name__} {shown(roles)}"
        )
    groups = [_group(name, said, f"{where}.roles") for name, said in roles.items()]
    return build(ArenaConfig, {**data, "roles": groups}, where)


def _group(name: Any, said: Any, where: str) -> dict[str, Any]:
    """A group as `build` takes it: the role's own keys in a mapping of their own."""
    numbers = dict(said) if isinstance(said, Mapping) else {"seats": said}
    role = numbers.pop("role", name)
    if not isinstance(role, str) or role not in ROLES:
        raise InputError(f"{where}: no role {shown(str(role))}; {nearest(str(role), ROLES)}")
    own = [f.name for f in fields(GroupConfig) if f.name not in ("name", "role")]
    of_role = [f.name for f in fields(ROLES[role].config) if f.name != "kind"]
    for key in numbers:
        if key not in own and key not in of_role:
            raise InputError(f"{where}.{name}: unknown key {shown(str(key))}; {nearest(str(key), [*own, *of_role])}")
    its = {key: value for key, value in numbers.items() if key in of_role}
    return {
        "name": str(name),
        "role": {"kind": role, **its},
        **{key: value for key, value in numbers.items() if key in own},
    }
