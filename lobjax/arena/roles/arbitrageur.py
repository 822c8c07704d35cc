"""The arbitrageur: the same asset at several venues, bought where it is cheap and sold where it is dear.

`cross` sends both legs at once, each an IOC at the price seen; `lean` rests a POST_ONLY bid at the cheap venue and crosses nothing;
`unwind` closes every leg at market; `none` lets rest what rests. A leg that did not fill is the seat's own risk. Reward: the change of
wealth, after fees, less a penalty on the net position, which is not hedged.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.arena.roles.base import Ground, Made, RoleSpec, Sight, register
from lobjax.env.messages import fresh_ids, orders
from lobjax.env.spaces import MultiDiscrete
from lobjax.env.views import best_of_others, market_features, market_names, mid2_ticks
from lobjax.errors import InputError
from lobjax.kinds import Kind
from lobjax.ranges import Range, check
from lobjax.types import INT32_MAX, Message, Side

NONE, CROSS, LEAN, UNWIND = range(4)
_LOTS = Range(1, (1 << 20) - 1)


@dataclass(frozen=True, kw_only=True)
class ArbitrageurConfig:
    """What a gap must be worth, and how much a leg may hold."""

    kind: Literal["arbitrageur"] = "arbitrageur"
    profit_threshold_ticks: Annotated[float, Range(0.0, 1e6)] = 1.0  # a lot, after fees, that the rule crosses for
    order_lots: Annotated[int, _LOTS] = 2
    maximum_leg_lots: Annotated[int, _LOTS] = 10
    unhedged_penalty: Annotated[float, Range(0.0, 1e6)] = 0.05  # ticks a decision, for each lot of the net position

    def __post_init__(self) -> None:
        check(self)


class ArbitrageurParams(flax.struct.PyTreeNode):
    """The numbers on the device."""

    threshold: jax.Array  # float32, ticks
    lots: jax.Array  # int32, of an order
    leg: jax.Array  # int32, lots that a leg may hold
    penalty: jax.Array  # float32
    per_tick: jax.Array  # float32
    per_leg: jax.Array  # float32


class ArbitrageurState(flax.struct.PyTreeNode):
    """Where an arbitrageur stands."""

    step: jax.Array  # int32, decisions taken


class Gap(NamedTuple):
    """The best pair of venues to buy and to sell at; int32. `ticks`: what a lot earns by crossing, before fees."""

    buy_at: jax.Array
    sell_at: jax.Array
    ask: jax.Array
    bid: jax.Array
    ticks: jax.Array


@dataclass(frozen=True)
class Arbitrageur:
    """See the module's text."""

    venues: int
    levels: int
    name: str = "arbitrageur"
    everywhere: bool = True
    messages: int = 3
    closes: bool = True

    @property
    def action_space(self) -> MultiDiscrete:
        """none, cross, lean, unwind."""
        return MultiDiscrete((4,))

    @property
    def idle(self) -> tuple[int]:
        """None."""
        return (NONE,)

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        venues = range(self.venues)
        return (
            "gap", "net_position", *(f"leg_{v}" for v in venues), *(f"mid_gap_{v}" for v in venues),
            *(f"{name}_{v}" for v in venues for name in market_names(self.levels)),
        )  # fmt: skip

    def begin(self, sight: Sight, params: ArbitrageurParams) -> ArbitrageurState:
        """Without legs."""
        return ArbitrageurState(jnp.int32(0))

    def act(
        self, state: ArbitrageurState, sight: Sight, action: jax.Array, params: ArbitrageurParams
    ) -> tuple[ArbitrageurState, Message]:
        """Messages `[V, 3]`: what rests is taken off, unless nothing is done; then a leg."""
        what, gap, account = action[0], self.gap(sight), sight.account
        legs = sight.market.accounts.lots[:, account]
        venue = jnp.arange(self.venues, dtype=jnp.int32)
        buys, sells = venue == gap.buy_at, venue == gap.sell_at
        crosses = (what == CROSS) & (gap.buy_at != gap.sell_at) & (gap.ask > 0) & (gap.bid > 0)
        leans = (what == LEAN) & buys
        unwinds = (what == UNWIND) & (legs != 0)
        bids = jax.vmap(lambda market: best_of_others(market, account)[0])(sight.market)
        kind = jnp.where(unwinds, jnp.int32(Kind.MARKET), jnp.where(leans, Kind.POST_ONLY, Kind.IOC))
        side = jnp.where(jnp.where(unwinds, legs < 0, buys), jnp.int32(Side.BID), Side.ASK)
        price = jnp.where(leans, bids, jnp.where(buys, gap.ask, gap.bid))
        size = jnp.where(unwinds, jnp.abs(legs), jnp.where(crosses & (buys | sells) | leans, params.lots, 0))
        ids = fresh_ids(account, state.step, self.venues)

        def one(kind: jax.Array, side: jax.Array, price: jax.Array, size: jax.Array, order_id: jax.Array) -> Message:
            pull = jnp.where(what == NONE, 0, jnp.ones((2,), jnp.int32))
            sides, zero = jnp.arange(2, dtype=jnp.int32), jnp.zeros((2,), jnp.int32)
            off = orders(Kind.CANCEL_ALL, sides, zero, pull, 0, account)
            leg = orders(Kind.IOC, side, price[None], size[None], order_id, account)
            leg = leg._replace(kind=jnp.where(size[None] > 0, kind, Kind.NOOP))
            return jax.tree.map(lambda x, y: jnp.concatenate([x, y]), off, leg)

        return state.replace(step=state.step + 1), jax.vmap(one)(kind, side, price, size, ids)

    def gap(self, sight: Sight) -> Gap:
        """The dearest bid and the cheapest ask, of others."""
        bid, ask = jax.vmap(lambda market: market.depth.price_ticks[:, 0])(sight.market).T
        sell_at = jnp.argmax(bid).astype(jnp.int32)
        buy_at = jnp.argmin(jnp.where(ask > 0, ask, INT32_MAX)).astype(jnp.int32)
        ticks = jnp.where((ask[buy_at] > 0) & (bid[sell_at] > 0), bid[sell_at] - ask[buy_at], -INT32_MAX)
        return Gap(buy_at, sell_at, ask[buy_at], bid[sell_at], ticks)

    def judge(
        self, state: ArbitrageurState, before: Sight, after: Sight, gain: jax.Array, params: ArbitrageurParams
    ) -> tuple[ArbitrageurState, jax.Array, jax.Array]:
        """See the module's text; in ticks for a full leg."""
        net = jnp.sum(after.market.accounts.lots[:, after.account], dtype=jnp.int32)
        reward = (gain - params.penalty * jnp.abs(net).astype(jnp.float32)) * params.per_leg
        return state, reward, jnp.bool_(False)

    def observe(self, state: ArbitrageurState, sight: Sight, params: ArbitrageurParams) -> jax.Array:
        """The gap, the legs, where each mid stands against the first, then every market's features."""
        legs = sight.market.accounts.lots[:, sight.account].astype(jnp.float32) * params.per_leg
        mids = jax.vmap(mid2_ticks)(sight.market)
        apart = (mids - mids[0]).astype(jnp.float32) * (0.5 * params.per_tick)
        features = jax.vmap(market_features, in_axes=(0, None))(sight.market, params.per_tick)
        gap = jnp.clip(self.gap(sight).ticks, -(1 << 20), 1 << 20).astype(jnp.float32) * params.per_tick
        return jnp.concatenate([jnp.stack([gap, legs.sum()]), legs, apart, features.reshape(-1)])

    def act_mask(self, state: ArbitrageurState, sight: Sight, params: ArbitrageurParams) -> jax.Array:
        """Nothing to cross where one venue has both best prices, and nothing to unwind without a leg."""
        gap, legs = self.gap(sight), sight.market.accounts.lots[:, sight.account]
        return jnp.stack([jnp.bool_(True), gap.buy_at != gap.sell_at, jnp.bool_(True), jnp.any(legs != 0)])


