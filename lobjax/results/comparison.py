"""Players compared over the same episodes: their figures, the paired differences to the first of them, and what that says in words."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from lobjax.env import Environment, EnvParams, Measures, Metric
from lobjax.evaluation import Episodes, Evaluator
from lobjax.players import Player
from lobjax.results.intervals import Interval, interval
from lobjax.results.metrics import MUST_BE_ZERO
from lobjax.strategies import why_same

FEW_EPISODES = 30
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Comparison:
    """Per-episode figures of every player, episode `i` the same for all; differences are those of the first player to the others."""

    task: str
    episodes: dict[str, Any]  # how they were drawn: count, seed, starts
    figures: dict[str, dict[str, np.ndarray]]  # player -> name in `info` -> [n]
    paths: dict[
        str, dict[str, np.ndarray]
    ]  # player -> what was watched -> [n, decisions + 1]; empty where it was not kept
    measures: Measures  # what they are compared by
    reasons: dict[str, str] = field(default_factory=dict)  # player -> why it could not but do as one before it did

    @property
    def players(self) -> list[str]:
        """Names, the first player first."""
        return list(self.figures)

    @property
    def first(self) -> str:
        """The player that the others are compared with."""
        return self.players[0]

    @property
    def others(self) -> list[str]:
        """All but the first."""
        return self.players[1:]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is reported of this task."""
        return self.measures.metrics

    @property
    def headline(self) -> Metric:
        """The figure that decides."""
        return self.measures.by_name[self.measures.headline]

    @property
    def count(self) -> int:
        """Episodes that every player played."""
        return len(self.figures[self.first][self.headline.name])

    def mean(self, player: str, name: str) -> Interval:
        """A figure of a player."""
        return interval(self.figures[player][name])

    def difference(self, other: str, name: str) -> Interval:
        """The first player's figure less another's, episode by episode."""
        ours, theirs = (np.asarray(self.figures[p][name], np.float64) for p in (self.first, other))
        return interval(ours - theirs)

    def advantage(self, other: str) -> Interval:
        """The difference in the headline figure, signed so that positive is good for the first player."""
        gap = self.difference(other, self.headline.name)
        if self.headline.better == "higher":
            return gap
        return gap._replace(mean=0.0 - gap.mean, low=0.0 - gap.high, high=0.0 - gap.low)  # 0.0 - x: no negative zero

    def verdicts(self) -> list[str]:
        """One sentence for each other player: whether the first beats it, loses to it, or cannot be told from it."""
        return [_verdict(self.first, other, self.headline, self.advantage(other)) for other in self.others]

    def warnings(self) -> list[str]:
        """What a reader must know before believing the table; empty where all is well."""
        found = []
        for name, meaning in MUST_BE_ZERO.items():
            totals = {p: float(np.sum(f[name])) for p, f in self.figures.items() if name in f}
            if wrong := {p: total for p, total in totals.items() if total != 0}:
                found.append(
                    f"{name} is not 0 ({', '.join(f'{p}: {total:g}' for p, total in wrong.items())}): {meaning}"
                )
        if self.count < FEW_EPISODES:
            found.append(
                f"only {self.count} episodes: the intervals are wide and rest on an assumption of near-normal means"
            )
        return found + [_same(player, other, self.reasons.get(player, "")) for player, other in self.same.items()]

    @property
    def same(self) -> dict[str, str]:
        """Players whose every figure in every episode is that of one before them: player -> the first such one."""
        found: dict[str, str] = {}
        for other, player in combinations(self.players, 2):
            if player not in found and other not in found and _equal(self.figures[player], self.figures[other]):
                found[player] = other
        return found


def compare(
    env: Environment,
    params: EnvParams,
    players: dict[str, Player],
    episodes: Episodes,
    progress: Progress = lambda player, done: None,
) -> Comparison:
    """Play every player over the same episodes; `progress(player, episodes done)`. ValueError without players."""
    if not players:
        raise ValueError("nobody to compare")
    evaluator = Evaluator(env, params, episodes, env.measures.watch(params))
    figures, paths = {}, {}
    for name, player in players.items():
        played = evaluator.play(player, lambda done, name=name: progress(name, done))
        figures[name], paths[name] = played.final, _without_own(played.path)
    about = {"count": episodes.count, "seed": episodes.seed, "starts": episodes.starts}
    comparison = Comparison(env.name, about, figures, paths, env.measures)
    reasons = {p: why_same(env, {q: players[q] for q in (other, p)}) for p, other in comparison.same.items()}
    return replace(comparison, reasons={player: why for player, why in reasons.items() if why})


def _without_own(path: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The path with the volume of others only, as lots traded since the decision before (0 at the opening)."""
    own = path.pop("own_lots")
    volume = path["volume_lots"] - np.diff(own, axis=1, prepend=own[:, :1])
    volume[:, 0] = 0  # the tape of the opening is that of the warm-up
    return {**path, "volume_lots": volume}


def _equal(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    pairs = [(np.asarray(ours[name]), np.asarray(theirs[name])) for name in ours.keys() & theirs.keys()]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f") for a, b in pairs)


def _same(player: str, other: str, why: str) -> str:
    return f"{player} did exactly what {other} did in every episode" + (f": {why}" if why else "")


def _verdict(first: str, other: str, figure: Metric, gap: Interval) -> str:
    size = f"{abs(gap.mean):.3g} {figure.unit}"
    low, high = sorted((abs(gap.low), abs(gap.high)))
    if gap.low == gap.high == 0:
        return f"{first} and {other} did exactly the same."
    if gap.low > 0:
        return f"{first} beats {other}: its {figure.label} is better by {size} (95% interval {low:.3g} to {high:.3g})."
    if gap.high < 0:
        return (
            f"{first} loses to {other}: its {figure.label} is worse by {size} (95% interval {low:.3g} to {high:.3g})."
        )
    return (
        f"{first} and {other} cannot be told apart: {first} is {'better' if gap.mean >= 0 else 'worse'} by {size}, and the 95% interval "
        f"({gap.low:.3g} to {gap.high:.3g}) contains 0."
    )
