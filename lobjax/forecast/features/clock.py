"""3 features of time: where in the day a sample is, and how long it took."""

import numpy as np
from numba import njit

NAMES = ("day_sine", "day_cosine", "log_seconds")
LEVEL_OF = (1,) * 3
LEAST_SECONDS = 1e-6  # of a burst that shares one time stamp


@njit(cache=True)
def fill(seconds, took, out):
    """`out` float64 [S, 3]."""
    for s in range(seconds.shape[0]):
        angle = 2 * np.pi * seconds[s] / 86_400
        out[s, 0], out[s, 1], out[s, 2] = np.sin(angle), np.cos(angle), np.log(LEAST_SECONDS + max(took[s], 0.0))
