"""Market statistics with their sampling errors, beside those of an independent simulator of the same markets over 6,000 episodes."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bench.papers.market.sampling import Paths

REFERENCE_EPISODES = 6000


class Estimate(NamedTuple):
    """A value and its standard error over n independent episodes."""

    value: float
    error: float
    n: int


class Row(NamedTuple):
    """One statistic of one market; the reference as it was printed, "" where there is none."""

    name: str
    ours: Estimate
    reference: str

    @property
    def z(self) -> float | None:
        """Ours less the reference's, over the error of both: its sampling error is ours for as many episodes, then its rounding."""
        if not self.reference:
            return None
        sampled = self.ours.error**2 * (1 + self.ours.n / REFERENCE_EPISODES)
        rounded = rounding(self.reference) ** 2 / 12
        return (self.ours.value - float(self.reference)) / math.sqrt(sampled + rounded)


def rounding(printed: str) -> float:
    """What the last digit of a printed number stands for: '0.03' 0.01, '1129' 1."""
    return 10.0 ** -len(printed.partition(".")[2])


def mean(values: np.ndarray) -> Estimate:
    """The mean of independent values `[n]`."""
    values = np.asarray(values, np.float64)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), len(values))


def std(values: np.ndarray) -> Estimate:
    """Their standard deviation; its error is from the fourth moment, whatever their distribution."""
    values = np.asarray(values, np.float64)
    n, deviation = len(values), float(values.std(ddof=1))
    fourth = float(np.mean((values - values.mean()) ** 4))
    error = math.sqrt(max(fourth - deviation**4, 0.0) / n) / (2 * deviation) if deviation else 0.0
    return Estimate(deviation, error, n)


def drift(paths: Paths) -> np.ndarray:
    """Change of the mid over an episode `[n]`, in ticks."""
    return paths.mid_last - paths.mid_first


STATISTICS: Mapping[str, Callable[[Paths], Estimate]] = {
    "mid drift, mean (ticks)": lambda p: mean(drift(p)),
    "mid drift, std": lambda p: std(drift(p)),
    "mid drift in the strategic trader's direction, mean": lambda p: mean(drift(p) * p.direction),
    "mid drift given the direction, std": lambda p: std(drift(p) * p.direction),
    "spread, time average (ticks)": lambda p: mean(p.spread.mean(axis=1)),
    "share of time with a spread of one tick": lambda p: mean((p.spread == 1).mean(axis=1)),
    "lots at the best bid, time average": lambda p: mean(p.bid_lots.mean(axis=1)),
    "events of the noise trader": lambda p: mean(p.noise_events.sum(axis=1)),
    "lots of market orders to buy, mean": lambda p: mean(p.bought),
    "lots of market orders to buy, std": lambda p: std(p.bought),
}
# In the order of STATISTICS.
REFERENCE: Mapping[str, tuple[str, ...]] = {
    "noise": ("0.03", "1.57", "", "", "1.253", "0.759", "6.61", "1129", "47.9", "12.5"),
    "tactical": ("0.01", "1.03", "", "", "1.316", "0.708", "6.44", "1133", "50.1", "12.5"),
    "strategic": ("", "4.17", "4.10", "0.78", "1.087", "0.914", "9.41", "1328", "75.8", "23.2"),
}
REFERENCE_SECONDS = 150


def rows(market: str, paths: Paths) -> list[Row]:
    """All statistics of a market; with a reference where it is one of the three, over 150 s."""
    known = REFERENCE.get(market) if paths.seconds == REFERENCE_SECONDS else None
    printed = known or ("",) * len(STATISTICS)
    directed = bool(paths.direction.any())
    found = zip(STATISTICS.items(), printed, strict=True)
    return [Row(name, of(paths), text) for (name, of), text in found if directed or "direction" not in name]
