"""The momentum trader: a target position from short to long, taken at market or by a limit order at its own side's best price.

What still rests of the order before is taken off first. Reward: the change of wealth, after fees.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.arena.roles.base import Ground, Made, RoleSpec, Sight, register
from lobjax.arena.roles.indicators import Indicators, IndicatorState
from lobjax.env.messages import fresh_ids, joined, orders
from lobjax.env.spaces import MultiDiscrete
from lobjax.env.views import best_of_others, market_features, market_names, mid2_ticks, resting_lots
from lobjax.kinds import Kind
from lobjax.ranges import Range, check
from lobjax.types import Message, Side


@dataclass(frozen=True, kw_only=True)
class MomentumConfig:
    """How far back is looked, what counts as a trend, and how much may be held."""

    kind: Literal["momentum"] = "momentum"
    lookback: Annotated[int, Range(1, 4096)] = 10  # decisions
    threshold_ticks: Annotated[float, Range(0.0, 1e6)] = 2.0  # of the change that the rule follows
    maximum_position_lots: Annotated[int, Range(1, (1 << 20) - 1)] = 10
    levels: Annotated[int, Range(1, 32)] = 2  # of the position, to either side

    def __post_init__(self) -> None:
        check(self)
        if self.levels > self.maximum_position_lots:
            raise ValueError("levels is more than maximum_position_lots; two levels would hold the same")


class MomentumParams(flax.struct.PyTreeNode):
    """The numbers on the device."""

    positions: jax.Array  # int32 [2 levels + 1], lots from short to long
    threshold: jax.Array  # float32, ticks
    per_tick: jax.Array  # float32
    per_limit: jax.Array  # float32, 1 / the maximum position


class MomentumState(flax.struct.PyTreeNode):
    """Where a momentum trader stands."""

    step: jax.Array  # int32, decisions taken
    seen: IndicatorState


@dataclass(frozen=True)
class Momentum:
    """See the module's text."""

    positions: int
    indicators: Indicators
    levels: int
    name: str = "momentum"
    everywhere: bool = False
    messages: int = 4
    closes: bool = True

    @property
    def action_space(self) -> MultiDiscrete:
        """A position from short to long, and whether it is taken at market (0) or by a limit order (1)."""
        return MultiDiscrete((self.positions, 2))

    @property
    def idle(self) -> tuple[int, int]:
        """Flat, and no hurry."""
        return self.positions // 2, 1

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        return ("position", "resting_bid", "resting_ask", *self.indicators.names, *market_names(self.levels))

    def begin(self, sight: Sight, params: MomentumParams) -> MomentumState:
        """Without a past."""
        return MomentumState(jnp.int32(0), self.indicators.begin(_mid(sight)))

    def act(
        self, state: MomentumState, sight: Sight, action: jax.Array, params: MomentumParams
    ) -> tuple[MomentumState, Message]:
        """The difference to the target, after what rests is off."""
        account, market = sight.account, sight.market
        missing = params.positions[action[0]] - market.accounts.lots[account]
        side = jnp.where(missing > 0, jnp.int32(Side.BID), Side.ASK)
        bid, ask = best_of_others(market, account)
        passive = action[1] == 1
        lots = jnp.abs(missing)[None]
        sides = jnp.arange(2, dtype=jnp.int32)
        zero = jnp.zeros((2,), jnp.int32)
        pull = jnp.stack([resting_lots(market, s, account) for s in sides])
        at = jnp.where(missing > 0, jnp.minimum(bid, ask - 1), jnp.maximum(ask, bid + 1))[None]
        sent = joined(
            orders(Kind.CANCEL_ALL, sides, zero, pull, 0, account),
            orders(Kind.MARKET, side, zero[:1], jnp.where(passive, 0, lots), 0, account),
            orders(Kind.LIMIT, side, at, jnp.where(passive, lots, 0), fresh_ids(account, state.step, 1), account),
        )
        return state.replace(step=state.step + 1), sent

    def judge(
        self, state: MomentumState, before: Sight, after: Sight, gain: jax.Array, params: MomentumParams
    ) -> tuple[MomentumState, jax.Array, jax.Array]:
        """See the module's text; in ticks for the maximum position."""
        seen = self.indicators.see(state.seen, _mid(after))
        return state.replace(seen=seen), gain * params.per_limit, jnp.bool_(False)

    def observe(self, state: MomentumState, sight: Sight, params: MomentumParams) -> jax.Array:
        """The seat's own account, indicators, then the market's features."""
        own = jnp.stack([sight.market.accounts.lots[sight.account], *_resting(sight)]).astype(jnp.float32)
        indicators = self.indicators.read(state.seen, params.per_tick)
        return jnp.concatenate([own * params.per_limit, indicators, market_features(sight.market, params.per_tick)])

    def act_mask(self, state: MomentumState, sight: Sight, params: MomentumParams) -> jax.Array:
        """Everything means something."""
        return jnp.ones((self.positions + 2,), bool)


def _mid(sight: Sight) -> jax.Array:
    return mid2_ticks(sight.market).astype(jnp.float32) * 0.5


def _resting(sight: Sight) -> list[jax.Array]:
    return [resting_lots(sight.market, jnp.int32(side), sight.account) for side in Side]


def trend(role: Momentum, state: MomentumState, sight: Sight, params: MomentumParams) -> jax.Array:
    """The sign of the change over the lookback, where it is beyond the threshold: all of the position, at market; else flat."""
    change = role.indicators.change(state.seen)
    sign = jnp.where(change > params.threshold, 1, jnp.where(change < -params.threshold, -1, 0)).astype(jnp.int32)
    half = role.positions // 2
    return jnp.stack([half + sign * half, jnp.int32(0)])


def _make(config: MomentumConfig, ground: Ground) -> Made:
    most, levels = config.maximum_position_lots, config.levels
    positions = jnp.asarray([round(most * k / levels) for k in range(-levels, levels + 1)], jnp.int32)
    params = MomentumParams(
        positions, jnp.float32(config.threshold_ticks), jnp.float32(1 / ground.price_scale_ticks), jnp.float32(1 / most)
    )
    role = Momentum(2 * levels + 1, Indicators(config.lookback), ground.levels)
    return Made(role, params, -most, most, 0)


register(RoleSpec(config=MomentumConfig, make=_make, rules={"trend": trend}))
