"""What an online rule is: it has weights for the next period and learns the relatives of each period when it is over."""

from typing import Protocol

import numpy as np


class Online(Protocol):
    """A rule over `N` assets, long only. Weights depend on the relatives that were observed, and on nothing else."""

    weights: np.ndarray  # float64 [N], for the next period; they sum to 1

    def observe(self, relatives: np.ndarray) -> None:
        """Learn price over last price, float64 [N], of the period that is over."""
        ...


def equal(assets: int) -> np.ndarray:
    """1/N."""
    return np.full(assets, 1 / assets)


def drifted(weights: np.ndarray, relatives: np.ndarray) -> np.ndarray:
    """Weights after a period without trades."""
    grown = weights * relatives
    return grown / grown.sum()
