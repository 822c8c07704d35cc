"""Backtests of value at risk: how many exceptions, when the first, whether they come together; and of CVaR, how large they are.

Hits are [..., n] of 0 and 1 (a loss above the VaR), p the chance of one that the model states. NumPy or JAX; NaN for what is undefined.
"""

from typing import Any, NamedTuple

from lobjax.risk.namespace import as_floats, chi2_tail, namespace, xlog_ratio

YELLOW, RED = 0.95, 0.9999  # cumulative probabilities at which Basel's zones begin


class Ratio(NamedTuple):
    """A likelihood ratio and the chance of one as large under the model."""

    lr: Any
    p: Any


class Coverage(NamedTuple):
    """What `coverage` gives; `first`: the day of the first exception, counted from 1, NaN without one."""

    n: int
    exceptions: Any
    uc: Ratio
    ind: Ratio
    cc: Ratio
    tuff: Ratio
    first: Any


def kupiec(n: Any, exceptions: Any, p: float) -> Ratio:
    """Kupiec's proportion of failures (1995), chi2 with 1 degree: do so many exceptions in n days go with a chance of p?"""
    xp = namespace(n, exceptions)
    n, x = as_floats(xp, n), as_floats(xp, exceptions)
    share = x / xp.where(n > 0, n, 1.0)
    lr = 2 * (xlog_ratio(xp, n - x, 1 - share, 1 - p) + xlog_ratio(xp, x, share, p))  # 0 where the share is p
    return _ratio(xp, xp.where(n > 0, lr, xp.nan), 1)


def tuff(first: Any, p: float) -> Ratio:
    """Kupiec's time until the first failure, chi2 with 1 degree; `first` counts days from 1, NaN gives NaN."""
    xp = namespace(first)
    v = as_floats(xp, first)
    return _ratio(xp, 2 * (xlog_ratio(xp, v - 1, 1 - 1 / v, 1 - p) + xp.log(1 / v / p)), 1)


def christoffersen(hits: Any) -> Ratio:
    """Christoffersen's independence (1998), chi2 with 1 degree, on the n - 1 transitions. No exception, or one kind of day: 0."""
    xp = namespace(hits)
    hits = as_floats(xp, hits)
    before, after = hits[..., :-1], hits[..., 1:]
    n11 = (before * after).sum(-1)
    n01, n10 = ((1 - before) * after).sum(-1), (before * (1 - after)).sum(-1)
    n00 = ((1 - before) * (1 - after)).sum(-1)

    days = n00 + n01 + n10 + n11
    overall = (n01 + n11) / xp.where(days > 0, days, 1.0)

    def gain(misses, found):
        """Of the log likelihood, by a chance of its own after one kind of day."""
        share = found / xp.where(misses + found > 0, misses + found, 1.0)
        return xlog_ratio(xp, misses, 1 - share, 1 - overall) + xlog_ratio(xp, found, share, overall)

    lr = 2 * (gain(n00, n01) + gain(n10, n11))
    return _ratio(xp, lr if hits.shape[-1] else xp.full(hits.shape[:-1], xp.nan), 1)


def coverage(hits: Any, p: float) -> Coverage:
    """All of these of one row of hits; conditional coverage adds LR_uc (all n days) and LR_ind, chi2 with 2 degrees."""
    xp = namespace(hits)
    hits = as_floats(xp, hits)
    n, x = hits.shape[-1], hits.sum(-1)
    uc, ind = kupiec(xp.zeros_like(x) + n, x, p), christoffersen(hits)
    first = xp.where(x > 0, xp.argmax(hits, -1) + 1.0, xp.nan) if n else xp.full(hits.shape[:-1], xp.nan)
    return Coverage(n, x, uc, ind, _ratio(xp, uc.lr + ind.lr, 2), tuff(first, p), first)


def zone(n: int, exceptions: int, p: float) -> str:
    """Basel's traffic light: yellow where so few exceptions or fewer had a chance of 95%, red from 99.99% on.

    At 250 days and 1% that is 0 to 4 green, 5 to 9 yellow, 10 and more red (Basel Committee 1996, table 2).
    """
    from scipy.special import bdtr

    reached = float(bdtr(exceptions, n, p)) if n else 0.0
    return "red" if reached >= RED else "yellow" if reached >= YELLOW else "green"


def acerbi_szekely(returns: Any, var: Any, cvar: Any, p: float) -> tuple[Any, Any]:
    """Their first two tests of CVaR (2014), (Z1, Z2): 0 is expected, below it losses beyond the VaR are larger than stated.

    Z1 tests their size alone (NaN without an exception), Z2 size and number together; 5% of right models fall below about -0.7 in Z2.
    All [..., n], of the same days.
    """
    xp = namespace(returns, var, cvar)
    returns, var, cvar = (as_floats(xp, array) for array in (returns, var, cvar))
    hits = (-returns > var).astype(returns.dtype)
    number, scaled = hits.sum(-1), (hits * returns / cvar).sum(-1)
    z1 = xp.where(number > 0, scaled / xp.where(number > 0, number, 1.0), xp.nan) + 1
    return z1, scaled / (returns.shape[-1] * p) + 1


def _ratio(xp: Any, lr: Any, degrees: int) -> Ratio:
    """Rounding may leave a ratio of 1 a little below 0."""
    lr = xp.where(lr < 0, 0.0, lr + 0.0)
    return Ratio(lr, chi2_tail(xp, lr, degrees))
