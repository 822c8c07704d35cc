"""Windows of W successive snapshots, by index: no window is ever a copy of its own."""

import jax
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lobjax.snapshot.day import Snapshots


def windows(day: Snapshots, length: int) -> Snapshots:
    """All windows of a day as read-only views on it: sides `[T - W + 1, W, levels, 2]`, times `[T - W + 1, W]`.

    They take no memory, whatever W is. ValueError where the day has fewer snapshots than one window.
    """
    if not 1 <= length <= len(day.time_ns):
        raise ValueError(f"a window of {length} snapshots does not fit a day of {len(day.time_ns)}")

    def views(array: np.ndarray) -> np.ndarray:
        return np.moveaxis(sliding_window_view(array, length, axis=0), -1, 1)

    return Snapshots(*(views(array) for array in day))


def window(day: jax.Array, row: jax.Array, length: int) -> jax.Array:
    """The window `[W, ...]` of a day `[T, ...]` on the device that begins at snapshot `row`; cut back where it would run past the end."""
    return jax.lax.dynamic_slice_in_dim(day, row, length)