def cross(role: Arbitrageur, state: ArbitrageurState, sight: Sight, params: ArbitrageurParams) -> jax.Array:
    """Cross where the gap beats the threshold and both legs have room; unwind where one leg failed; else nothing."""
    gap, legs = role.gap(sight), sight.market.accounts.lots[:, sight.account]
    worth = gap.ticks.astype(jnp.float32) > params.threshold
    room = (legs[gap.buy_at] < params.leg) & (legs[gap.sell_at] > -params.leg)
    unhedged = jnp.sum(legs, dtype=jnp.int32) != 0
    what = jnp.where(worth & room, CROSS, jnp.where(unhedged, UNWIND, NONE))
    return what[None].astype(jnp.int32)


def _make(config: ArbitrageurConfig, ground: Ground) -> Made:
    if ground.venues < 2:
        raise InputError(
            "an arbitrageur with one venue has nothing to compare; add a venue of the same asset, or drop the role"
        )
    if len(set(ground.assets)) > 1:
        raise InputError("an arbitrageur needs one asset at all venues; give every venue the same asset")
    most = config.maximum_leg_lots
    params = ArbitrageurParams(
        jnp.float32(config.profit_threshold_ticks), jnp.int32(config.order_lots), jnp.int32(most),
        jnp.float32(config.unhedged_penalty), jnp.float32(1 / ground.price_scale_ticks), jnp.float32(1 / most),
    )  # fmt: skip
    return Made(Arbitrageur(ground.venues, ground.levels), params, -most, most, 0)


register(RoleSpec(config=ArbitrageurConfig, make=_make, rules={"cross": cross}))
