"""`python -m bench replay PATH [BOOK]`: does a recorded day, replayed with no agent, equal its own book file?

(Of an order-by-order file: `orders` beside this.)

The day is translated, its messages go through the reference engine, and after every row the engine's levels are compared with what the
book file (or, `--against`, another file of the same day) shows. The comparison never looks at the translator's own bookkeeping.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba import njit
from rich.console import Console
from rich.progress import Progress

from lobjax.data import Day, Origin, Replay
from lobjax.data.lobster import open_book, read_messages
from lobjax.data.sources import locate
from lobjax.errors import InputError
from lobjax.types import Side

CHUNK_ROWS = 1 << 15


def comparable(
    day: Day, path: Path, book: Path | None, against: Path | None, tick_size: int
) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """The rows of the day that can be compared, and blocks of what a file shows at them, one book row each."""
    source = locate(path, book)
    if against is None:
        file = open_book(source.book, day.info.rows, tick_size)
        known = {"rows": day.info.rows, "seed": 1, "none": 0}[file.book]
        return np.arange(known), (block[:, :, : day.info.levels] for block in file.blocks)
    other = locate(against)
    theirs, _ = read_messages(other.message, tick_size)
    file = open_book(other.book, len(theirs), tick_size)
    if file.book != "rows":
        raise InputError(f"{against}: has no book row for each message; compare with a whole LOBSTER day")
    mine, _ = read_messages(source.message, tick_size)
    my_rows, their_rows = common_rows(mine, theirs)
    last = mine[-1, 0] * 10**9 + mine[-1, 1]
    within = int((theirs[:, 0] * 10**9 + theirs[:, 1] <= last).sum())
    print(
        f"{against}: {len(their_rows):,} of its {within:,} messages up to the end of {path} occur there",
        file=sys.stderr,
    )
    return my_rows, _picked(file.blocks, their_rows)


def _picked(blocks: Iterator[np.ndarray], rows: np.ndarray) -> Iterator[np.ndarray]:
    done = 0
    for block in blocks:
        first, stop = np.searchsorted(rows, [done, done + len(block)])
        yield block[rows[first:stop] - done]
        done += len(block)


def equal_rows(day: Day, rows: np.ndarray, blocks: Iterator[np.ndarray]) -> np.ndarray:
    """At how many of `rows` each level, both sides of it, is what the blocks show: int64 [levels]."""
    engine, done = Replay(day), 0
    equal = np.zeros(0, np.int64)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replay", total=len(rows))
        for shown in _parts(blocks, len(rows)):
            depth = shown.shape[2]
            equal = equal if len(equal) else np.zeros(depth, np.int64)
            wanted = rows[done : done + len(shown)]
            before = engine.row
            held = engine.levels(int(wanted[-1]) + 1 - before, depth)[wanted - before]
            equal += (held == shown).all(axis=(1, 3)).sum(axis=0)
            done += len(shown)
            progress.update(task, completed=done)
    if any(engine.counters):
        raise RuntimeError(f"the reference engine refused messages of the replay: {engine.counters}")
    return equal


def _parts(blocks: Iterator[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """The blocks in parts of bounded size that are not empty, `rows` rows in all."""
    left = rows
    for block in blocks:
        for first in range(0, min(len(block), left), CHUNK_ROWS):
            yield block[first : min(first + CHUNK_ROWS, left)]
        left -= min(len(block), left)


def corrections_above(day: Day, path: Path, book: Path | None) -> int:
    """Messages of correction above the deepest level: the row that asked for them shows fewer than levels - 1 better prices."""
    at = np.flatnonzero(day.origin == Origin.CORRECTION)
    row, side, price = day.row[at], day.messages.side[at], day.messages.price[at]
    above, done = 0, 0
    for shown in open_book(locate(path, book).book, day.info.rows, day.info.tick_size).blocks if len(at) else ():
        first, stop = np.searchsorted(row, [done, done + len(shown)])
        level_prices = shown[row[first:stop] - done, side[first:stop], : day.info.levels, 0]
        ours = price[first:stop, None]
        better = np.where(side[first:stop, None] == Side.BID, level_prices > ours, level_prices < ours) & (
            level_prices > 0
        )
        above += int((better.sum(axis=1) < day.info.levels - 1).sum())
        done += len(shown)
    return above


@njit(cache=True)
def common_rows(mine, theirs):
    """Rows of both files, in order, whose messages are equal: theirs as a subsequence of mine, one pass."""
    pairs = np.empty((min(mine.shape[0], theirs.shape[0]), 2), np.int64)
    n, j = 0, 0
    for i in range(mine.shape[0]):
        while j < theirs.shape[0] and (
            theirs[j, 0] < mine[i, 0] or (theirs[j, 0] == mine[i, 0] and theirs[j, 1] < mine[i, 1])
        ):
            j += 1
        if j < theirs.shape[0] and (mine[i] == theirs[j]).all():
            pairs[n, 0], pairs[n, 1] = i, j
            n, j = n + 1, j + 1
    return pairs[:n, 0].copy(), pairs[:n, 1].copy()


def nanos(text: str) -> int:
    match = re.fullmatch(r"(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,9}))?", text)
    if not match:
        raise InputError(f"--until {text}: not a time; write HH:MM:SS, as 10:04:29")
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    return (hours * 3600 + minutes * 60 + seconds) * 10**9 + int((match[4] or "").ljust(9, "0"))
