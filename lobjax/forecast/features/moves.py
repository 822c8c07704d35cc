"""12 features of where the mid came from: log changes, and realised volatility. Carries the last mids."""

import numpy as np
from numba import njit

BACK, VOLATILITY = (1, 2, 3, 5, 10, 20, 30, 60), (5, 10, 20, 60)
NAMES = (*(f"change_{n}" for n in BACK), *(f"volatility_{n}" for n in VOLATILITY))
LEVEL_OF = (1,) * 12
_LONGEST = 64  # places of the rings, more than any of these
_BACK, _VOLATILITY = np.array(BACK), np.array(VOLATILITY)


def start() -> np.ndarray:
    """Rings of log mids and of squared changes, [2, 64]."""
    return np.zeros((2, _LONGEST))


@njit(cache=True)
def fill(mid, count, state, out):
    """`out` float64 [S, 12]; `count` samples came before. What reaches before the first sample is 0, a volatility has what there is."""
    for s in range(mid.shape[0]):
        t = count + s
        here = t % _LONGEST
        state[0, here] = np.log(mid[s]) if mid[s] > 0 else 0.0
        step = state[0, here] - state[0, (t - 1) % _LONGEST] if t > 0 else 0.0
        state[1, here] = step * step
        for i in range(_BACK.shape[0]):
            if t >= _BACK[i]:
                out[s, i] = state[0, here] - state[0, (t - _BACK[i]) % _LONGEST]
        for i in range(_VOLATILITY.shape[0]):
            total = 0.0
            for k in range(min(_VOLATILITY[i], t)):
                total += state[1, (t - k) % _LONGEST]
            out[s, _BACK.shape[0] + i] = np.sqrt(total)
