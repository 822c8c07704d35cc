"""What the agents' figures say: where they win, and above all where they do not."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.papers.execution.cells import Figure
from bench.papers.execution.scores import Estimate, Gap, gap, over_episodes, overall

Record = Mapping[str, Any]
BEHIND_Z = -2.0  # combined standard errors below the paper's that count as falling short
_COMPARED = {"sl": "submit and leave", "twap": "TWAP"}


def sentences(name: str, cells: Sequence[Record], benchmarks: Sequence[Record]) -> list[str]:
    """Sentences on an agent: on how much they rest, against the strategies as measured here, against the paper's agent."""
    return [
        _ground(cells),
        _commits(cells),
        *_strategies(name, cells, benchmarks),
        *_paper(name, cells),
        *_wrong(cells),
    ]


def estimate_of(record: Mapping[str, float]) -> Estimate:
    """The estimate in a record."""
    return Estimate(record["mean"], record["se"], int(record["freedom"]), record["std"])


def specialists(name: str, cells: Sequence[Record], other: str, others: Sequence[Record]) -> list[str]:
    """Sentences on one agent against another that was trained for each market by itself, in the cells that both play."""
    said = []
    for cell in cells:
        for its in (record for record in others if _where(record) == _where(cell)):
            found = gap(estimate_of(cell["sampled"]), estimate_of(its["sampled"]))
            interval = f"95% interval {found.low:+.3f} to {found.high:+.3f}"
            said.append(f"{_place(cell)}: {name} less {other}, {found.mean:+.3f} ticks ({interval}).")
    return said


def _ground(cells: Sequence[Record]) -> str:
    seeds, n = len(cells[0]["of_seeds"]), cells[0]["of_seeds"][0]["sampled"]["n"]
    if seeds == 1:
        return f"One training seed, {n:,} episodes: intervals are over episodes, and nothing is said of other seeds."
    return f"{seeds} training seeds a cell, {n:,} episodes for each, others for every seed; standard errors and intervals are over seeds."


def _commits(cells: Sequence[Record]) -> str:
    """Which code trained and evaluated: runs and figures are kept, and may be older than the rest of a table."""
    found = [seed["commits"] for cell in cells for seed in cell["of_seeds"]]
    said = [
        f"{what} at commit {', '.join(sorted({commits[what][:12] for commits in found}))}"
        for what in ("trained", "evaluated")
    ]
    return f"{said[0].capitalize()}, {said[1]}."


def _strategies(name: str, cells: Sequence[Record], benchmarks: Sequence[Record]) -> list[str]:
    wins, others = 0, []
    for cell in cells:
        for strategy, called in _COMPARED.items():
            (played,) = (b for b in benchmarks if (b["market"], b["lots"], b["strategy"]) == (*_where(cell), strategy))
            found = gap(estimate_of(cell["sampled"]), over_episodes(played["mean"], played["std"], played["n"]))
            if found.low > 0:
                wins += 1
            else:
                others.append(f"{_place(cell)}: {_not_better(name, called, found)}")
    total = len(cells) * len(_COMPARED)
    against = " and ".join(_COMPARED.values())
    first = f"{name} beats {against}, as measured here, in {wins} of {total} comparisons (95% intervals above 0)."
    return [first, *others]


def _not_better(name: str, other: str, found: Gap) -> str:
    interval = f"95% interval {found.low:+.3f} to {found.high:+.3f}"
    if found.high < 0:
        return f"{name} loses to {other} by {-found.mean:.3f} ticks ({interval})."
    return f"{name} cannot be told apart from {other}: {found.mean:+.3f} ticks ({interval})."


def _paper(name: str, cells: Sequence[Record]) -> list[str]:
    ours, theirs = [estimate_of(cell["sampled"]) for cell in cells], [Figure(**cell["paper"]) for cell in cells]
    above = sum(a.mean > b.mean for a, b in zip(ours, theirs, strict=True))
    of_seeds = [
        [over_episodes(*(seed["sampled"][key] for key in ("mean", "std", "n"))) for seed in cell["of_seeds"]]
        for cell in cells
    ]
    together = overall(of_seeds, theirs)
    said = [
        f"{name} lies above the paper's figure in {above} of {len(cells)} cells; over them together by {together.mean:+.3f} ticks "
        f"(standard error {together.se:.3f}, z {together.z:+.2f})."
    ]
    short = [cell for cell in cells if cell["z"] < BEHIND_Z]
    for cell in short:
        behind = cell["paper"]["mean"] - cell["sampled"]["mean"]
        said.append(f"{_place(cell)}: {name} falls short of the paper's by {behind:.3f} ticks, z {cell['z']:+.2f}.")
    if not short:
        said.append("In no cell does it fall short of the paper's by more than 2 combined standard errors.")
    return said


def _wrong(cells: Sequence[Record]) -> list[str]:
    found = []
    for cell in cells:
        for scores in cell["of_seeds"]:
            for part in ("training", "sampled", "mode"):
                if wrong := scores[part]["not_zero"]:
                    counts = ", ".join(f"{count} is {number:g}" for count, number in wrong.items())
                    found.append(f"Mind: {_place(cell)}, seed {scores['seed']}, {part}: {counts}, and must be 0.")
    return found


def _where(cell: Record) -> tuple[str, int]:
    return cell["market"], cell["lots"]


def _place(cell: Record) -> str:
    return f"{cell['market']}, {cell['lots']} lots"
