"""All 78 features of samples as they come. A stream in pieces gives the whole day's features to the bit: one loop makes both."""

from pathlib import Path

import numpy as np

from lobjax.forecast.features import book, clock, flow, indicators, moves
from lobjax.forecast.features.rows import LEVELS, TICK_SIZE, Rows, read_rows
from lobjax.forecast.features.samples import EVERY, Sampler, Samples

FAMILIES = (book, flow, moves, indicators, clock)
NAMES: tuple[str, ...] = tuple(name for family in FAMILIES for name in family.NAMES)
_LEVEL_OF = np.array([level for family in FAMILIES for level in family.LEVEL_OF])


class FeatureStream:
    """Carries what features need from samples before, within a day: a new day takes a new stream."""

    def __init__(self) -> None:
        self._count = 0
        self._moves = moves.start()
        self._indicators = indicators.start()

    def push(self, samples: Samples) -> np.ndarray:
        """float64 [S, 78] of the next samples, columns as `NAMES`; features of levels that the book has not are 0 (`mask`)."""
        # Each family its own whole array: of columns of one, a single row would be of another layout, and compiled for again.
        parts = [np.zeros((len(samples.mid), len(family.NAMES))) for family in FAMILIES]
        mid = np.where(np.isnan(samples.mid), 0.0, samples.mid)
        book.fill(samples.book, mid, parts[0])
        flow.fill(samples.ofi, samples.depth, samples.shares, samples.hidden, samples.messages, parts[1])
        moves.fill(mid, self._count, self._moves, parts[2])
        indicators.fill(mid, samples.traded, samples.signed, self._count, *self._indicators, parts[3])
        clock.fill(samples.seconds, samples.took, parts[4])
        self._count += len(samples.mid)
        return np.concatenate(parts, axis=1)


class DayStream:
    """From rows of a day to features: sampler and features in one, for serving."""

    def __init__(self, levels: int, every: int = EVERY) -> None:
        self.sampler, self.features = Sampler(min(levels, LEVELS), every), FeatureStream()

    def push(self, rows: Rows) -> tuple[Samples, np.ndarray]:
        """The samples that `rows` complete, and their features."""
        samples = self.sampler.push(rows)
        return samples, self.features.push(samples)


def features_of(samples: Samples) -> np.ndarray:
    """float64 [S, 78] of a day's samples."""
    return FeatureStream().push(samples)


def mask(levels: int) -> np.ndarray:
    """Which features a book of so many levels has, bool [78]."""
    return levels >= _LEVEL_OF


def day_features(
    path: str | Path, *, tick_size: int = TICK_SIZE, every: int = EVERY
) -> tuple[Samples, np.ndarray, np.ndarray]:
    """(samples, features [S, 78], mask [78]) of a recorded day; InputError as `read_rows`."""
    rows = read_rows(path, tick_size=tick_size)
    samples, found = DayStream(rows.book.shape[2], every).push(rows)
    return samples, found, mask(rows.book.shape[2])
