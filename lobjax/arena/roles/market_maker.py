"""The market maker: two quotes, at chosen ticks behind the best price of each side and in a chosen size, or none.

A quote that stands at its price keeps its place in the queue and is topped up; one that stands elsewhere is taken off and a POST_ONLY
order put in its stead. Quotes are never closer than `minimum_spread_ticks`. Reward: the change of wealth, after fees, less a penalty on
squared inventory beyond its target.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.arena.roles.base import Ground, Made, RoleSpec, Sight, register
from lobjax.book import best_prices, volume_at
from lobjax.env.messages import fresh_ids, joined, orders
from lobjax.env.spaces import MultiDiscrete
from lobjax.env.views import best_of_others, market_features, market_names, queue_ahead
from lobjax.kinds import Kind
from lobjax.ranges import Length, Range, check
from lobjax.types import Message, Side

_LOTS = Range(1, (1 << 20) - 1)


@dataclass(frozen=True, kw_only=True)
class MarketMakerConfig:
    """Where and how much may be quoted, and what inventory costs."""

    kind: Literal["market_maker"] = "market_maker"
    offsets_ticks: Annotated[tuple[Annotated[int, Range(-1024, 1024)], ...], Length(1, 32)] = (-1, 0, 1, 2, 3)
    sizes_lots: Annotated[tuple[Annotated[int, _LOTS], ...], Length(1, 16)] = (2, 5)
    maximum_inventory_lots: Annotated[int, _LOTS] = 20
    target_inventory_lots: Annotated[int, Range(-(1 << 20), 1 << 20)] = 0
    minimum_spread_ticks: Annotated[int, Range(1, 1 << 20)] = 1
    inventory_penalty: Annotated[float, Range(0.0, 1e6)] = 0.01  # ticks x lots a decision, for each squared lot

    def __post_init__(self) -> None:
        check(self)
        if abs(self.target_inventory_lots) > self.maximum_inventory_lots:
            raise ValueError("target_inventory_lots is beyond maximum_inventory_lots; bring it inside")


class MarketMakerParams(flax.struct.PyTreeNode):
    """The numbers on the device."""

    offsets: jax.Array  # int32 [K]
    sizes: jax.Array  # int32 [S]
    target: jax.Array  # int32
    minimum_spread: jax.Array  # int32
    penalty: jax.Array  # float32
    per_tick: jax.Array  # float32
    per_quote: jax.Array  # float32, 1 / the largest size
    per_limit: jax.Array  # float32, 1 / maximum inventory


class MarketMakerState(flax.struct.PyTreeNode):
    """Where a market maker stands."""

    step: jax.Array  # int32, decisions taken
    working: jax.Array  # int32 [2], prices at which own quotes may be resting, by side; 0 for none


@dataclass(frozen=True)
class MarketMaker:
    """See the module's text."""

    offsets: int  # K; choice K is not to quote
    sizes: int
    levels: int
    name: str = "market_maker"
    everywhere: bool = False
    messages: int = 4
    closes: bool = True

    @property
    def action_space(self) -> MultiDiscrete:
        """An offset of the bid and of the ask (the last of each: no quote), and a size."""
        return MultiDiscrete((self.offsets + 1, self.offsets + 1, self.sizes))

    @property
    def idle(self) -> tuple[int, int, int]:
        """No quotes."""
        return self.offsets, self.offsets, 0

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        return (
            "inventory", "own_bid_lots", "own_ask_lots", "own_bid_gap", "own_ask_gap", "own_bid_ahead", "own_ask_ahead",
            *market_names(self.levels),
        )  # fmt: skip

    def begin(self, sight: Sight, params: MarketMakerParams) -> MarketMakerState:
        """Without quotes."""
        return MarketMakerState(jnp.int32(0), jnp.zeros((2,), jnp.int32))

    def act(
        self, state: MarketMakerState, sight: Sight, action: jax.Array, params: MarketMakerParams
    ) -> tuple[MarketMakerState, Message]:
        """Choices to quotes."""
        account = sight.account
        quoted = action[:2] < self.offsets
        prices = self._prices(sight, params.offsets[jnp.minimum(action[:2], self.offsets - 1)], params)
        wanted = jnp.where(quoted, prices, 0)
        stay = wanted == state.working
        standing = _standing(sight, state)
        size = jnp.where(wanted > 0, params.sizes[action[2]], 0)
        sides = jnp.arange(2, dtype=jnp.int32)
        off = jnp.where(stay, jnp.maximum(standing - size, 0), standing)
        more = jnp.where(stay, jnp.maximum(size - standing, 0), size)
        sent = joined(
            orders(Kind.REDUCE, sides, state.working, off, 0, account),
            orders(Kind.POST_ONLY, sides, wanted, more, fresh_ids(account, state.step, 2), account),
        )
        return state.replace(step=state.step + 1, working=wanted), sent

    def judge(
        self, state: MarketMakerState, before: Sight, after: Sight, gain: jax.Array, params: MarketMakerParams
    ) -> tuple[MarketMakerState, jax.Array, jax.Array]:
        """See the module's text; in ticks for the largest quote."""
        away = (after.market.accounts.lots[after.account] - params.target).astype(jnp.float32)
        return state, (gain - params.penalty * away * away) * params.per_quote, jnp.bool_(False)

    def observe(self, state: MarketMakerState, sight: Sight, params: MarketMakerParams) -> jax.Array:
        """The seat's own account, then the market's features."""
        market, account = sight.market, sight.account
        best, standing = jnp.stack(best_prices(market.book)), _standing(sight, state)
        gap = jnp.where(standing > 0, jnp.abs(best - state.working).astype(jnp.float32), -1.0) * params.per_tick
        ahead = jnp.stack([queue_ahead(market, jnp.int32(s), state.working[s : s + 1], account)[0] for s in Side])
        held = (market.accounts.lots[account] - params.target).astype(jnp.float32) * params.per_limit
        own = standing.astype(jnp.float32) * params.per_quote
        features = market_features(market, params.per_tick)
        return jnp.concatenate([held[None], own, gap, jnp.log1p(ahead.astype(jnp.float32)), features])

    def act_mask(self, state: MarketMakerState, sight: Sight, params: MarketMakerParams) -> jax.Array:
        """Everything means something."""
        return jnp.ones((sum(self.action_space.nvec),), bool)

    def _prices(self, sight: Sight, offset: jax.Array, params: MarketMakerParams) -> jax.Array:
        """Prices int32 `[2]` behind others' best ones, never through the other side's best, at least the minimum spread apart."""
        bid, ask = best_of_others(sight.market, sight.account)
        low = jnp.maximum(jnp.minimum(bid - offset[0], ask - 1), 1)
        high = jnp.maximum(jnp.maximum(ask + offset[1], bid + 1), 2)
        short = jnp.maximum(params.minimum_spread - (high - low), 0)
        low = jnp.maximum(low - short // 2, 1)
        return jnp.stack([low, jnp.maximum(high, low + params.minimum_spread)])


def _standing(sight: Sight, state: MarketMakerState) -> jax.Array:
    """Own lots int32 `[2]` that rest at the working prices."""
    each = [volume_at(sight.market.book, s, state.working[s : s + 1], sight.account)[0] for s in Side]
    return jnp.stack(each)


def symmetric(role: MarketMaker, state: MarketMakerState, sight: Sight, params: MarketMakerParams) -> jax.Array:
    """One tick behind the best on both sides (the offset nearest to that), in the smallest size; on the side that brings inventory home
    alone where the position is half the limit or more."""
    choice = jnp.argmin(jnp.abs(params.offsets - 1)).astype(jnp.int32)
    return _leaning(role, sight, params, jnp.stack([choice, choice]))


def skewed(role: MarketMaker, state: MarketMakerState, sight: Sight, params: MarketMakerParams) -> jax.Array:
    """Quotes around a price that moves against inventory: at the best when flat, two spreads further out and in at the limit; the nearest
    of the role's offsets."""
    held = (sight.market.accounts.lots[sight.account] - params.target).astype(jnp.float32) * params.per_limit
    bid, ask = best_of_others(sight.market, sight.account)
    skew = held * jnp.maximum((ask - bid).astype(jnp.float32), 1.0) * 2.0
    wanted = jnp.stack([skew, -skew])  # ticks behind the best
    nearest = jnp.argmin(jnp.abs(params.offsets[None].astype(jnp.float32) - wanted[:, None]), axis=1)
    return _leaning(role, sight, params, nearest.astype(jnp.int32))


def _leaning(role: MarketMaker, sight: Sight, params: MarketMakerParams, choices: jax.Array) -> jax.Array:
    held = (sight.market.accounts.lots[sight.account] - params.target).astype(jnp.float32) * params.per_limit
    out = jnp.stack([held > 0.5, held < -0.5])
    return jnp.append(jnp.where(out, role.offsets, choices), 0).astype(jnp.int32)


def _make(config: MarketMakerConfig, ground: Ground) -> Made:
    most = config.maximum_inventory_lots
    params = MarketMakerParams(
        jnp.asarray(config.offsets_ticks, jnp.int32), jnp.asarray(config.sizes_lots, jnp.int32),
        jnp.int32(config.target_inventory_lots), jnp.int32(config.minimum_spread_ticks), jnp.float32(config.inventory_penalty),
        jnp.float32(1 / ground.price_scale_ticks), jnp.float32(1 / max(config.sizes_lots)), jnp.float32(1 / most),
    )  # fmt: skip
    role = MarketMaker(len(config.offsets_ticks), len(config.sizes_lots), ground.levels)
    return Made(role, params, -most, most, config.target_inventory_lots)


register(RoleSpec(config=MarketMakerConfig, make=_make, rules={"symmetric": symmetric, "skewed": skewed}))
