"""What the closed forms want to know of a market, measured in it: volatility, and how the rate of fills falls with distance.

Play it on keys or on a market that no evaluation uses. Volatility is taken over whole episodes, as over short times the mid mostly bounces.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.book import best_prices
from lobjax.env import Environment, EnvParams
from lobjax.env.base import AGENT
from lobjax.env.views import mid2_ticks
from lobjax.errors import InputError
from lobjax.market import Limits, MarketState
from lobjax.playing import market_alone, to_the_end
from lobjax.settings import settled
from lobjax.strategies.depths import DepthQuoter, constant_quoter

_FAR_LOTS = 1 << 29  # inventory limits while measuring
_NO_SPREAD = -1  # of a market without two sides
_SPREADS = (1, 2, 3, 4)  # depths at which fills are counted, in half mean spreads


class Mids(NamedTuple):
    """An unattended market."""

    volatility: float  # ticks / sqrt(s)
    spread: float  # ticks, mean over decisions


class Fills(NamedTuple):
    """The rate A exp(-k d) at which a quote at depth d from the mid is filled."""

    fill_rate: float  # A, quotes per second
    decay: float  # k, 1 / tick


@settled
def measure_mids(env: Environment, params: EnvParams, keys: jax.Array) -> Mids:
    """Over one episode without the agent for each of `keys` `[n]`."""

    def spread_now(before: MarketState, after: MarketState) -> jax.Array:
        bid, ask = best_prices(after.book)
        return jnp.where((bid > 0) & (ask > 0), ask - bid, _NO_SPREAD)

    def episodes(keys: jax.Array) -> tuple[jax.Array, jax.Array]:
        first, last, spread = market_alone(env, params, keys, spread_now)
        mid2 = jax.vmap(mid2_ticks)
        return mid2(last) - mid2(first), spread

    change2, spread = (np.asarray(x, np.float64) for x in jax.jit(episodes)(keys))
    spread = np.where(spread == _NO_SPREAD, np.nan, spread)
    if not np.isfinite(spread).any():
        raise InputError(
            "the market where the models' numbers are measured has no two sides; give the numbers, or choose other hours"
        )
    seconds = env.decisions * step_seconds(params)
    return Mids(float(np.sqrt(np.mean((change2 / 2) ** 2) / seconds)), float(np.nanmean(spread)))


@settled
def measure_fills(env: Environment, params: EnvParams, keys: jax.Array, spread: float) -> Fills:
    """Quote the task's lots at a few depths, by the mean `spread`, on both sides of one episode for each of `keys` `[n]`, and fit."""
    depths = np.array([count * max(spread, 1.0) / 2 for count in _SPREADS])
    quoters = jax.tree.map(lambda *x: jnp.stack(x), *map(constant_quoter, depths))
    free = jnp.asarray([0, _FAR_LOTS], jnp.int32)
    limits = Limits(-free, free, params.market.limits.target)
    params = params.replace(market=params.market.replace(limits=limits))

    def made(quoter: DepthQuoter, keys: jax.Array) -> jax.Array:
        return to_the_end(env, params, quoter, keys).market.accounts.maker_lots[:, AGENT]

    lots = np.asarray(jax.jit(jax.vmap(made, in_axes=(0, None)))(quoters, keys), np.float64).mean(axis=1)
    # A quote is renewed only at decisions, so what can be filled in a step is bounded; a rate L fills a share 1 - exp(-L step).
    share = np.minimum(lots / (2 * env.decisions * int(params.task.quote_lots)), 1 - 1e-6)
    return fit_fills(depths, -np.log1p(-share) / step_seconds(params), weights=lots)


def fit_fills(depths: np.ndarray, rates: np.ndarray, weights: np.ndarray) -> Fills:
    """Weighted least squares of the logarithm of rates `[n]` on depths `[n]`, where there were any. InputError if they do not fall."""
    seen = rates > 0
    slope = 0.0
    if seen.sum() > 1:
        slope, intercept = np.polyfit(depths[seen], np.log(rates[seen]), 1, w=np.sqrt(weights[seen]))
    if not slope < 0:
        raise InputError(
            "fills do not fall with the distance from the mid where they are measured; give fill_rate and decay"
        )
    return Fills(float(np.exp(intercept)), float(-slope))


def step_seconds(params: EnvParams) -> float:
    """Seconds between decisions."""
    return int(params.step_time.s) + int(params.step_time.ns) / clock.NS
