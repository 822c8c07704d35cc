"""`python -m bench execution-paper`: the execution paper's table of benchmarks again, and with `--train` its agents too."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import recording
from bench.papers.execution.cells import TABLE_A, Cell, cell_config
from bench.papers.execution.playing import (
    INCLUDED,
    STRATEGIES,
    ProgramCache,
    Result,
    check_memory,
    profile_of,
)
from bench.papers.execution.report import figures, played, sizes
from bench.papers.execution.scores import z_score
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.learn import memory, runner
from lobjax.learn.tasks import MARKET
from lobjax.tasks import make

TABLE, RECORD, CURVES = "execution-paper.md", "execution-paper.json", "execution-paper-learning.png"


def benchmarks(chosen: Sequence[Cell], episodes: int, seed: int, engine: str, cache: ProgramCache) -> dict[str, Any]:
    """The record's part on strategies: every cell by every one of them, and the speed over those with a figure of the paper."""
    rows: list[dict[str, Any]] = []
    published: list[Result] = []
    profiles: dict[str, Any] = {}
    made = [(cell, config := cell_config(*cell, engine=engine), make(config)) for cell in chosen]
    for _, _, env in made:
        check_memory(env, episodes, results=len(made) * len(STRATEGIES))
    for cell, config, env in made:
        if cell.market not in profiles:
            profiles[cell.market] = profile_of(env)
        for name in STRATEGIES:
            what = f"{cell.market}, {cell.lots} lots, {name}"
            result = played(cache, env, name, episodes, seed, what, profiles[cell.market])
            paper = TABLE_A[cell].get(name)
            published += [result] if paper else []
            theirs = {
                "paper": paper and paper._asdict(),
                "z": z_score(result.mean, result.se, paper) if paper else None,
            }
            rows.append({**cell._asdict(), "strategy": name, **figures(result), **theirs, **sizes(env, config)})
    return {"cells": rows, "speed": _speed(published)}


def _speed(published: Sequence[Result]) -> dict[str, Any]:
    seconds, episodes = (sum(values) for values in zip(*((r.seconds, r.n) for r in published), strict=True))
    return {
        "episodes": episodes,
        "seconds": round(seconds, 3),
        "episodes_per_s": recording.rounded(episodes / seconds),
        "events_per_s": recording.rounded(sum(result.messages for result in published) / seconds),
        "compile_s": round(sum(result.compile_s for result in published), 3),
        "included": INCLUDED,
    }


def check_agents(
    agents: str, seeds: Sequence[int], chosen: Sequence[Cell], episodes: int, seed: int, assignments: Sequence[str]
) -> None:
    """Everything that can be wrong with a training is found before hours are spent."""
    from bench.papers.execution.training import AGENTS, configuration, named_agents, run_for, share_of

    if seed in seeds:
        raise InputError(f"--seed {seed}: is one of --seeds, which training draws from; choose another")
    if (max(seeds) + 2) * episodes >= 2**31:
        raise InputError(
            f"--seeds {max(seeds)}: too large for {episodes:,} episodes of each to be numbered; choose smaller ones"
        )
    for name in named_agents(agents):
        cells = share_of(name, chosen)
        if not cells:
            raise InputError(f"--agents {name}: plays in {', '.join(AGENTS[name].only)} alone; add it to --cells")
        for cell in cells:
            config = configuration(run_for(name, cell, seeds[0]), assignments)
            env = runner.check(config, MARKET)
            check_memory(env, episodes, agent=memory.acting(config, env))


def trained_agents(
    agents: str, chosen: Sequence[Cell], seeds: Sequence[int], benchmarks: Sequence[dict], runs: Path,
    cache: ProgramCache, episodes: int, seed: int, assignments: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    from bench.papers.execution.agents import agent_record, compare
    from bench.papers.execution.training import named_agents

    asked = {"episodes": episodes, "seed": seed, "assignments": assignments}
    found = {
        name: agent_record(name, chosen, seeds[:count], benchmarks, runs, cache, **asked)
        for name, count in named_agents(agents).items()
    }
    compare(found)
    return found


def draw_curves(path: Path, agents: str, chosen: Sequence[Cell], seeds: Sequence[int], runs: Path) -> None:
    from bench.papers.execution.agents import curves
    from bench.papers.execution.figures import learning_curves
    from bench.papers.execution.training import named_agents, share_of

    found = {
        name: {cell: curves(name, cell, seeds[:count], runs) for cell in share_of(name, chosen)}
        for name, count in named_agents(agents).items()
    }
    learning_curves(found, path)


def as_text(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
