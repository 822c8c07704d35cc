"""The fundamental value of each asset: an integer random walk with drift, correlated over assets, that jumps at news.

Values are kept in 2^-8 half ticks and move once a decision. What an asset draws depends on the decision's key and the asset's number
alone, so that a venue, an asset or an agent that is added changes no path. A venue that lags sees the value of some decisions ago.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.ranges import Range, check

BITS = 8  # of a half tick
MOST_VALUE2 = 1 << 21  # half ticks: values stay below 2^29
_NORMAL_BITS, _FACTOR_BITS, _COARSE = 14, 14, 6
_MOST_SIGMA = (1 << 14) - 1
MOST_ASSETS = 8
_UNIFORMS, _MEAN = 12, 12 * 65_535 // 2  # a sum of twelve 16-bit numbers has a deviation of 2^16


@dataclass(frozen=True, kw_only=True)
class FundamentalConfig:
    """How values move; ticks of price. `correlation`: between any two assets."""

    volatility_ticks: Annotated[float, Range(0.0, 30.0)] = 0.0  # deviation of a change over one second
    drift_ticks_per_s: Annotated[float, Range(-30.0, 30.0)] = 0.0
    correlation: Annotated[float, Range(-1.0, 1.0)] = 0.0
    jump_ticks: Annotated[float, Range(0.0, 30.0)] = 5.0  # deviation of the jump at news

    def __post_init__(self) -> None:
        check(self)


class FundamentalParams(flax.struct.PyTreeNode):
    """The numbers on the device; K assets."""

    start: jax.Array  # int32 [K], in 2^-8 half ticks
    sigma: jax.Array  # int32, of a decision, in 2^-8 half ticks
    drift: jax.Array  # int32, a decision, in 2^-8 half ticks
    jump: jax.Array  # int32, in 2^-8 half ticks
    factor: jax.Array  # int32 [K, K], a root of the correlation matrix, in 2^-14


class Fundamental(flax.struct.PyTreeNode):
    """Values now and before: int32 `[lags + 1, K]`, the newest first, in 2^-8 half ticks."""

    values: jax.Array


def fundamental_params(config: FundamentalConfig, opening_mid2: np.ndarray, step_s: float) -> FundamentalParams:
    """Put a configuration on the device; opening_mid2: int `[K]`, half ticks. ValueError where it cannot be computed exactly."""
    assets = len(opening_mid2)
    matrix = np.full((assets, assets), config.correlation) + (1 - config.correlation) * np.eye(assets)
    values, vectors = np.linalg.eigh(matrix)
    if values.min() < -1e-9:
        raise ValueError(
            f"correlation {config.correlation:g} is too low for {assets} assets; raise it to {-1 / (assets - 1):g}"
        )
    if opening_mid2.max() >= MOST_VALUE2:
        raise ValueError(
            f"prices open at {opening_mid2.max() // 2} ticks, beyond {MOST_VALUE2 // 2}; lower best_bid_ticks"
        )
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    scale = 2 << BITS
    sigma = round(config.volatility_ticks * math.sqrt(step_s) * scale)
    jump, drift = round(config.jump_ticks * scale), round(config.drift_ticks_per_s * step_s * scale)
    if max(sigma, jump, abs(drift)) > _MOST_SIGMA:
        raise ValueError(
            "the fundamental value may move by at most 31 ticks a decision; shorten step_s or lower volatility_ticks"
        )
    return FundamentalParams(
        start=jnp.asarray(opening_mid2 << BITS, jnp.int32),
        sigma=jnp.int32(sigma),
        drift=jnp.int32(drift),
        jump=jnp.int32(jump),
        factor=jnp.asarray(np.round(root * (1 << _FACTOR_BITS)), jnp.int32),
    )


def open_fundamental(params: FundamentalParams, lags: int) -> Fundamental:
    """At the opening mids, since ever."""
    return Fundamental(jnp.broadcast_to(params.start, (lags + 1, *params.start.shape)))


def move(key: jax.Array, state: Fundamental, news: jax.Array, params: FundamentalParams) -> Fundamental:
    """One decision later. news: uint32, the intensity in 2^-16 of news that begin now, 0 without."""
    normal = _normals(key, params.start.shape[0])  # [K, 2]
    mixed = jnp.sum(params.factor[:, :, None] * (normal[None] >> _COARSE), axis=1, dtype=jnp.int32)
    unit = mixed >> (_FACTOR_BITS + 16 - _COARSE - _NORMAL_BITS)  # 2^-14
    jump = (params.jump * unit[:, 1]) >> _NORMAL_BITS
    scaled = jnp.where(news > 0, (jump >> 4) * (jnp.minimum(news, 15 << 16).astype(jnp.int32) >> 8) >> 4, 0)
    change = params.drift + ((params.sigma * unit[:, 0]) >> _NORMAL_BITS) + scaled
    value = jnp.clip(state.values[0] + change, 2 << BITS, MOST_VALUE2 << BITS)
    return Fundamental(jnp.concatenate([value[None], state.values[:-1]]))


def seen_value2(state: Fundamental, asset: jax.Array, lag: jax.Array) -> jax.Array:
    """The value of an asset as a venue that lags by `lag` decisions knows it, int32 half ticks."""
    return state.values[lag, asset] >> BITS


def _normals(key: jax.Array, assets: int) -> jax.Array:
    """Two nearly normal draws an asset, int32 `[K, 2]` in 2^-16: the sum of twelve uniform ones each, less its mean."""

    def one(asset: jax.Array) -> jax.Array:
        bits = jax.random.bits(jax.random.fold_in(key, asset), (2, _UNIFORMS // 2), jnp.uint32)
        halves = (bits & jnp.uint32(0xFFFF)) + (bits >> 16)
        return jnp.sum(halves.astype(jnp.int32), axis=1, dtype=jnp.int32) - _MEAN

    return jax.vmap(one)(jnp.arange(assets, dtype=jnp.int32))
