"""The task of market making: quote both sides, earn the spread and the rebates, and end without a position.

At every decision the action chooses, for each side, how far from the best price of that side to quote, or not to quote. A quote that
already stands at its price keeps its place in the queue and is topped up; one that stands elsewhere is taken off and a
POST_ONLY order put in its stead, so a quote never takes. Inventory limits are the venue's check (`lobjax.market.risk`): no sequence of
fills can break them. At the end the venue closes the position at market, and quotes that still rest are void.
Reward: the change of cash plus inventory at mid, less fees, less a penalty on squared inventory, in ticks per lot of quote.
"""

from dataclasses import dataclass

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import best_prices, volume_at
from lobjax.env.measures import AGENT
from lobjax.env.messages import fresh_ids, joined, orders
from lobjax.env.spaces import MultiDiscrete
from lobjax.env.views import best_of_others, market_features, market_names, mid2_ticks, queue_ahead
from lobjax.kinds import Kind
from lobjax.market import MarketState, Orders
from lobjax.types import INT32_MAX, Message, Side
from lobjax.wide import Wide, minus, plus, product, to_float


class MakingParams(flax.struct.PyTreeNode):
    """The numbers of the task on the device."""

    quote_lots: jax.Array  # int32
    inventory_limit: jax.Array  # int32
    decisions: jax.Array  # int32
    offsets: jax.Array  # int32 [K]
    inventory_penalty: jax.Array  # float32
    per_tick: jax.Array  # float32, 1 / price_scale_ticks
    per_quote: jax.Array  # float32, 1 / quote_lots
    per_limit: jax.Array  # float32, 1 / inventory_limit_lots
    per_decision: jax.Array  # float32, 1 / decisions


class MakingState(flax.struct.PyTreeNode):
    """Where the market maker stands."""

    step: jax.Array  # int32, decisions taken
    opening_mid2: jax.Array  # int32
    working: jax.Array  # int32 [2], prices at which own quotes may be resting, by side; 0 for none
    closed_lots: jax.Array  # int32, lots that the venue closed at the end
    peak_inventory: jax.Array  # int32, largest |inventory| at the end of a step


