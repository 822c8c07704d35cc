"""Days of snapshots: from a plain .npz file, or from any recorded day that `lobjax.data` reads. NumPy and Numba, no JAX.

The .npz holds `bids` and `asks`, int32 `[T, levels, 2]`: (price in ticks, size in lots) by level, best first, size 0 where there is no
level; and `time_s`, `[T]` seconds after midnight that do not fall. Without `time_s`, snapshot k counts as taken k seconds after midnight.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lobjax.data.day import Day
from lobjax.data.replay import Replay
from lobjax.data.store import load_day
from lobjax.data.windows import NANOS_PER_SECOND, row_times_ns
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.reading import read_npz
from lobjax.snapshot.checks import check

_BLOCK_BYTES = 1 << 24  # of levels that are replayed at once
_MOST = 1 << 28  # levels a side of a day: 2 GiB
_END_S = 90_000  # later than any moment of a day


class Snapshots(NamedTuple):
    """T snapshots of one book."""

    bids: np.ndarray  # int32 [T, levels, 2]: price in ticks, size in lots; best first, zeros where there is no level
    asks: np.ndarray  # the same
    time_ns: np.ndarray  # int64 [T], nanoseconds after midnight, never falling


def load_snapshots(
    path: str | Path,
    *,
    from_s: float = 0.0,
    until_s: float = _END_S,
    every_s: float,
    book: str | Path | None = None,
    levels: int | None = None,
    instrument: str | None = None,
) -> Snapshots:
    """The book of a day as it stands every `every_s` seconds from `from_s` to `until_s` (seconds after midnight), both included.

    `path`: an .npz as above, or whatever `lobjax.data.load_day` reads (with `book`, `levels`, `instrument` as there). Moments before the
    record begins or after it ends are left out. InputError, in one line, for whatever is wrong with the file, and where no moment is left.
    """
    path = Path(path)
    is_npz = path.suffix == ".npz"
    if is_npz and (book is not None or instrument is not None):
        raise InputError(f"{path}: a file of snapshots is of one instrument and whole; leave book and instrument out")
    day = _read_npz(path, levels) if is_npz else _from_day(path, book, levels, instrument, (from_s, until_s, every_s))
    if is_npz:
        chosen = _moments(day.time_ns, from_s, until_s, every_s, str(path))[1]
        day = day._replace(bids=day.bids[chosen], asks=day.asks[chosen], time_ns=day.time_ns[chosen])
    check(day.bids, day.asks, str(path))
    return day


def sampled(day: Day, rows: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """The best levels of a recorded day after each of `rows` (rising): int32 `[len(rows), levels, 2]` of bids and of asks.

    The day is replayed once, in blocks: memory is that of the result and one block, however many rows the day has.
    """
    out = np.zeros((2, len(rows), levels, 2), np.int32)
    replay, done = Replay(day), 0
    block = max(1, _BLOCK_BYTES // (16 * levels))
    while done < len(rows):
        start = int(rows[done])  # never behind: a block ends with all that asks for its last row
        replay.levels(start - replay.row, 0)
        seen = replay.levels(min(block, int(rows[-1]) + 1 - start), levels)
        stop = int(np.searchsorted(rows, start + len(seen)))
        out[:, done:stop] = seen[rows[done:stop] - start].transpose(1, 0, 2, 3)
        done = stop
    return out[0], out[1]


def write_npz(path: str | Path, day: Snapshots) -> None:
    """Write a day of snapshots in the layout above, whole or not at all."""
    with whole_file(path) as temporary:
        np.savez_compressed(temporary, bids=day.bids, asks=day.asks, time_s=day.time_ns / NANOS_PER_SECOND)


def _from_day(
    path: Path, book: Any, levels: int | None, instrument: str | None, span: tuple[float, float, float]
) -> Snapshots:
    given = {name: value for name, value in (("levels", levels), ("instrument", instrument)) if value is not None}
    day = load_day(path, book, **given)
    moments, rows = _moments(row_times_ns(day), *span, str(path))
    if len(rows) * day.info.levels > _MOST:
        raise InputError(
            f"{path}: {len(rows):,} snapshots of {day.info.levels} levels are more than {_MOST:,} levels a side; take fewer levels or "
            "hours, or take them less often"
        )
    return Snapshots(*sampled(day, rows, day.info.levels), moments)


def _moments(time_ns: np.ndarray, from_s: float, until_s: float, every_s: float, where: str) -> tuple[np.ndarray, ...]:
    """Moments on the grid within the record, int64 nanoseconds, and the last row at or before each."""
    every, first, last = _nanos(every_s), int(time_ns[0]), int(time_ns[-1])
    if every <= 0:
        raise ValueError(f"every_s is {every_s}; it must be a nanosecond or more")
    start, stop = _nanos(from_s), min(_nanos(until_s), last)
    start += max(0, -(-(first - start) // every)) * every  # the first moment of the grid within the record
    if (stop - start) // every >= _MOST:
        raise InputError(
            f"{where}: more than {_MOST:,} snapshots {every_s:g} s apart; take them less often, or fewer hours"
        )
    moments = np.arange(start, stop + 1, every, dtype=np.int64)
    if len(moments) == 0:
        first, last = first / NANOS_PER_SECOND, last / NANOS_PER_SECOND
        raise InputError(
            f"{where}: no snapshot between {from_s:g} s and {until_s:g} s after midnight; the record spans {first:.0f} s to {last:.0f} s, "
            "choose other hours"
        )
    return moments, np.searchsorted(time_ns, moments, side="right") - 1


def _nanos(seconds: float) -> int:
    return round(seconds * NANOS_PER_SECOND)


def _read_npz(path: Path, levels: int | None) -> Snapshots:
    arrays = read_npz(path, ("bids", "asks", "time_s"))
    sides = []
    for name in ("bids", "asks"):
        if name not in arrays:
            raise InputError(f"{path}: has no array '{name}'; give bids and asks, int32 [T, levels, 2]")
        side = arrays[name]
        if side.ndim != 3 or side.shape[2] != 2 or side.dtype != np.int32:
            raise InputError(f"{path}: {name} is {side.dtype} {list(side.shape)}; give int32 [T, levels, 2]")
        if levels is not None and levels > side.shape[1]:
            raise InputError(f"{path}: {name} has {side.shape[1]} levels, {levels} were asked for; ask for no more")
        sides.append(np.ascontiguousarray(side[:, :levels]))
    bids, asks = sides
    if bids.shape != asks.shape or not len(bids):
        raise InputError(
            f"{path}: bids are {list(bids.shape)} and asks {list(asks.shape)}; give one shape, of a snapshot at least"
        )
    return Snapshots(bids, asks, _times(path, arrays.get("time_s"), len(bids)))


def _times(path: Path, time_s: np.ndarray | None, count: int) -> np.ndarray:
    if time_s is None:
        time_s = np.arange(count, dtype=np.float64)
    if time_s.shape != (count,) or time_s.dtype.kind not in "fiu":
        raise InputError(f"{path}: time_s is {time_s.dtype} {list(time_s.shape)}; give {count} numbers, seconds")
    time_s = time_s.astype(np.float64)  # narrow and unsigned types overflow below
    if not (np.isfinite(time_s).all() and (np.diff(time_s) >= 0).all() and time_s[0] >= 0 and time_s[-1] <= _END_S):
        raise InputError(f"{path}: time_s must rise from 0 or more to at most {_END_S} seconds after midnight; mend it")
    return np.round(time_s * NANOS_PER_SECOND).astype(np.int64)
