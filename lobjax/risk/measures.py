"""Value at risk and expected shortfall (CVaR) of the next period, from returns before it. Losses are minus returns.

Every function takes returns [..., n], oldest first, of NumPy or JAX, and a level in (0, 1) that is known when JAX compiles; it gives
(VaR, CVaR) [...], fractions of the value like the returns, positive for a loss. NaN where n is too small for one.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from lobjax.risk.namespace import as_floats, namespace

DECAY, START = 0.94, 20  # RiskMetrics 1996; returns whose mean square is the first variance
_ROUNDING = 1e-9  # n (1 - level) is meant in decimals: 20 (1 - .9) is 2


class Risk(NamedTuple):
    """Value at risk, and the mean loss beyond it."""

    var: Any
    cvar: Any


def historical(returns: Any, level: float) -> Risk:
    """VaR is the k-th largest loss, k = floor(n (1 - level)) + 1; CVaR the mean of the worst n (1 - level), the last in part.

    Acerbi and Tasche 2002.
    """
    xp = namespace(returns)
    returns = as_floats(xp, returns)
    n = returns.shape[-1]
    if n == 0:
        return _undefined(xp, returns)
    tail = _tail(n, level)
    losses = -xp.sort(returns, axis=-1)  # the worst first
    weights = np.clip(tail - np.arange(n), 0, 1)
    worst = losses[..., min(math.floor(tail), n - 1)]
    return Risk(worst, (losses * xp.asarray(weights, losses.dtype)).sum(-1) / tail)


def normal(returns: Any, level: float) -> Risk:
    """Of a normal distribution with the mean and the standard deviation (ddof 1) of the returns; two of them at least."""
    xp = namespace(returns)
    returns = as_floats(xp, returns)
    if returns.shape[-1] < 2:
        return _undefined(xp, returns)
    mean = returns.mean(-1)
    return _of_normal(mean, returns.std(-1, ddof=1), level)


def ewma(returns: Any, level: float, decay: float = DECAY) -> Risk:
    """Of a normal distribution with mean 0 and the deviation that `ewma_deviation` forecasts."""
    deviation = ewma_deviation(returns, decay)
    return _of_normal(0.0 * deviation, deviation, level)


def filtered_historical(returns: Any, level: float, decay: float = DECAY) -> Risk:
    """Historical on returns over the deviation that was forecast for each, times that of the next (Barone-Adesi et al. 1999).

    The first `START` returns start the variance and are left out; NaN for no more than those. Where a deviation is 0 (so far no
    return but 0), the return over it counts as 0.
    """
    xp = namespace(returns)
    returns = as_floats(xp, returns)
    if returns.shape[-1] <= START:
        return _undefined(xp, returns)
    deviations = ewma_deviations(returns, decay)
    before = deviations[..., START:-1]
    shocks = xp.where(before > 0, returns[..., START:] / xp.where(before > 0, before, 1.0), 0.0)
    of_shocks = historical(shocks, level)
    return Risk(of_shocks.var * deviations[..., -1], of_shocks.cvar * deviations[..., -1])


def ewma_deviation(returns: Any, decay: float = DECAY) -> Any:
    """The standard deviation [...] of the next return: v_t = decay v_(t-1) + (1 - decay) r_(t-1)^2, mean 0.

    The first variance is the mean square of the first 20 returns, or of all where there are fewer.
    """
    xp = namespace(returns)
    returns = as_floats(xp, returns)
    n = returns.shape[-1]
    if n == 0:
        return _undefined(xp, returns).var
    squares = returns**2
    weights = (1 - decay) * decay ** np.arange(n - 1, -1, -1.0)  # the recursion as one sum
    start = squares[..., :START].mean(-1)
    return xp.sqrt(decay**n * start + (squares * xp.asarray(weights, squares.dtype)).sum(-1))


def ewma_deviations(returns: Any, decay: float = DECAY) -> Any:
    """`ewma_deviation` before every return and after the last, [..., n + 1].

    The start uses the first 20 returns, so that a forecast is one only from the 20th on.
    """
    xp = namespace(returns)
    returns = as_floats(xp, returns)
    squares = returns**2
    first = squares[..., :START].mean(-1)
    if xp is np:
        from scipy.signal import lfilter

        rest, _ = lfilter([1 - decay], [1, -decay], squares, axis=-1, zi=decay * first[..., None])
        variances = np.concatenate([first[..., None], rest], -1)
    else:
        import jax

        def following(variance, square):
            after = decay * variance + (1 - decay) * square
            return after, after

        _, rest = jax.lax.scan(following, first, xp.moveaxis(squares, -1, 0))
        variances = xp.concatenate([first[..., None], xp.moveaxis(rest, 0, -1)], -1)
    return xp.sqrt(variances)


MODELS = {"historical": historical, "normal": normal, "ewma": ewma, "filtered": filtered_historical}


def _of_normal(mean: Any, deviation: Any, level: float) -> Risk:
    z = float(ndtri(level))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return Risk(-(mean - z * deviation), -mean + deviation * (density / (1 - level)))


def _tail(n: int, level: float) -> float:
    """n (1 - level), whole where decimals mean it to be."""
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not between 0 and 1")
    tail = n * (1 - level)
    near = round(tail)
    return float(near) if near >= 1 and abs(tail - near) < _ROUNDING else tail


def _undefined(xp: Any, returns: Any) -> Risk:
    nothing = xp.full(returns.shape[:-1], xp.nan, returns.dtype)
    return Risk(nothing, nothing)