@dataclass(frozen=True)
class MakingTask:
    """See the module's text."""

    choices: int  # K offsets a side; choice K is not to quote
    depth_levels: int
    name: str = "market_making"

    @property
    def action_space(self) -> MultiDiscrete:
        """One choice for the bid and one for the ask: an offset, or (the last) no quote."""
        return MultiDiscrete((self.choices + 1, self.choices + 1))

    @property
    def idle(self) -> tuple[int, int]:
        """No quote on either side."""
        return self.choices, self.choices

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        return (
            "time_left", "inventory", "drift", "own_bid_lots", "own_ask_lots", "own_bid_gap", "own_ask_gap",
            "own_bid_ahead", "own_ask_ahead", *market_names(self.depth_levels),
        )  # fmt: skip

    def begin(self, market: MarketState, params: MakingParams) -> MakingState:
        """Flat, without quotes."""
        zero = jnp.int32(0)
        return MakingState(zero, mid2_ticks(market), jnp.zeros((2,), jnp.int32), zero, zero)

    def act(
        self, state: MakingState, market: MarketState, action: jax.Array, params: MakingParams
    ) -> tuple[MakingState, Orders]:
        """Choices to quotes."""
        action = jnp.asarray(action, jnp.int32)
        quoted = action < self.choices
        offset = params.offsets[jnp.minimum(action, self.choices - 1)]
        return self.quote(state, market, jnp.where(quoted, self._behind_best(market, offset), 0), params)

    def quote(
        self, state: MakingState, market: MarketState, wanted: jax.Array, params: MakingParams
    ) -> tuple[MakingState, Orders]:
        """Quotes at prices `wanted` int32 `[2]` (0: none), which strategies may choose beyond the offsets."""
        stay = wanted == state.working
        standing = self._standing(market, state)
        off = jnp.where(stay, 0, standing)
        size = jnp.where(wanted > 0, params.quote_lots - jnp.where(stay, standing, 0), 0)
        sides = jnp.arange(2, dtype=jnp.int32)
        sent = joined(
            orders(Kind.REDUCE, sides, state.working, off, 0, AGENT),
            orders(Kind.POST_ONLY, sides, wanted, size, fresh_ids(AGENT, state.step, 2), AGENT),
        )
        return state.replace(step=state.step + 1, working=wanted), Orders(sent, self.closing(state, params))

    def closing(self, state: MakingState, params: MakingParams) -> Message:
        """What the venue does when this step ends: at the end of the episode it closes the position, else nothing.

        It sends both ways at market and clips each to what closes the position, so one of them does nothing.
        """
        last = state.step + 1 >= params.decisions
        everything = jnp.where(last, INT32_MAX, jnp.zeros((2,), jnp.int32))
        return orders(Kind.MARKET, jnp.arange(2, dtype=jnp.int32), jnp.zeros((2,), jnp.int32), everything, 0, AGENT)

    def judge(
        self, state: MakingState, before: MarketState, after: MarketState, params: MakingParams
    ) -> tuple[MakingState, jax.Array, jax.Array, jax.Array, dict[str, jax.Array]]:
        """Reward of a step, and the figures of the episode so far."""
        inventory = after.accounts.lots[AGENT]
        size = jnp.abs(inventory).astype(jnp.float32)
        fees = to_float(minus(after.accounts.fees, before.accounts.fees))[AGENT] * 1e-3
        gain2 = to_float(minus(_worth2(after), _worth2(before)))
        penalty = params.inventory_penalty * size * size
        reward = (gain2 * 0.5 - fees - penalty) * params.per_quote
        state = state.replace(
            closed_lots=jnp.sum(after.tape.closing_lots, dtype=jnp.int32),
            peak_inventory=jnp.maximum(state.peak_inventory, jnp.abs(inventory)),
        )
        terminated = state.step >= params.decisions
        return state, reward, terminated, jnp.bool_(False), self._metrics(state, after, terminated)

    def observe(self, state: MakingState, market: MarketState, params: MakingParams) -> jax.Array:
        """The agent's own account, then the market's features."""
        bid, ask = best_prices(market.book)
        best = jnp.stack([bid, ask])
        standing = self._standing(market, state)
        gap = jnp.where(standing > 0, jnp.abs(best - state.working).astype(jnp.float32), -1.0) * params.per_tick
        ahead = jnp.stack([queue_ahead(market, jnp.int32(s), state.working[s : s + 1], AGENT)[0] for s in Side])
        drift = (mid2_ticks(market) - state.opening_mid2).astype(jnp.float32) * (0.5 * params.per_tick)
        account = jnp.stack([
            1 - state.step.astype(jnp.float32) * params.per_decision,
            market.accounts.lots[AGENT].astype(jnp.float32) * params.per_limit,
            drift,
        ])  # fmt: skip
        own = standing.astype(jnp.float32) * params.per_quote
        features = market_features(market, params.per_tick)
        return jnp.concatenate([account, own, gap, jnp.log1p(ahead.astype(jnp.float32)), features])

    def _behind_best(self, market: MarketState, offset: jax.Array) -> jax.Array:
        """Quote prices int32 `[2]`: `offset` ticks behind others' best price of each side, never through the other side's best."""
        bid, ask = best_of_others(market, AGENT)
        return jnp.stack([
            jnp.maximum(jnp.minimum(bid - offset[0], ask - 1), 1),
            jnp.maximum(jnp.maximum(ask + offset[1], bid + 1), 2),
        ])  # fmt: skip

    def _standing(self, market: MarketState, state: MakingState) -> jax.Array:
        """Own lots int32 `[2]` that rest at the working prices."""
        return jnp.stack([volume_at(market.book, s, state.working[s : s + 1], AGENT)[0] for s in Side])

    def _metrics(self, state: MakingState, market: MarketState, ended: jax.Array) -> dict[str, jax.Array]:
        mine = jax.tree.map(lambda x: x[AGENT], market.accounts.replace(inexact=jnp.zeros((2,), jnp.int32)))
        fees = to_float(mine.fees) * 1e-3
        return {
            "profit_ticks": to_float(_worth2(market)) * 0.5 - fees,  # ticks x lots, inventory at mid, fees paid
            "fees_ticks": fees,  # ticks x lots
            "spread_captured_ticks": to_float(mine.edge2) * 0.5,  # ticks x lots beyond the mid just before each fill
            "traded_lots": (mine.maker_lots + mine.taker_lots).astype(jnp.float32),
            "closed_lots": state.closed_lots.astype(jnp.float32),
            # What even the closing order could not close; its worth is taken at mid.
            "stuck_lots": jnp.where(ended, jnp.abs(mine.lots), 0).astype(jnp.float32),
            "peak_inventory_lots": state.peak_inventory.astype(jnp.float32),
        }


def _worth2(market: MarketState) -> Wide:
    """Twice the account's cash plus its inventory at mid, in ticks x lots."""
    cash = jax.tree.map(lambda x: x[AGENT], market.accounts.cash)
    return plus(plus(cash, cash), product(market.accounts.lots[AGENT], mid2_ticks(market)))
