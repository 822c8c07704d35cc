"""`python -m bench execution-paper`: the execution paper's table of benchmarks again, and with `--train` its agents too."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from bench import market_record, market_statistics, records
from bench.execution_cell import MEASURED, check_episodes, figures, played, sizes
from bench.execution_cells import MARKETS, TABLE_A, Cell, cell_config, named_cells
from bench.execution_play import INCLUDED, STRATEGIES, Result, Theatre, profile_of
from bench.execution_scores import z_score
from bench.execution_tables import markdown
from bench.market_statistics import MOST_EPISODES
from lobjax.env import make
from lobjax.errors import InputError
from lobjax.files import whole_file
from train.progress import phase

TABLE, RECORD, CURVES = "execution-paper.md", "execution-paper.json", "execution-paper-learning.png"


def execution_paper(
    *,
    episodes: int = 10_000,
    seed: int = 100,
    cells: str = "all",
    engine: str = "auto",
    out: Path | None = None,
    statistics: int = 10_000,
    train: bool = False,
    agents: str = "ln,dr",
    seeds: str = "0,1,2,3,4",
    runs: Path = Path("runs/execution-paper"),
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
) -> None:
    """Play the benchmarks of Cheridito and Weiss (arXiv 2507.06345) in its three markets; print ours, theirs and z as Markdown.

    With --train its agents too: every seed in every cell in a folder of its own, trained once; a command that was stopped goes on
    where it was.

    Args:
        episodes: Of every strategy, and of every trained agent, in every cell.
        seed: Of the episodes; none of --seeds.
        cells: all, or some of noise-20, noise-60, tactical-20, tactical-60, strategic-20, strategic-60 with commas between.
        engine: auto, host, xla or kernel, for the strategies; agents play on the one that their configuration names.
        out: A folder for the table, the record, the markets' statistics and the figures.
        statistics: With --out: episodes of each market without an agent, as `bench market-statistics` plays them; 0 for none.
        train: Train the agents that are not trained yet, and evaluate them.
        agents: ln, ln-fast, dr, transformer, generalist, with commas between; transformer:2 for the first two of --seeds alone.
        seeds: Of training, with commas between.
        runs: The folder of training runs.
        set: Replace values of the agents' configurations, such as total_steps=1280000.
    """
    chosen = named_cells(cells)
    check_episodes(episodes, seed)
    training_seeds = records.numbers("--seeds", seeds, 0, 2**32 - 1)
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is not a folder; name one for the table and the record")
    if not (statistics == 0 or 2 <= statistics <= MOST_EPISODES):
        raise InputError(f"--statistics {statistics:,}: out of range; give 2 to {MOST_EPISODES:,}, or 0 for none")
    if train:
        _check(agents, training_seeds, chosen, episodes, seed, set)
    theatre = Theatre()
    found = {"bench": "execution-paper", "seed": seed, "measured": MEASURED, "agents": {}}
    found |= benchmarks(chosen, episodes, seed, engine, theatre)
    if train:
        found["agents"] = _agents(agents, chosen, training_seeds, found["cells"], runs, theatre, episodes, seed, set)
    found |= records.origin()
    parts = list(markdown(found))
    if out is not None:
        _write(out / RECORD, json.dumps(found, indent=1, allow_nan=False) + "\n")
        if train:
            _draw(out / CURVES, agents, chosen, training_seeds, runs)
            parts += [f"![Learning curves, with the paper's own points]({CURVES})"]
        _write(out / TABLE, _text(parts))  # before the markets are played, which takes its time
        if statistics:
            with phase("markets without an agent"):
                markets = market_record.measure(
                    {cell.market: MARKETS[cell.market] for cell in chosen}, statistics, seed
                )
            market_statistics.save(markets, out)
            parts += ["## The markets without an agent", market_statistics.markdown(markets)]
            _write(out / TABLE, _text(parts))
    print(_text(parts), end="")


def benchmarks(chosen: Sequence[Cell], episodes: int, seed: int, engine: str, theatre: Theatre) -> dict[str, Any]:
    """The record's part on strategies: every cell by every one of them, and the speed over those with a figure of the paper."""
    rows: list[dict[str, Any]] = []
    published: list[Result] = []
    profiles: dict[str, Any] = {}
    for cell in chosen:
        config = cell_config(*cell, engine=engine)
        env = make(config)
        if cell.market not in profiles:
            profiles[cell.market] = profile_of(env)
        for name in STRATEGIES:
            what = f"{cell.market}, {cell.lots} lots, {name}"
            result = played(theatre, env, name, episodes, seed, what, profiles[cell.market])
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
        "episodes_per_s": records.rounded(episodes / seconds),
        "events_per_s": records.rounded(sum(result.messages for result in published) / seconds),
        "compile_s": round(sum(result.compile_s for result in published), 3),
        "included": INCLUDED,
    }


def _check(
    agents: str, seeds: Sequence[int], chosen: Sequence[Cell], episodes: int, seed: int, assignments: Sequence[str]
) -> None:
    """Everything that can be wrong with a training is found before hours are spent."""
    from bench.execution_training import AGENTS, configuration, named_agents, run_for, share_of

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
            configuration(run_for(name, cell, seeds[0]), assignments)


def _agents(
    agents: str, chosen: Sequence[Cell], seeds: Sequence[int], benchmarks: Sequence[dict], runs: Path,
    theatre: Theatre, episodes: int, seed: int, assignments: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    from bench.execution_agents import agent_record, compare
    from bench.execution_training import named_agents

    asked = {"episodes": episodes, "seed": seed, "assignments": assignments}
    found = {
        name: agent_record(name, chosen, seeds[:count], benchmarks, runs, theatre, **asked)
        for name, count in named_agents(agents).items()
    }
    compare(found)
    return found


def _draw(path: Path, agents: str, chosen: Sequence[Cell], seeds: Sequence[int], runs: Path) -> None:
    from bench.execution_agents import curves
    from bench.execution_figures import learning_curves
    from bench.execution_training import named_agents, share_of

    found = {
        name: {cell: curves(name, cell, seeds[:count], runs) for cell in share_of(name, chosen)}
        for name, count in named_agents(agents).items()
    }
    learning_curves(found, path)


def _text(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text)
