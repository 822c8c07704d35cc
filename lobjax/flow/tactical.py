"""Tactical traders: how the imbalance of a book moves the rates of a Poisson market.

With w_k = exp(-decay k) and volumes k ticks behind each best price, I = (B - A) / (B + A), B = sum w_k bids_k, A = sum w_k asks_k. Buy
orders, limit bids and cancellations of asks arrive at 1 + factor max(0, I) times their rate; sell orders, limit asks and cancellations of
bids at 1 + factor max(0, -I) times (Cheridito and Weiss, arXiv 2507.06345, section 2). Integer arithmetic, as everywhere
in flows; a level counts for 4,095 lots at most.
"""

from dataclasses import dataclass
from typing import Annotated

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.flow.fixed import FRACTION_BITS, fraction
from lobjax.ranges import Range, check
from lobjax.types import Side

MOST_LEVELS = 64
WEIGHT_BITS = (
    18  # the weights sum to 2^18, and a level counts for at most MOST_LOTS: both sides together stay in 31 bits
)
MOST_LOTS = (1 << 12) - 1


@dataclass(frozen=True, kw_only=True)
class TacticalConfig:
    """How tactical traders read the book and how strongly they react."""

    scale: Annotated[float, Range(1e-3, 4.0)] = 0.85  # all rates of the market, times this
    decay: Annotated[float, Range(0.0, 100.0)] = 0.65  # of the weights, a tick
    factor: Annotated[float, Range(0.0, 15.0)] = 2.0  # rates of the favoured side times 1 + factor |I|
    levels: Annotated[int, Range(1, MOST_LEVELS)] = 30  # volumes count up to so many ticks from the opposite best

    def __post_init__(self) -> None:
        check(self)


class TacticalParams(flax.struct.PyTreeNode):
    """The numbers on the device."""

    weights: jax.Array  # int32 [P], by ticks behind the best; 0 in padding
    factor: jax.Array  # uint32, in 2^-16
    levels: int = flax.struct.field(pytree_node=False)


def tactical_params(config: TacticalConfig, width: int) -> TacticalParams:
    """Put a configuration on the device; width: P, at least `levels`."""
    weights = np.exp(-config.decay * np.arange(config.levels))
    padded = np.zeros(width, np.int32)
    padded[: config.levels] = np.floor(weights / weights.sum() * 2**WEIGHT_BITS)
    factor = round(config.factor * 2**FRACTION_BITS)
    return TacticalParams(jnp.asarray(padded, jnp.int32), jnp.uint32(factor), config.levels)


def multipliers(
    resting: tuple[jax.Array, ...], spread: jax.Array, params: TacticalParams
) -> tuple[jax.Array, jax.Array]:
    """What the rates of rising and of falling pressure are multiplied with, uint32 in 2^-16.

    resting: lots of each side int32 `[P]` at 1, 2, ... ticks from the opposite best; spread: ticks.
    """
    away = 1 + jax.lax.broadcasted_iota(jnp.int32, resting[0].shape, 0)
    weights = params.weights[jnp.clip(away - spread, 0, params.weights.shape[0] - 1)]
    weights = jnp.where(away <= params.levels, weights, 0)
    bids, asks = (jnp.sum(weights * jnp.clip(lots, 0, MOST_LOTS), dtype=jnp.int32) for lots in resting)
    imbalance = fraction(jnp.abs(bids - asks).astype(jnp.uint32), (bids + asks).astype(jnp.uint32))
    one = jnp.uint32(1 << FRACTION_BITS)
    pressed = one + ((imbalance * (params.factor[...] >> 4)) >> (FRACTION_BITS - 4))
    return jnp.where(bids > asks, pressed, one), jnp.where(asks > bids, pressed, one)


def pressed_by(side: Side | jax.Array, cancels: bool | jax.Array) -> bool | jax.Array:
    """Whether events of a side rise with pressure upwards: bids' orders, and cancellations of asks."""
    return (side == Side.BID) != cancels
