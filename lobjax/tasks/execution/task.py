"""The task of optimal execution: sell (or buy) a parent order by a deadline, at a better price than at arrival.

At every decision the action, a point of the simplex, says which share of what is left goes to a market order, which rests at each of
the working levels, and which waits. Orders that already rest where lots are wanted keep their place in the queue; the rest are taken
off, newest first. At the deadline the venue sells what is left at market, and orders that still rest are void. Reward: for every lot,
what it fetched beyond the best opposite price at arrival, less fees, in ticks per lot of the parent order
(Cheridito and Weiss, arXiv 2507.06345, section 3).
"""

from dataclasses import dataclass
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import volume_at
from lobjax.env.measures import AGENT
from lobjax.env.messages import fresh_ids, joined, orders
from lobjax.env.spaces import Simplex
from lobjax.env.views import (
    best_of_others,
    lots_in_flight,
    market_features,
    market_names,
    mid2_ticks,
    queue_ahead,
    resting_lots,
)  # fmt: skip
from lobjax.kinds import Kind
from lobjax.market import MarketState, Orders
from lobjax.tasks.execution.paper import PaperParams, PaperView, Standing
from lobjax.types import INT32_MAX, Message, Side
from lobjax.wide import minus, plus, product, to_float


class ExecutionParams(flax.struct.PyTreeNode):
    """The numbers of the task on the device."""

    lots: jax.Array  # int32
    decisions: jax.Array  # int32
    offsets: jax.Array  # int32 [L]
    per_tick: jax.Array  # float32, 1 / price_scale_ticks
    per_lot: jax.Array  # float32, 1 / lots
    per_decision: jax.Array  # float32, 1 / decisions
    paper: PaperParams | None = None  # of the paper's observation


class ExecutionState(flax.struct.PyTreeNode):
    """Where an execution stands."""

    step: jax.Array  # int32, decisions taken
    arrival_mid2: jax.Array  # int32, twice the mid at arrival
    arrival_price: jax.Array  # int32, the best opposite price at arrival: what a first lot would have fetched at once
    working: jax.Array  # int32 [L], prices at which own orders may be resting
    liquidated: jax.Array  # int32, lots sold by the venue at the deadline


