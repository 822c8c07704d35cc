"""Intervals of scores of samples that follow one another: by blocks, so that what hangs together is drawn together."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class BlockInterval(NamedTuple):
    """A statistic with the percentile interval of its block bootstrap."""

    value: float
    low: float
    high: float


def block_indices(n: int, block: int, draws: int, seed: int) -> np.ndarray:
    """Circular blocks of `block` samples (Politis and Romano 1992) that make up n, int64 [draws, n]."""
    if not 1 <= block <= n:
        raise ValueError(f"blocks of {block} in {n} samples; take 1 to {n} (at least 5 times the horizon of the label)")
    starts = np.random.default_rng(seed).integers(0, n, (draws, -(-n // block)))
    return ((starts[:, :, None] + np.arange(block)) % n).reshape(draws, -1)[:, :n]


def block_bootstrap(
    statistic: Callable[[np.ndarray], float],
    n: int,
    block: int,
    *,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> BlockInterval:
    """Of a statistic of indices [n] into n samples; two models are compared by the difference of their scores on the same indices."""
    drawn = [statistic(indices) for indices in block_indices(n, block, draws, seed)]
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return BlockInterval(float(statistic(np.arange(n))), float(low), float(high))
