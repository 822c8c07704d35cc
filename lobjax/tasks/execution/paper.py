"""The observation of Cheridito and Weiss (arXiv 2507.06345, section 3; first release of their code) for the task of optimal execution.

Written for a sale of V lots of V0; a purchase sees the market mirrored (bids for asks, prices negated). With L working levels it has
9 features of the market, L + 2 of where own lots are, 2 L volumes, and V0 "levels" and V0 "queues", one of each for every lot of the
parent order: 11 + 3 L + 2 V0, for L = 5 the paper's 26 + 2 V0. Own orders are part of the book here: best prices are those of the
whole book. As everywhere, features are products with constants that the host divided (`lobjax.env.views`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env.views import imbalance, mid2_ticks
from lobjax.market import MarketState
from lobjax.types import Side


class PaperParams(flax.struct.PyTreeNode):
    """The numbers of the observation on the device."""

    per_level_lot: jax.Array  # float32 [L], 1 / the volume that is usual so many ticks from the opposite best
    per_queue_lot: jax.Array  # float32, 1 / the scale of places in the queue
    opening_lots: (
        jax.Array
    )  # int32 [2], limit orders of the opening book by side, where it opened a step before the first decision; else 0


class Standing(NamedTuple):
    """What the observation needs to know of an execution: where it stands, int32, and its scales, float32."""

    step: jax.Array  # decisions taken
    over: jax.Array  # bool, whether the deadline has passed, so that own orders that still rest are void
    left: jax.Array  # V, lots not yet executed
    arrival_price: jax.Array  # the best opposite price at arrival
    arrival_mid2: jax.Array  # twice the mid then
    per_decision: jax.Array
    per_lot: jax.Array
    per_tick: jax.Array


@dataclass(frozen=True)
class PaperView:
    """See the module's text. `side` is the side of the agent's own orders; an ask sells."""

    side: Side
    levels: int  # L; the market's depth snapshot must have as many
    lots: int  # V0, the length of the two vectors
    owner: int

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each entry of an observation; `opposite` is the side that the agent's orders trade with."""
        levels, lots = range(1, self.levels + 1), range(1, self.lots + 1)
        return (
            "time", "lots_left", "best_drift", "mid_drift", "spread", "depth_imbalance", "market_order_imbalance", "limit_order_imbalance",
            "mid_change", *(f"own_lots_{k}" for k in levels), "own_elsewhere", "own_unplaced",
            *(f"opposite_lots_{k}" for k in levels), *(f"same_lots_{k}" for k in levels),
            *(f"level_of_lot_{k}" for k in lots), *(f"queue_of_lot_{k}" for k in lots),
        )  # fmt: skip

    def observe(self, at: Standing, market: MarketState, numbers: PaperParams) -> jax.Array:
        """float32 `[11 + 3 L + 2 V0]`, in the paper's order."""
        best, opposite = self._best(market)
        away, up = jnp.arange(1, self.levels + 1, dtype=jnp.int32), self._up
        # Volumes by distance from the other side's best, [2, L]: the opposite side's, then the own side's.
        volumes = jnp.stack([
            self._volumes(market, self._opposite, best - up * away),
            self._volumes(market, self.side, opposite + up * away),
        ]).astype(jnp.float32)  # fmt: skip
        tape, half_tick = market.tape, 0.5 * at.per_tick
        mid2, then = mid2_ticks(market), tape.flow_mid2_ticks
        submitted = tape.limit_lots + jnp.where(at.step == 0, numbers.opening_lots, 0)
        general = jnp.stack([
            at.step.astype(jnp.float32) * at.per_decision,
            at.left.astype(jnp.float32) * at.per_lot,
            (up * (opposite - at.arrival_price)).astype(jnp.float32) * at.per_tick,
            (up * (mid2 - at.arrival_mid2)).astype(jnp.float32) * half_tick,
            (up * (best - opposite)).astype(jnp.float32) * at.per_tick,
            imbalance(volumes.sum(1)),
            imbalance(self._opposite_first(tape.market_lots.astype(jnp.float32))),
            imbalance(self._opposite_first(submitted.astype(jnp.float32))),
            (up * jnp.where(then != 0, mid2 - then, 0)).astype(jnp.float32) * half_tick,
        ])  # fmt: skip
        placed, elsewhere, levels, queues = self._own_lots(at, best, market, numbers)
        unplaced = at.left - jnp.sum(placed, dtype=jnp.int32) - elsewhere
        share = 1 / jnp.maximum(at.left, 1).astype(jnp.float32)
        own = jnp.concatenate([placed, jnp.stack([elsewhere, unplaced])]).astype(jnp.float32) * share
        return jnp.concatenate([general, own, (volumes * numbers.per_level_lot[None]).reshape(-1), levels, queues])

    def _own_lots(self, at: Standing, best: jax.Array, market: MarketState, numbers: PaperParams):
        """Own lots at each working level `[L]` and elsewhere in the book, int32, then the two vectors `[V0]` of lots.

        Own lots are numbered from the best price on, oldest first. Ahead of one stand the own lots before it, which are its number,
        and others' lots before it; those of better levels are taken off again.
        """
        book = market.book.ordered()
        price, size = book.price[self.side], book.size[self.side]
        own = jnp.where((book.owner[self.side] == self.owner) & ~at.over, size, 0)
        prices = best + self._up * jnp.arange(self.levels, dtype=jnp.int32)
        placed = jnp.sum(jnp.where(price[None] == prices[:, None], own[None], 0), axis=1, dtype=jnp.int32)
        # Others' lots that come right before own lot k, then up to it. By a scatter, as comparing every lot with every order costs
        # several times as much.
        counted = jnp.cumsum(own, dtype=jnp.int32)
        others = jnp.zeros((self.lots,), jnp.int32).at[counted].add(size - own, mode="drop")
        lot = jnp.arange(self.lots, dtype=jnp.int32)
        passed = (
            jnp.cumsum(placed, dtype=jnp.int32)[None] <= lot[:, None]
        )  # [V0, L], levels that are better than the lot's
        better = jnp.sum(jnp.where(passed, self._volumes(market, self.side, prices)[None], 0), axis=1, dtype=jnp.int32)
        ahead = lot + jnp.cumsum(others, dtype=jnp.int32) - better
        level = 1 + jnp.sum(passed, axis=1, dtype=jnp.int32)
        at_level, sold = level <= self.levels, lot >= at.left
        # Both are 1 for lots elsewhere or not placed.
        levels = jnp.where(at_level, level.astype(jnp.float32) * np.float32(1 / (self.levels + 1)), 1.0)
        queues = jnp.where(at_level, ahead.astype(jnp.float32) * numbers.per_queue_lot, 1.0)
        levels = jnp.where(sold, np.float32(-self.levels / (self.levels + 1)), levels)
        return (
            placed,
            jnp.sum(own, dtype=jnp.int32) - jnp.sum(placed, dtype=jnp.int32),
            levels,
            jnp.where(sold, -1.0, queues),
        )

    def _best(self, market: MarketState) -> tuple[jax.Array, jax.Array]:
        """Best price of the own and of the opposite side; one that is empty is taken to be a tick from the other."""
        bid, ask = market.depth.price_ticks[Side.BID, 0], market.depth.price_ticks[Side.ASK, 0]
        bid, ask = jnp.where(bid > 0, bid, jnp.maximum(ask - 1, 1)), jnp.where(ask > 0, ask, bid + 1)
        return (ask, bid) if self.side == Side.ASK else (bid, ask)

    def _volumes(self, market: MarketState, side: Side, prices: jax.Array) -> jax.Array:
        """Lots int32 `[L]` at `prices` `[L]`, all within L ticks of the best: the depth snapshot has them."""
        depth = market.depth
        return jnp.sum(
            jnp.where(depth.price_ticks[side][None] == prices[:, None], depth.size_lots[side][None], 0),
            axis=1,
            dtype=jnp.int32,
        )

    def _opposite_first(self, pair: jax.Array) -> jax.Array:
        """A pair by side as (opposite, own)."""
        return pair if self.side == Side.ASK else pair[::-1]

    @property
    def _opposite(self) -> Side:
        return Side.BID if self.side == Side.ASK else Side.ASK

    @property
    def _up(self) -> int:
        """The direction in which prices are better for the agent."""
        return 1 if self.side == Side.ASK else -1
