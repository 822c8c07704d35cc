"""From a configuration to an arena."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.arena.config import ArenaConfig, GroupConfig, VenueConfig
from lobjax.arena.environment import Arena
from lobjax.arena.events import EventsConfig, events_params
from lobjax.arena.fundamental import fundamental_params
from lobjax.arena.roles import ROLES, Ground, Made
from lobjax.arena.seats import PULL, Group, SeatNumbers
from lobjax.arena.state import ArenaParams, VenueNumbers
from lobjax.arena.wealth import MILLI, from_host
from lobjax.clock import NS, Time, from_seconds
from lobjax.errors import InputError
from lobjax.flow import Needs, make_flow
from lobjax.flow.fixed import to_rate
from lobjax.market import Fees, Limits, Market, MarketParams
from lobjax.market.safeguards import MOST_BAND, Safeguards
from lobjax.registry import entry_of
from lobjax.settings import settled
from lobjax.wide import Wide

_FAR_S = 10**9  # later than any message, and far from the end of int32
_QUIET = EventsConfig(start_probability=0.0)


@settled
def make_arena(config: ArenaConfig) -> Arena:
    """The arena that a configuration describes. InputError where its parts do not fit each other."""
    flows = [
        make_flow(venue.flow, Needs(config.capacity, config.decisions * config.step_s, 0)) for venue in config.venues
    ]
    _check_alike(config)
    made = [_made(group, config) for group in config.roles]
    groups, first = [], 1
    for group, one in zip(config.roles, made, strict=True):
        accounts = tuple(range(first, first + group.seats))
        groups.append(
            Group(name=group.name, role=one.role, accounts=accounts, venue=group.venue, informed=group.informed)
        )
        first += group.seats
    seats = first - 1
    width = max(PULL, *(one.role.messages for one in made))
    if config.max_messages < seats * width + max(config.step_messages, 1):
        raise InputError(
            f"arena.max_messages: {config.max_messages} are too few for {seats} seats of {width} messages and the flow; "
            f"set it to {seats * width + max(config.step_messages, 64)} or more"
        )
    driven = config.events is not None or any(venue.informed_per_tick_s > 0 for venue in config.venues)
    lags = max(venue.lag for venue in config.venues)
    warm_up = _warm_up(max(flow.warm_up_s for flow in flows), config.step_s)
    numbers = [_market(config, venue, flows[venue].params, made) for venue in range(len(flows))]
    params = ArenaParams(
        markets=jax.tree.map(lambda *x: jnp.stack(x), *numbers),
        venues=_venues(config),
        roles=tuple(one.params for one in made),
        seats=_seats(config),
        fundamental=_fundamental(config),
        events=events_params(config.events or _QUIET),
        step_time=from_seconds(_FAR_S if config.step_messages else config.step_s),
        warm_up=Time(*jnp.asarray([divmod(ns, NS) for ns in warm_up], jnp.int32).reshape(-1, 2).T),
        per_tick=jnp.float32(1 / config.price_scale_ticks),
    )
    market = Market(
        flow=flows[0].flow, capacity=config.capacity, accounts=seats, queue_places=seats * width, max_messages=config.max_messages,
        levels=config.levels, engine=config.engine, step_messages=config.step_messages,
    )  # fmt: skip
    return Arena(
        market=market, venues=len(config.venues), groups=tuple(groups), decisions=config.decisions, default_params=params, lags=lags,
        driven=driven, tells_events=config.tells_events, cash_only=any(group.margin == "none" for group in config.roles),
        warm_up_steps=len(warm_up),
    )  # fmt: skip


def _made(group: GroupConfig, config: ArenaConfig) -> Made:
    ground = Ground(
        venues=len(config.venues), assets=tuple(venue.asset for venue in config.venues),
        decisions=max(-(-config.decisions // group.every), 1), levels=config.levels, price_scale_ticks=config.price_scale_ticks,
    )  # fmt: skip
    try:
        return entry_of(ROLES, group.role).make(group.role, ground)
    except ValueError as error:
        raise InputError(f"arena.roles.{group.name}: {error}") from None
    except InputError as error:
        raise InputError(f"arena.roles.{group.name}: {error}") from None


def _check_alike(config: ArenaConfig) -> None:
    """Venues are one batch of markets, so their flows must have numbers of the same shapes."""
    first = config.venues[0].flow
    for at, venue in enumerate(config.venues):
        flow = venue.flow
        if flow.strategic is not None:
            raise InputError(
                f"arena.venues[{at}].flow.strategic: a trader beside the flow cannot be in an arena; leave it out"
            )
        same = len(flow.limit_per_s) == len(first.limit_per_s) and flow.size_max == first.size_max
        levels = [None if one.tactical is None else one.tactical.levels for one in (flow, first)]
        if not same or levels[0] != levels[1]:
            raise InputError(
                f"arena.venues[{at}].flow: limit_per_s, size_max and tactical.levels must be as long as those of the first venue"
            )
        price = config.venues[at].flow.best_bid_ticks
        for group in config.roles:
            if group.venue == at and group.capital < price:
                raise InputError(
                    f"arena.roles.{group.name}.capital: {group.capital:g} ticks is below the price of a lot ({price}); raise it"
                )


def _market(config: ArenaConfig, at: int, flow: object, made: list[Made]) -> MarketParams:
    """The numbers of one venue: a seat of another venue may hold nothing here."""
    venue, rows = config.venues[at], [[0] * 7]
    for group, one in zip(config.roles, made, strict=True):
        here = one.role.everywhere or group.venue == at
        low = max(one.low, 0) if group.margin == "none" and one.target >= 0 else one.low
        fees = (group.maker_fee_milliticks, group.taker_fee_milliticks)
        maker, taker = (
            own if own is not None else its
            for own, its in zip(fees, (venue.maker_fee_milliticks, venue.taker_fee_milliticks), strict=True)
        )
        bounds = (low, one.high, one.target) if here else (0, 0, 0)
        rows += [[maker, taker, group.feed_delay_ns, group.order_delay_ns, *bounds]] * group.seats
    maker, taker, feed, order, low, high, target = np.asarray(rows, np.int64).T
    return MarketParams(
        flow=flow,
        fees=Fees(*(jnp.asarray(x, jnp.int32) for x in (maker, taker))),
        feed_delay=Time(*(jnp.asarray(x, jnp.int32) for x in divmod(feed, NS))),
        order_delay=Time(*(jnp.asarray(x, jnp.int32) for x in divmod(order, NS))),
        limits=Limits(*(jnp.asarray(x, jnp.int32) for x in (low, high, target))),
        safeguards=_safeguards(config, venue),
    )


def _safeguards(config: ArenaConfig, venue: VenueConfig) -> Safeguards | None:
    """None where no venue has any: they are one batch, so beside one that has, the others have a band that nothing leaves."""
    if all(one.band_ticks is None for one in config.venues):
        return None
    return Safeguards(jnp.int32(venue.band_ticks or MOST_BAND), jnp.int32(venue.halt_decisions))


def _venues(config: ArenaConfig) -> VenueNumbers:
    def each(name: str, scale: float = 1.0) -> jax.Array:
        return jnp.asarray([round(getattr(venue, name) * scale) for venue in config.venues], jnp.int32)

    rate = [to_rate(venue.informed_per_tick_s / 2) for venue in config.venues]
    return VenueNumbers(
        each("asset"),
        each("lag"),
        jnp.asarray(rate, jnp.uint32),
        each("informed_threshold_ticks", 2),
        each("informed_cap_ticks", 2),
    )


def _seats(config: ArenaConfig) -> SeatNumbers:
    groups = [group for group in config.roles for _ in range(group.seats)]

    def wide(amounts: list[int]) -> Wide:
        return jax.tree.map(lambda *x: jnp.stack(x), *(from_host(amount) for amount in amounts))

    return SeatNumbers(
        label=jnp.arange(len(groups), dtype=jnp.int32),
        every=jnp.asarray([group.every for group in groups], jnp.int32),
        active=jnp.ones(len(groups), bool),
        capital=wide([round(group.capital) for group in groups]),
        stop_loss=wide([round(group.capital * group.risk_tolerance * 2 * MILLI) for group in groups]),
        cash_only=jnp.asarray([group.margin == "none" for group in groups], bool),
    )


def _fundamental(config: ArenaConfig):
    assets = 1 + max(venue.asset for venue in config.venues)
    opening = np.zeros(assets, np.int64)
    for venue in reversed(config.venues):  # the first venue of an asset decides
        opening[venue.asset] = 2 * venue.flow.best_bid_ticks + venue.flow.spread_ticks
    try:
        return fundamental_params(config.fundamental, opening, config.step_s)
    except ValueError as error:
        raise InputError(f"arena.fundamental: {error}") from None


def _warm_up(warm_up_s: float, step_s: float) -> list[int]:
    """Nanoseconds of each step of the warm-up."""
    total, each = round(warm_up_s * NS), round(step_s * NS)
    steps = math.ceil(total / each)
    if steps > 10_000:
        raise InputError(f"arena: a warm-up of {warm_up_s:g} s takes {steps} steps of {step_s:g} s; lengthen step_s")
    return [min(each, total - each * k) for k in range(steps)]
