"""One implementation for NumPy (float64: commands, reports) and JAX (inside rewards and observations, jitted and mapped)."""

from typing import Any

import numpy as np

HOST = (np.ndarray, np.generic, bool, int, float, list, tuple)


def namespace(*arrays: Any) -> Any:
    """`numpy` where all of these are NumPy's or Python's, else `jax.numpy`; JAX is imported by nobody else here."""
    if all(isinstance(array, HOST) for array in arrays):
        return np
    import jax.numpy as jnp

    return jnp


def as_floats(xp: Any, values: Any) -> Any:
    """An array of floats: float64 on the host, of its own floating type (float32 for integers and booleans) in JAX."""
    if xp is np:
        return np.asarray(values, np.float64)
    array = xp.asarray(values)
    return array if xp.issubdtype(array.dtype, xp.floating) else array.astype(xp.float32)


def xlog_ratio(xp: Any, x: Any, a: Any, b: Any) -> Any:
    """x log(a / b) with 0 log 0 = 0, and 0 to the last bit where a is b."""
    none = x == 0
    return xp.where(none, 0.0, x * xp.log(xp.where(none, 1.0, a) / xp.where(none, 1.0, b)))


def chi2_tail(xp: Any, statistic: Any, degrees: int) -> Any:
    """P(X >= statistic) for a chi2 variable with 1 or 2 degrees of freedom; NaN stays NaN."""
    if degrees == 2:
        return xp.exp(-statistic / 2)
    root = xp.sqrt(statistic / 2)
    if xp is np:
        from scipy.special import erfc

        return erfc(root)
    from jax.scipy.special import erfc as erfc_of_jax

    return erfc_of_jax(root)
