"""Walk-forward folds with purge and embargo: nothing of a test fold is in what is fitted before it."""

from typing import NamedTuple

from lobjax.errors import InputError


class Fold(NamedTuple):
    """Half-open ranges of samples."""

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


def walk_forward(
    n: int, *, first: int, test: int, purge: int, embargo: int = 0, rolling: int | None = None, reach: int = 0
) -> list[Fold]:
    """Folds of n samples: tests of `test` samples in a row from `first` on (the last may be shorter), each with the training before it.

    A label reaches `reach` samples ahead, so train_stop = test_start - purge - embargo with a purge of at least that. Training begins at 0,
    or `rolling` samples before its end. InputError where there is no room for one.
    """
    for name, value, least in (("test", test, 1), ("purge", purge, 0), ("embargo", embargo, 0), ("first", first, 1)):
        if value < least:
            raise InputError(f"folds: {name} is {value}; give {least} or more")
    if purge < reach:
        raise InputError(
            f"folds: a purge of {purge} is shorter than the {reach} samples that a label reaches; lengthen it"
        )
    if first >= n:
        raise InputError(
            f"folds: the first test would begin at {first:,} of {n:,} samples; give more samples or lower it"
        )
    if first - purge - embargo < max(1, rolling or 1):
        raise InputError(
            f"folds: no room for purge {purge} and embargo {embargo} before the first test at {first}; begin it later"
        )
    starts = range(first, n, test)
    stops = [start - purge - embargo for start in starts]
    return [
        Fold(max(0, stop - rolling) if rolling else 0, stop, start, min(n, start + test))
        for start, stop in zip(starts, stops, strict=True)
    ]
