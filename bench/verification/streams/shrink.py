"""Delta debugging: the shortest stream of messages that still shows a difference, in the smallest numbers.

A candidate is int64 `[m, 6]`, one message a row. Candidates are tried many at a time, since an engine runs many books at once.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench.verification.streams.difference import Result, differing_books
from lobjax.types import Message

MOST_CANDIDATES = 32  # candidates in one batch
BATCH_BYTES = 1 << 26  # of a batch's listings: 32 bytes an order's place and message

PRICE = Message._fields.index("price")
INT32_MIN = -(2**31)
SMALL = 10  # numbers up to this have all smaller ones tried


class Probe:
    """Whether candidates differ: as books of one batch, padded with NOOPs to few shapes, so that XLA compiles seldom.

    function: `run_streams` or `trace_streams`.
    """

    def __init__(self, engine: str, capacity: int, function: Callable[..., Result]):
        self.engine, self.capacity, self.function = engine, capacity, function

    def batch_size(self, length: int) -> int:
        """How many candidates of a length are tried at once."""
        return max(1, min(MOST_CANDIDATES, BATCH_BYTES // (_padded(length) * self.capacity * 32)))

    def differs(self, candidates: Sequence[np.ndarray]) -> np.ndarray:
        """Bool by candidate, of which there is at least one."""
        length = _padded(max(len(rows) for rows in candidates))
        size, found = self.batch_size(length), []
        for first in range(0, len(candidates), size):
            batch = np.zeros((size, length, len(Message._fields)), np.int32)
            part = candidates[first : first + size]
            for i, rows in enumerate(part):
                batch[i, : len(rows)] = rows
            found.append(self._differing(batch)[: len(part)])
        return np.concatenate(found)

    def differs_alone(self, rows: np.ndarray) -> bool:
        """Whether it differs as a test plays it: one book, nothing padded."""
        return bool(self._differing(rows[None].astype(np.int32))[0])

    def _differing(self, batch: np.ndarray) -> np.ndarray:
        messages = Message(*(np.ascontiguousarray(batch[:, :, k]) for k in range(batch.shape[2])))
        expected, found = (
            self.function(messages, engine=name, capacity=self.capacity) for name in ("reference", self.engine)
        )
        return differing_books(expected, found)


def _padded(length: int) -> int:
    """The next of 8, 32, 128, ..."""
    padded = 8
    while padded < length:
        padded *= 4
    return padded


def shrink(rows: np.ndarray, probe: Probe) -> np.ndarray:
    """The smallest `rows` that differ: no message can be left out and no number made smaller on its own."""
    while True:
        shorter = _fewer(rows, probe)
        smaller = _smaller(shorter, probe)
        if np.array_equal(smaller, rows):
            return rows
        rows = smaller


def _fewer(rows: np.ndarray, probe: Probe) -> np.ndarray:
    """Leave out runs of messages, long ones first, until no single message can go."""
    run = max(1, len(rows) // 2)
    while True:
        before, at = len(rows), 0
        while at < len(rows) > 1:
            run = min(run, len(rows) // 2)  # a candidate is never empty
            starts = range(at, len(rows), run)[: probe.batch_size(len(rows))]
            candidates = [np.delete(rows, slice(start, start + run), axis=0) for start in starts]
            hit = _first(candidates, probe)
            at = starts[len(candidates) - 1] + run if hit is None else starts[hit]
            rows = rows if hit is None else candidates[hit]
        if run == 1 and len(rows) == before:
            return rows
        run = max(1, run // 2)


def _smaller(rows: np.ndarray, probe: Probe) -> np.ndarray:
    """Make numbers smaller: prices by rank, equal numbers of a field together, then each alone, until none can be."""
    distinct = np.unique(rows[rows[:, PRICE] > 0, PRICE])
    ranked = rows.copy()
    positive = rows[:, PRICE] > 0
    ranked[positive, PRICE] = np.searchsorted(distinct, rows[positive, PRICE]) + 1
    if not np.array_equal(ranked, rows) and probe.differs([ranked])[0]:
        rows = ranked
    changed = True
    while changed:
        changed = False
        for places in _places(rows):
            while (hit := _first(candidates := list(_with_smaller(rows, places)), probe)) is not None:
                rows, changed = candidates[hit], True
    return rows


def _places(rows: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Rows and field of the numbers that are changed together. Later ones may have changed when they are reached."""
    for field in range(rows.shape[1]):
        values, counts = np.unique(rows[:, field], return_counts=True)
        for value in values[counts > 1]:
            yield np.flatnonzero(rows[:, field] == value), field
    for field in range(rows.shape[1]):
        for row in range(len(rows)):
            yield np.array([row]), field


def _with_smaller(rows: np.ndarray, places: tuple[np.ndarray, int]) -> Iterator[np.ndarray]:
    """Candidates with a smaller number there, the smallest first: nearer to 0, and positive rather than negative."""
    at, field = places
    value = int(rows[at[0], field])
    if (rows[at, field] != value).any():
        return
    sizes = (
        range(abs(value)) if abs(value) <= SMALL else [0, 1, *(abs(value) - (abs(value) >> k) for k in range(1, 32))]
    )
    numbers = {size if value > 0 else -size for size in sizes if size < abs(value)} | (
        {-value} if INT32_MIN < value < 0 else set()
    )
    for number in sorted(numbers, key=lambda number: (abs(number), number < 0)):
        candidate = rows.copy()
        candidate[at, field] = number
        yield candidate


def _first(candidates: list[np.ndarray], probe: Probe) -> int | None:
    if not candidates:
        return None
    found = np.flatnonzero(probe.differs(candidates))
    return int(found[0]) if len(found) else None
