"""Arrays from outside, checked before compiled loops see them: those trust every length and every index that they are given."""

from typing import Any

import numpy as np


def check_column(
    name: str,
    array: Any,
    dtype: Any,
    length: int | None,
    low: int | None = None,
    high: int | None = None,
    *,
    rises: bool = False,
) -> None:
    """ValueError, which names the column and the first place that is wrong, unless an array is one that a loop may run over.

    That is: NumPy, of this type, `[length]` (None: of any length), with values from `low` to `high`; `rises`: none below the one before.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype) or array.ndim != 1:
        kind = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise ValueError(f"{name} is {kind}, not {np.dtype(dtype)} [{'any' if length is None else length}]")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} has {len(array):,} values, not {length:,}")
    if not len(array):
        return
    if low is not None and array.min() < low:
        at = int(np.argmax(array < low))
        raise ValueError(f"{name} is {array[at]} at {at}, below {low}")
    if high is not None and array.max() > high:
        at = int(np.argmax(array > high))
        raise ValueError(f"{name} is {array[at]} at {at}, above {high}")
    if rises and (array[1:] < array[:-1]).any():
        at = int(np.argmax(array[1:] < array[:-1])) + 1
        raise ValueError(f"{name} is {array[at]} at {at}, less than the one before")


def check_times(name: str, seconds: Any, nanos: Any, length: int) -> None:
    """The same for times in two int32 numbers, `[length]`: not negative, less than 10^9 nanoseconds, none before the one before."""
    check_column(f"{name}_s", seconds, np.int32, length, 0)
    check_column(f"{name}_ns", nanos, np.int32, length, 0, 10**9 - 1)
    back = (seconds[1:] < seconds[:-1]) | ((seconds[1:] == seconds[:-1]) & (nanos[1:] < nanos[:-1]))
    if back.any():
        at = int(np.argmax(back)) + 1
        raise ValueError(f"{name} goes back at {at}, from {seconds[at - 1]} s to {seconds[at]} s")


def check_where(name: str, wrong: np.ndarray, array: np.ndarray, what: str) -> None:
    """ValueError that names the first place where `wrong` holds, its value, and `what` is wrong with it."""
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(f"{name} is {array[at]} at {at}, {what}")


def as_int32(name: str, array: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of whole numbers as int32 of this shape (None: any length); ValueError where it is not, or a number would change."""
    given = np.asarray(array)
    if (
        given.dtype.kind not in "iu"
        or given.ndim != len(shape)
        or any(n not in (None, m) for n, m in zip(shape, given.shape, strict=True))
    ):
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} is {given.dtype} {list(given.shape)}; give whole numbers [{wanted}]")
    narrow = given.astype(np.int32)
    if (narrow != given).any():
        raise ValueError(f"{name} has {given[narrow != given][0]}, beyond 32 bits")
    return narrow
