"""Random books, orders and accounts for tests, in NumPy."""

from typing import NamedTuple

import numpy as np

LEVELS = 10


class Cases(NamedTuple):
    """B random books and what is asked of each; int32 unless said."""

    bids: np.ndarray  # [B, LEVELS, 2]
    asks: np.ndarray
    size: np.ndarray  # [B], signed lots
    cash: np.ndarray  # int64 [B], ticks x lots
    fees: np.ndarray  # int64 [B], 10^-4 ticks x lots
    position: np.ndarray  # [B]
    milliticks: np.ndarray  # [B]
    bps: np.ndarray  # [B]


def books(count: int, seed: int, levels: int = LEVELS) -> tuple[np.ndarray, np.ndarray]:
    """Uncrossed books int32 `[count, levels, 2]` a side of any depth (now and then none on one side), at small and at large prices."""
    rng = np.random.default_rng(seed)
    mid = np.where(rng.random(count) < 0.5, rng.integers(2_000, 50_000, count), rng.integers(1 << 20, 1 << 22, count))
    sides = []
    for sign in (-1, 1):
        away = np.cumsum(rng.integers(1, 30, (count, levels)), axis=1)
        lots = np.where(rng.random((count, levels)) < 0.9, rng.integers(1, 40, (count, levels)), 1 << 16)
        depth = np.where(rng.random(count) < 0.1, rng.integers(0 if sign > 0 else 1, levels, count), levels)
        live = np.arange(levels) < depth[:, None]
        sides.append(np.stack([(mid[:, None] + sign * away) * live, lots * live], axis=-1).astype(np.int32))
    return sides[0], sides[1]


def cases(count: int, seed: int = 0) -> Cases:
    """Books with orders from nothing to more than they hold, and accounts long, short and flat, with fees and rebates."""
    rng = np.random.default_rng(seed + 1)
    scale = rng.choice([5, 200, 1 << 20], count)
    return Cases(
        *books(count, seed),
        (rng.integers(-1, 2, count) * rng.integers(0, scale + 1)).astype(np.int32),
        rng.integers(-(1 << 43), 1 << 43, count),
        rng.integers(-(1 << 50), 1 << 50, count),
        (rng.integers(-1, 2, count) * rng.integers(0, scale + 1)).astype(np.int32),
        rng.integers(-1_000, 100_000, count).astype(np.int32),
        rng.integers(0, 100, count).astype(np.int32),
    )


def walk(count: int, seed: int, levels: int = LEVELS) -> tuple[np.ndarray, np.ndarray]:
    """A day of `count` snapshots whose mid wanders: int32 `[count, levels, 2]` a side."""
    rng = np.random.default_rng(seed)
    mid = 20_000 + np.cumsum(rng.integers(-6, 7, count))
    sides = []
    for sign in (-1, 1):
        away = np.cumsum(rng.integers(1, 5, (count, levels)), axis=1)
        sides.append(np.stack([mid[:, None] + sign * away, rng.integers(1, 9, (count, levels))], -1).astype(np.int32))
    return sides[0], sides[1]
