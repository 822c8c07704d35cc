"""A market maker that looks up how far from the mid to quote, by time and inventory: what every closed form of quoting comes to."""

from typing import Any, Protocol, cast

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.env.base import AGENT
from lobjax.env.views import best_of_others
from lobjax.market import MarketState, Orders
from lobjax.settings import settled

NO_QUOTE = 1 << 29  # 256ths of a tick; depths are cut off at it
_BITS = 8
_TICK, _HALF = 1 << _BITS, 1 << (_BITS - 1)
_MOST_ENTRIES = 1 << 26


class Quoted(Protocol):
    """A task that quotes both sides."""

    def quote(self, state: Any, market: MarketState, wanted: jax.Array, params: Any) -> tuple[Any, Orders]:
        """Quotes at prices `wanted` int32 `[2]`; 0: none."""
        ...


class DepthQuoter(flax.struct.PyTreeNode):
    """Quotes at a depth from the mid of others' orders, by decision and by lots held from -L to L.

    Prices are the nearest whole ticks (the farther of two equally near), never through others' best price nor each other. What stands at
    its price stays and is topped up, and orders are POST_ONLY (`Quoted.quote`).
    """

    depths: jax.Array  # int32 [N, 2, 2 L + 1], 256ths of a tick from the mid: bid, then ask; NO_QUOTE for none

    def decide(self, env: Environment, state: EnvState, params: EnvParams):
        """See `Strategy`."""
        task = cast(Quoted, env.task)
        last, limit = self.depths.shape[0] - 1, self.depths.shape[-1] // 2
        held = jnp.clip(state.market.accounts.lots[AGENT], -limit, limit)
        depth = self.depths[jnp.minimum(state.task.step, last), :, held + limit]
        best_bid, best_ask = best_of_others(state.market, AGENT)
        bid, ask = _nearest_ticks(best_bid + best_ask, depth)
        wanted = jnp.stack([
            jnp.maximum(jnp.minimum(bid, best_ask - 1), 1),
            jnp.maximum(ask, best_bid + 1),
        ])  # fmt: skip
        return task.quote(state.task, state.market, jnp.where(depth < NO_QUOTE, wanted, 0), params.task)


def _nearest_ticks(mid2: jax.Array, depth: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Bid and ask in ticks, int32, for depths int32 `[2]` from half of `mid2`. A tick that is nearest to both is left by the farther.

    In integers, so that every engine and device quotes alike.
    """
    whole, half = mid2 >> 1, (mid2 & 1) * _HALF
    below, above = half - depth[0], half + depth[1]  # wanted prices less `whole`, 256ths
    bid, ask = -((_HALF - below) >> _BITS), (above + _HALF) >> _BITS
    # The middle of both wanted prices says which is farther from the tick they share; both leave it if neither is.
    meet, lean = bid == ask, below + above - 2 * _TICK * bid
    off_bid, off_ask = (meet & side for side in (lean <= 0, lean >= 0))
    return whole + bid - off_bid.astype(jnp.int32), whole + ask + off_ask.astype(jnp.int32)


@settled
def depth_quoter(depths_ticks: np.ndarray, quote_lots: int, limit_lots: int) -> DepthQuoter:
    """A quoter from depths float64 `[N, 2, 2 Q + 1]`, by decision, side and inventory in units of a quote from -Q to Q.

    Between whole units depths are interpolated. A side rests where all units, or all `limit_lots`, are held, whatever its depth there.
    ValueError where the table would be too large.
    """
    decisions, _, width = depths_ticks.shape
    check_table(decisions, limit_lots)
    q_max = width // 2
    held = np.arange(-limit_lots, limit_lots + 1)
    full = min(q_max * quote_lots, limit_lots)
    place = np.clip(held / quote_lots + q_max, 0, width - 1)
    left = np.minimum(np.floor(place).astype(int), width - 2)
    share = place - left
    bid, ask = depths_ticks[:, 0].copy(), depths_ticks[:, 1].copy()
    bid[:, -1], ask[:, 0] = bid[:, -2], ask[:, 1]  # so that a part of the last unit is not drawn to infinity
    sides = [side[:, left] * (1 - share) + side[:, left + 1] * share for side in (bid, ask)]
    resting = np.stack([held >= full, held <= -full])
    return DepthQuoter(_to_device(np.where(resting, np.inf, np.stack(sides, axis=1))))


def check_table(decisions: int, limit_lots: int) -> None:
    """ValueError where a table of depths by so many decisions and inventories would be too large, before one is computed."""
    if decisions * 2 * (2 * limit_lots + 1) > _MOST_ENTRIES:
        raise ValueError(f"{decisions} decisions x {2 * limit_lots + 1} inventories are too many for a table of depths")


@settled
def constant_quoter(depth_ticks: float) -> DepthQuoter:
    """Always the same depth on both sides, whatever is held; infinite: no quotes."""
    return DepthQuoter(_to_device(np.full((1, 2, 1), depth_ticks)))


def _to_device(ticks: np.ndarray) -> jax.Array:
    return jnp.asarray(np.clip(np.round(ticks * _TICK), -NO_QUOTE, NO_QUOTE), jnp.int32)