@dataclass(frozen=True)
class ExecutionTask:
    """See the module's text. `side` is the side of the agent's own orders: an ask sells."""

    side: Side
    levels: int  # L working levels
    from_opposite: bool
    depth_levels: int
    paper: PaperView | None = None  # None: this package's own observation
    name: str = "execution"
    account: int | jax.Array = AGENT

    @property
    def action_space(self) -> Simplex:
        """Shares of (market order, level 1..L, wait)."""
        return Simplex(self.levels + 2)

    @property
    def idle(self) -> int:
        """The part that waits."""
        return self.levels + 1

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        if self.paper is not None:
            return self.paper.names
        levels = range(1, self.levels + 1)
        return (
            "time_left", "lots_left", "drift", "own_unplaced", "own_elsewhere",
            *(f"own_lots_{k}" for k in levels), *(f"own_ahead_{k}" for k in levels), *(f"level_lots_{k}" for k in levels),
            *market_names(self.depth_levels),
        )  # fmt: skip

    def begin(self, market: MarketState, params: ExecutionParams) -> ExecutionState:
        """The order arrives."""
        return ExecutionState(
            step=jnp.int32(0),
            arrival_mid2=mid2_ticks(market),
            arrival_price=self._reference(market, opposite=True),
            working=jnp.zeros((self.levels,), jnp.int32),
            liquidated=jnp.int32(0),
        )

    def act(
        self, state: ExecutionState, market: MarketState, action: jax.Array, params: ExecutionParams
    ) -> tuple[ExecutionState, Orders]:
        """Shares to orders: reductions where too much rests, a market order, new orders where too little does."""
        left = self.left(market, params) - lots_in_flight(market, self.account)
        wanted = self._allocate(jnp.asarray(action, jnp.float32), left)
        prices = self.level_prices(market, params)
        side = jnp.int32(self.side)
        own_now = volume_at(market.book, self.side, state.working, self.account)
        keep = jnp.sum(
            jnp.where(state.working[:, None] == prices[None], wanted[None, 1:-1], 0), axis=1, dtype=jnp.int32
        )
        own_there = volume_at(market.book, self.side, prices, self.account)
        ids = fresh_ids(self.account, state.step, self.levels)
        at_market = jnp.zeros((1,), jnp.int32)
        sent = joined(
            orders(Kind.REDUCE, side, state.working, own_now - keep, 0, self.account),
            orders(Kind.MARKET, side, at_market, wanted[:1], 0, self.account),
            orders(Kind.LIMIT, side, prices, wanted[1:-1] - own_there, ids, self.account),
        )
        return state.replace(step=state.step + 1, working=prices), Orders(sent, self.closing(state, params))

    def closing(self, state: ExecutionState, params: ExecutionParams) -> Message:
        """What the venue does when this step ends: at the deadline it sells what is left, else nothing.

        It clips the order to what leads to the account's target, so that any size means "the rest"; own orders that still rest then
        are void.
        """
        last = state.step + 1 >= params.decisions
        rest = jnp.where(last, INT32_MAX, jnp.zeros((1,), jnp.int32))
        return orders(Kind.MARKET, jnp.int32(self.side), jnp.zeros((1,), jnp.int32), rest, 0, self.account)

    def judge(
        self, state: ExecutionState, before: MarketState, after: MarketState, params: ExecutionParams
    ) -> tuple[ExecutionState, jax.Array, jax.Array, jax.Array, dict[str, jax.Array]]:
        """Reward of a step, and the figures of the execution so far."""
        last = state.step >= params.decisions
        state = state.replace(liquidated=after.tape.closing_lots[self.side])
        left = self.left(after, params)
        gain = self.gain(after, state) - self.gain(before, state)
        fees = to_float(minus(after.accounts.fees, before.accounts.fees))[self.account] * 1e-3
        # What even the last market order could not sell is valued at the last price that was reached.
        stuck = jnp.where(last, left, 0).astype(jnp.float32)
        gain_stuck = stuck * self.beyond_arrival(after.tape.last_price_ticks, state)
        reward = (gain + gain_stuck - fees) * params.per_lot
        terminated = last | (left == 0)
        return state, reward, terminated, jnp.bool_(False), self._metrics(state, after, params, stuck)

    def observe(self, state: ExecutionState, market: MarketState, params: ExecutionParams) -> jax.Array:
        """The agent's own account, then the market's features; or the paper's observation."""
        left = self.left(market, params)
        if self.paper is not None and params.paper is not None:
            scales = (params.per_decision, params.per_lot, params.per_tick)
            over = state.step >= params.decisions
            standing = Standing(state.step, over, left, state.arrival_price, state.arrival_mid2, *scales)
            return self.paper.observe(standing, market, params.paper)
        prices = self.level_prices(market, params)
        own = volume_at(market.book, self.side, prices, self.account)
        resting = resting_lots(market, jnp.int32(self.side), self.account)
        share = 1 / jnp.maximum(left, 1).astype(jnp.float32)
        sign = 1.0 if self.side == Side.ASK else -1.0
        drift = sign * (mid2_ticks(market) - state.arrival_mid2).astype(jnp.float32) * (0.5 * params.per_tick)
        ahead = queue_ahead(market, jnp.int32(self.side), prices, self.account)
        account = jnp.stack([
            1 - state.step.astype(jnp.float32) * params.per_decision,
            left.astype(jnp.float32) * params.per_lot,
            drift,
            (left - resting).astype(jnp.float32) * share,
            (resting - jnp.sum(own, dtype=jnp.int32)).astype(jnp.float32) * share,
        ])  # fmt: skip
        level_lots = volume_at(market.book, self.side, prices)
        return jnp.concatenate([
            account, own.astype(jnp.float32) * share, jnp.log1p(ahead.astype(jnp.float32)), jnp.log1p(level_lots.astype(jnp.float32)),
            market_features(market, params.per_tick),
        ])  # fmt: skip

    def left(self, market: MarketState, params: ExecutionParams) -> jax.Array:
        """Lots of the parent order not yet executed, int32."""
        return params.lots - jnp.abs(market.accounts.lots[self.account])

    def level_prices(self, market: MarketState, params: ExecutionParams) -> jax.Array:
        """Prices int32 `[L]` of the working levels now."""
        away = params.offsets if self.side == Side.ASK else -params.offsets
        return jnp.maximum(self._reference(market, opposite=self.from_opposite) + away, 1)

    def _allocate(self, action: jax.Array, left: jax.Array) -> jax.Array:
        """Shares to whole lots, in order, each rounded half to even; what no share claims waits."""

        def take(remaining: jax.Array, share: jax.Array) -> tuple[jax.Array, jax.Array]:
            lots = jnp.clip(jnp.round(share * left.astype(jnp.float32)).astype(jnp.int32), 0, remaining)
            return remaining - lots, lots

        return jax.lax.scan(take, jnp.maximum(left, 0), action)[1]

    def _reference(self, market: MarketState, *, opposite: bool) -> jax.Array:
        """The best opposite or own price of others' orders."""
        bid, ask = best_of_others(market, self.account)
        return bid if opposite == (self.side == Side.ASK) else ask

    def gain(self, market: MarketState, state: ExecutionState) -> jax.Array:
        """Ticks x lots fetched beyond the arrival price, float32 of an exact difference."""
        cash = jax.tree.map(lambda x: x[self.account], market.accounts.cash)
        return to_float(plus(cash, product(market.accounts.lots[self.account], state.arrival_price)))

    def beyond_arrival(self, price: jax.Array, state: ExecutionState) -> jax.Array:
        """What a price fetches beyond the arrival price, ticks; 0 for none."""
        ahead = (price - state.arrival_price).astype(jnp.float32)
        return jnp.where(price > 0, ahead if self.side == Side.ASK else -ahead, 0.0)

    def _metrics(
        self, state: ExecutionState, market: MarketState, params: ExecutionParams, stuck: jax.Array
    ) -> dict[str, Any]:
        per_lot = params.per_lot
        mine = jax.tree.map(lambda x: x[self.account], market.accounts.replace(inexact=jnp.zeros((2,), jnp.int32)))
        done = jnp.abs(mine.lots).astype(jnp.float32)
        sign = 1.0 if self.side == Side.ASK else -1.0
        below_mid = sign * (state.arrival_mid2 - 2 * state.arrival_price).astype(jnp.float32) * 0.5
        gain = self.gain(market, state) + stuck * self.beyond_arrival(market.tape.last_price_ticks, state)
        fees = to_float(mine.fees) * (1e-3 * per_lot)
        shortfall = below_mid - gain * per_lot + fees
        return {
            "shortfall_ticks": shortfall,  # per lot, against the mid at arrival, fees included; positive is a cost
            "shortfall_bps": shortfall * 2e4 / jnp.maximum(state.arrival_mid2, 1).astype(jnp.float32),
            "fill_rate": (done - state.liquidated.astype(jnp.float32)) * per_lot,  # before the forced liquidation
            "time_to_fill_s": to_float(mine.lot_ms) * 1e-3 / jnp.maximum(done, 1),  # mean over lots
            "fees_ticks": fees,
            "spread_captured_ticks": to_float(mine.edge2) * (0.5 * per_lot),  # beyond the mid just before each fill
            "maker_share": mine.maker_lots.astype(jnp.float32) / jnp.maximum(done, 1),
            "stuck_lots": stuck,
        }
