"""How far a figure is from the paper's, what several training seeds say together, and who beats whom."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from bench.papers.execution.cells import PAPER_EPISODES, Figure
from lobjax.results import interval


class Estimate(NamedTuple):
    """A mean with its standard error and the degrees of freedom of that error, and the standard deviation over episodes."""

    mean: float
    se: float
    freedom: int
    std: float

    @property
    def low(self) -> float:
        return self.mean - self._half

    @property
    def high(self) -> float:
        """The upper end of the 95% interval (Student's t)."""
        return self.mean + self._half

    @property
    def _half(self) -> float:
        return float(stats.t.ppf(0.975, self.freedom)) * self.se


class Gap(NamedTuple):
    """A difference of independent means, with its 95% interval."""

    mean: float
    low: float
    high: float


class Overall(NamedTuple):
    """The mean over cells of ours less the paper's, its standard error, and the one over the other."""

    mean: float
    se: float
    z: float


def paper_se(paper: Figure) -> float:
    """The sampling error of a figure of the paper's tables."""
    return paper.std / math.sqrt(PAPER_EPISODES)


def z_score(mean: float, se: float, paper: Figure) -> float:
    """(ours - the paper's) / sqrt(se^2 + paper_std^2 / 9984)."""
    return (mean - paper.mean) / math.hypot(se, paper_se(paper))


def over_episodes(mean: float, std: float, n: int) -> Estimate:
    """What n independent episodes say."""
    return Estimate(mean, std / math.sqrt(n), n - 1, std)


def over_seeds(of_seeds: Sequence[Estimate]) -> Estimate:
    """What agents of several training seeds say together, each evaluated on episodes of its own.

    The standard error is that of the mean over seeds, sd / sqrt(k), and holds the evaluation's error too. One seed says nothing of others:
    its error over episodes is all there is. The deviation is that of all episodes around their own agent's mean.
    """
    if len(of_seeds) == 1:
        return of_seeds[0]
    means = interval(np.array([seed.mean for seed in of_seeds]))
    std = math.sqrt(sum(seed.std**2 for seed in of_seeds) / len(of_seeds))
    return Estimate(means.mean, means.std / math.sqrt(means.n), means.n - 1, std)


def gap(ours: Estimate, other: Estimate) -> Gap:
    """Ours less the other's, and its interval by Welch's degrees of freedom."""
    a, b = ours.se**2, other.se**2
    mean = ours.mean - other.mean
    if a + b == 0:
        return Gap(mean, mean, mean)
    freedom = (a + b) ** 2 / (a**2 / ours.freedom + b**2 / other.freedom)
    half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(a + b)
    return Gap(mean, mean - half, mean + half)


def overall(ours: Sequence[Sequence[Estimate]], papers: Sequence[Figure]) -> Overall:
    """Whether ours lie above the paper's over all cells taken together. ours: of each cell, of each seed.

    Cells share seeds and random numbers, so seeds are what is counted: each one's mean over cells is one number. What cannot be had by
    seeds (the paper's errors, and ours with one seed) is added up as if it went the same way in all cells, which is the most it can be.
    """
    cells = len(papers)
    of_seeds = np.array([[estimate.mean for estimate in cell] for cell in ours]).mean(axis=0)
    mean = float(of_seeds.mean()) - sum(paper.mean for paper in papers) / cells
    one = sum(cell[0].se for cell in ours) / cells
    se = one if len(of_seeds) == 1 else float(of_seeds.std(ddof=1)) / math.sqrt(len(of_seeds))
    se = math.hypot(se, sum(map(paper_se, papers)) / cells)
    return Overall(mean, se, mean / se)
