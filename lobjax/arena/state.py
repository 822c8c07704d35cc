"""The numbers of an arena and everything that moves in it."""

from typing import Any

import flax.struct
import jax

from lobjax.arena.events import EventsParams, EventState
from lobjax.arena.fundamental import Fundamental, FundamentalParams
from lobjax.arena.seats import SeatNumbers, SeatState
from lobjax.clock import Time
from lobjax.market import MarketParams, MarketState


class VenueNumbers(flax.struct.PyTreeNode):
    """What venues of informed flow differ in, `[V]` each."""

    asset: jax.Array  # int32
    lag: jax.Array  # int32, decisions by which its informed traders know the value late
    rate: jax.Array  # uint32, of informed orders for each half tick, 2^-18 per second
    threshold2: jax.Array  # int32, half ticks
    cap2: jax.Array  # int32, half ticks


class ArenaParams(flax.struct.PyTreeNode):
    """Every number of an arena; leaves may be swept with `vmap`."""

    markets: MarketParams  # [V]
    venues: VenueNumbers
    roles: tuple[Any, ...]  # of each group
    seats: SeatNumbers
    fundamental: FundamentalParams
    events: EventsParams
    step_time: Time
    warm_up: Time  # [warm_up_steps]
    per_tick: jax.Array  # float32, of observations


class ArenaState(flax.struct.PyTreeNode):
    """Everything that moves in an arena."""

    markets: MarketState  # [V]
    roles: tuple[Any, ...]  # of each group, [seats, ...]
    seats: SeatState
    event: EventState
    fundamental: Fundamental
    step: jax.Array  # int32, decisions taken
