"""The task of a snapshot trader: at every snapshot of a recorded book, buy or sell up to a few lots at market, or hold.

One categorical choice of 2 K + 1: choice k is k - K lots, so the first sells K, the middle one holds and the last buys K. Everything is
traded by taking what the book shows (`lobjax.tasks.snapshot.market`). An episode is a span of the day; it is cut off, not ended, after its
decisions (`truncated`), and ended where the account is worth nothing (`terminated`).

Reward, in basis points of the cash at the start: the change of liquidation value ("value"), or of the trade alone, its weighted
future reward ("hindsight", `lobjax.snapshot.rewards`), in basis points of the value without it. Hindsight reads snapshots that come
later: it is a target for training, never beyond the hours that training may see, and no figure in `info` but `episode_return` contains it.
As it already sums up the future, it goes with a discount of 0.
"""

from dataclasses import dataclass

import flax.struct
import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.env.spaces import MultiDiscrete
from lobjax.snapshot.account import mid2_ticks
from lobjax.snapshot.bounds import UNIT
from lobjax.tasks.snapshot.market import Sent, SnapshotState
from lobjax.wide import Wide, minus, to_float

_BPS = 10_000.0
_DAY_S = 86_400.0


class SnapshotTaskParams(flax.struct.PyTreeNode):
    """The numbers of the task on the device."""

    decisions: jax.Array  # int32
    per_tick: jax.Array  # float32, 1 / price_scale_ticks
    per_limit: jax.Array  # float32, 1 / position_limit_lots
    per_choice: jax.Array  # float32, 1 / most_lots
    per_decision: jax.Array  # float32, 1 / decisions


class SnapshotTaskState(flax.struct.PyTreeNode):
    """Where the trader stands."""

    step: jax.Array  # int32, decisions taken
    opening_value: Wide  # 10^-4 ticks x lots: the cash at the start
    opening_mid2: jax.Array  # int32
    peak: jax.Array  # float32, the highest profit so far, ticks x lots
    drawdown: jax.Array  # float32, the deepest fall from it
    peak_position: jax.Array  # int32, the largest |position|
    held: jax.Array  # int32, decisions that sent nothing


@dataclass(frozen=True)
class SnapshotTask:
    """See the module's text."""

    most_lots: int
    levels: int  # that are observed
    hindsight: bool
    name: str = "snapshot"

    @property
    def action_space(self) -> MultiDiscrete:
        """One choice: its index less `most_lots` is the signed size."""
        return MultiDiscrete((2 * self.most_lots + 1,))

    @property
    def idle(self) -> tuple[int]:
        """The choice that holds."""
        return (self.most_lots,)

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        pairs = (
            f"{side}_{what}_{k}" for what in ("lots", "gap") for side in ("bid", "ask") for k in range(self.levels)
        )
        return (
            "time_left", "time_of_day", "position", "leverage", "cash", "leftover", "spread", "mid_change", "drift", *pairs,
        )  # fmt: skip

    def begin(self, market: SnapshotState, params: SnapshotTaskParams) -> SnapshotTaskState:
        """Nothing but cash."""
        zero, none = jnp.int32(0), jnp.float32(0)
        return SnapshotTaskState(
            zero, market.value, mid2_ticks(market.bids, market.asks), peak=none, drawdown=none, peak_position=zero, held=zero
        )  # fmt: skip

    def act(
        self, state: SnapshotTaskState, market: SnapshotState, action: jax.Array, params: SnapshotTaskParams
    ) -> tuple[SnapshotTaskState, Sent]:
        """The choice as signed lots."""
        return self.send(state, action[0] - self.most_lots)

    def send(self, state: SnapshotTaskState, lots: jax.Array) -> tuple[SnapshotTaskState, Sent]:
        """Any signed size, which strategies may choose beyond the choices."""
        lots = jnp.asarray(lots, jnp.int32)
        return state.replace(step=state.step + 1, held=state.held + (lots == 0).astype(jnp.int32)), Sent(lots)

    def judge(
        self, state: SnapshotTaskState, before: SnapshotState, after: SnapshotState, params: SnapshotTaskParams
    ) -> tuple[SnapshotTaskState, jax.Array, jax.Array, jax.Array, dict[str, jax.Array]]:
        """Reward of a step, and the figures of the episode so far: of the account alone, none of them looks ahead."""
        gained = to_float(minus(after.value, before.value)) / to_float(state.opening_value)
        reward = (after.hindsight if self.hindsight else gained) * _BPS
        profit = to_float(minus(after.value, state.opening_value)) / UNIT
        peak = jnp.maximum(state.peak, profit)
        position = after.account.position
        state = state.replace(
            peak=peak,
            drawdown=jnp.maximum(state.drawdown, peak - profit),
            peak_position=jnp.maximum(state.peak_position, jnp.abs(position)),
        )
        terminated = to_float(after.value) <= 0
        truncated = ~terminated & (state.step >= params.decisions)
        return state, reward, terminated, truncated, self._metrics(state, after, profit)

    def observe(self, state: SnapshotTaskState, market: SnapshotState, params: SnapshotTaskParams) -> jax.Array:
        """The account and the clock, then the visible levels: log(1 + lots), and how far each price is from the mid (0: no level)."""
        mid2 = mid2_ticks(market.bids, market.asks)
        value, account = to_float(market.value) / UNIT, market.account
        mid = mid2.astype(jnp.float32) * 0.5
        opening = to_float(state.opening_value) / UNIT
        first = [
            1 - state.step.astype(jnp.float32) * params.per_decision,
            clock.to_seconds(market.now) / _DAY_S,
            account.position.astype(jnp.float32) * params.per_limit,
            jnp.where(value > 0, account.position.astype(jnp.float32) * mid / jnp.maximum(value, 1), 0),  # signed
            to_float(account.cash) / opening,
            market.order.astype(jnp.float32) * params.per_choice,
            _spread(market) * params.per_tick,
            (mid2 - market.last_mid2).astype(jnp.float32) * (0.5 * params.per_tick),
            (mid2 - state.opening_mid2).astype(jnp.float32) * (0.5 * params.per_tick),
        ]
        sides = jnp.stack([market.bids, market.asks])[:, : self.levels]  # [2, levels, 2]
        lots = sides[..., 1].astype(jnp.float32)
        gap = jnp.abs(2 * sides[..., 0] - mid2).astype(jnp.float32) * (0.5 * params.per_tick)
        return jnp.concatenate([jnp.stack(first), jnp.log1p(lots).reshape(-1), jnp.where(lots > 0, gap, 0).reshape(-1)])

    def _metrics(self, state: SnapshotTaskState, market: SnapshotState, profit: jax.Array) -> dict[str, jax.Array]:
        share = _BPS * UNIT / to_float(state.opening_value)
        return {
            "profit_bps": profit * share,
            "profit_ticks": profit,  # ticks x lots, position at what it would fetch, fees paid
            "fees_ticks": to_float(market.account.fees) / UNIT,
            "traded_lots": market.traded_lots.astype(jnp.float32),
            "position_lots": market.account.position.astype(jnp.float32),
            "peak_position_lots": state.peak_position.astype(jnp.float32),
            "drawdown_bps": state.drawdown * share,
            "held_share": state.held.astype(jnp.float32) / jnp.maximum(state.step, 1).astype(jnp.float32),
        }


def _spread(market: SnapshotState) -> jax.Array:
    both = (market.bids[0, 1] > 0) & (market.asks[0, 1] > 0)
    return jnp.where(both, market.asks[0, 0] - market.bids[0, 0], 0).astype(jnp.float32)
