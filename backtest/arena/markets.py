"""What a venue was like: spread, depth, volatility, autocorrelation, tails, and how it came back after an event, as sums over episodes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from backtest.arena.episodes import Played
from backtest.arena.resampling import Statistic, mean, ratio

BEFORE, AFTER = (
    10,
    20,
)  # decisions before an event that say what was usual, and after it in which a venue may come back to that
DEPTH_SHARE = 0.9  # of the usual depth that counts as having come back


class Measure(NamedTuple):
    """A figure of a venue: a function of sums over episodes, and how they are made: `Played` -> [E, V, K]."""

    label: str
    unit: str
    statistic: Statistic
    sums: Callable[[Played], np.ndarray]


class Recovery(NamedTuple):
    """After one event at one venue."""

    episode: int
    venue: int
    decisions: int  # until spread and depth were as before; where they were not, how long they were looked at
    recovered: bool


def changes(played: Played) -> np.ndarray:
    """Changes of the mid over each decision in ticks, [E, T, V]; NaN where there was none."""
    mid2 = np.concatenate([played.opening["mid2"][:, None], played.series["mid2"]], axis=1).astype(np.float64)
    mid2 = np.where(mid2 > 0, mid2, np.nan)
    return np.diff(mid2, axis=1) / 2


def recoveries(played: Played) -> Iterator[Recovery]:
    """After every event that left something to look at. Another event cuts the look short."""
    spread, depth = (
        np.concatenate([played.opening[name][:, None], played.series[name]], axis=1).astype(np.float64)
        for name in ("spread", "depth")
    )
    for episode, kinds in enumerate(played.event):
        edges = np.flatnonzero(np.diff(kinds, prepend=0, append=0))
        begins = [int(at) for at in edges if at < len(kinds) and kinds[at] != 0]
        for at, begin in enumerate(begins):
            end = next((int(edge) for edge in edges if edge > begin), len(kinds))  # the first decision after it
            stop = min(end + AFTER, begins[at + 1] if at + 1 < len(begins) else len(kinds))
            if stop <= end:
                continue
            # Row t + 1 is what decision t left, row 0 the opening.
            usual = slice(max(begin + 1 - BEFORE, 0), begin + 1)
            for venue in range(spread.shape[2]):
                before = spread[episode, usual, venue]
                if not np.isfinite(before).any():
                    continue
                narrow = spread[episode, end + 1 : stop + 1, venue] <= np.ceil(np.nanmean(before))
                deep = depth[episode, end + 1 : stop + 1, venue] >= DEPTH_SHARE * depth[episode, usual, venue].mean()
                back = np.flatnonzero(narrow & deep)
                yield Recovery(episode, venue, int(back[0]) + 1 if len(back) else stop - end, bool(len(back)))


def _sums(*columns: np.ndarray) -> np.ndarray:
    """Columns [E, T, V] summed over decisions, without what is NaN: [E, V, K]."""
    return np.stack([np.nansum(column, axis=1) for column in columns], axis=-1)


def _spread(played: Played) -> np.ndarray:
    spread = played.series["spread"].astype(np.float64)
    return _sums(spread, np.isfinite(spread))


def _depth(played: Played) -> np.ndarray:
    depth = played.series["depth"].astype(np.float64)
    return _sums(depth, np.ones_like(depth))


def _moments(played: Played) -> np.ndarray:
    """Sums of x x', x^2, x^4 and of the number."""
    x = changes(played)
    lagged = x[:, 1:] * x[:, :-1]
    return np.concatenate([_sums(lagged), _sums(x**2, x**4, np.isfinite(x))], axis=-1)


def _recovery(*, share: bool) -> Callable[[Played], np.ndarray]:
    def sums(played: Played) -> np.ndarray:
        found = np.zeros((played.count, played.opening["mid2"].shape[1], 2))
        for one in recoveries(played):
            found[one.episode, one.venue] += (one.recovered if share else one.decisions), 1
        return found

    return sums


MEASURES = {
    "spread_ticks": Measure("spread", "ticks", mean, _spread),
    "depth_lots": Measure("depth", "lots", mean, _depth),
    "volatility_ticks": Measure("volatility", "ticks a decision", lambda s: np.sqrt(ratio(s[..., 1], s[..., 3])), _moments),
    "autocorrelation": Measure("autocorrelation", "lag 1", lambda s: ratio(s[..., 0], s[..., 1]), _moments),
    "excess_kurtosis": Measure("tails", "excess kurtosis", lambda s: ratio(s[..., 2] * s[..., 3], s[..., 1] ** 2) - 3, _moments),
    "recovery_decisions": Measure("recovery", "decisions", mean, _recovery(share=False)),
    "recovered_share": Measure("recovered", "share of events", mean, _recovery(share=True)),
}  # fmt: skip
