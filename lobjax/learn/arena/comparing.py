"""What is said of learned groups against their baselines: evaluation.json, a table, and a sentence for each."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lobjax.arena import ROLES
from lobjax.files import whole_file
from lobjax.learn.arena.casting import Cast
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.evaluate import MEASURES, Figures
from lobjax.learn.arena.program import plays
from lobjax.results.intervals import Interval, interval
from lobjax.results.tables import WIDTH_WITHOUT_TERMINAL, plus_minus

EVALUATION = "evaluation.json"
_FIELDS = {"learned": "the others as they learned", "rules": "the others by their rules"}
_UNITS = {"profit_ticks": "profit, ticks", "return": "return"}


class Duel(NamedTuple):
    """A group's agent against its baseline in one field, by one measure: means over seats, and their paired difference."""

    agent: Interval
    baseline: Interval
    difference: Interval

    @property
    def verdict(self) -> str:
        """In words."""
        low, high = self.difference.low, self.difference.high
        if not math.isfinite(low):
            return "one episode says nothing"
        return (
            "beats its baseline"
            if low > 0
            else "loses to its baseline"
            if high < 0
            else "is not told from its baseline"
        )


class ArenaEvaluation(NamedTuple):
    """All of it: by group that learned, field and measure; and who plays the groups that did not learn."""

    episodes: int
    seed: int
    duels: dict[str, dict[str, dict[str, Duel]]]
    baselines: dict[str, str]
    others: dict[str, str]


def compare(
    config: ArenaTrainConfig, cast: Cast, played: dict[str, dict[str, tuple[Figures, Figures]]]
) -> ArenaEvaluation:
    """From the figures of `lobjax.learn.arena.evaluate`."""
    duels = {
        name: {among: {what: _duel(agent[name][what], rule[name][what]) for what in MEASURES} for among, (agent, rule) in fields.items()}
        for name, fields in played.items()
    }  # fmt: skip
    others = {name: who for name, who in plays(config, cast).items() if name not in cast.learners}
    known = {name: _baseline(cast, name) for name in played}
    return ArenaEvaluation(config.evaluation.episodes, config.evaluation.seed, duels, known, others)


def sentences(found: ArenaEvaluation) -> list[str]:
    """One for each group: who beat whom by how much, or that it was not trained."""
    said = []
    for name, fields in found.duels.items():
        for among, by in fields.items():
            duel = by["profit_ticks"]
            gap = f"{plus_minus(duel.difference, sign=True)} ticks an episode"
            said.append(f"{name}, {_FIELDS[among]}: {duel.verdict} ({found.baselines[name]}), {gap}")
    return said + [f"{name}: not trained, {who} plays it" for name, who in found.others.items()]


def save(found: ArenaEvaluation, folder: Path) -> None:
    """Write evaluation.json, whole or not at all; a bound that is not finite is null."""
    groups = {
        name: {
            "baseline": found.baselines[name],
            "among": {among: {what: _plain(duel) for what, duel in by.items()} for among, by in fields.items()},
        }
        for name, fields in found.duels.items()
    }
    about = {
        "task": "arena", "episodes": {"count": found.episodes, "seed": found.seed}, "groups": groups, "not_trained": found.others,
        "verdicts": sentences(found),
    }  # fmt: skip
    with whole_file(folder / EVALUATION) as temporary:
        temporary.write_text(json.dumps(about, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def show(found: ArenaEvaluation) -> None:
    """Print the table and the sentences on standard output."""
    made = Table(
        title=f"{found.episodes} episodes of the arena, a seat's mean ± half of the 95% interval",
        title_justify="left",
        header_style="bold",
    )
    for head in ("group", "beside", "", "agent", "baseline", "paired difference"):
        made.add_column(head, justify="right" if head in ("agent", "baseline", "paired difference") else "left")
    for name, fields in found.duels.items():
        for among, by in fields.items():
            for what, duel in by.items():
                made.add_row(
                    name,
                    _FIELDS[among],
                    _UNITS[what],
                    plus_minus(duel.agent),
                    plus_minus(duel.baseline),
                    plus_minus(duel.difference, sign=True),
                )
    for name, who in found.others.items():
        made.add_row(name, "", "", "not trained", who, "")
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(Group(made, *(Text(f"- {sentence}") for sentence in sentences(found))))


def _duel(agent: Any, baseline: Any) -> Duel:
    return Duel(interval(agent), interval(baseline), interval(agent - baseline))


def _baseline(cast: Cast, name: str) -> str:
    return ROLES[cast.group(name).role.name].baseline


def _plain(duel: Duel) -> dict[str, Any]:
    finite = lambda figure: {k: v if math.isfinite(v) else None for k, v in figure._asdict().items()}  # noqa: E731
    return {part: finite(getattr(duel, part)) for part in duel._fields} | {"verdict": duel.verdict}
