"""`python -m bench execution-paper`: the execution paper's table of benchmarks again, and with `--train` its agents too."""

import json
from pathlib import Path
from typing import Annotated

import tyro

from bench import recording
from bench.commands.market_statistics import MOST_EPISODES
from lobjax.errors import InputError
from lobjax.locks import alone_in_out
from lobjax.ranges import Range, Seed, ranged


@alone_in_out
@ranged
def execution_paper(
    *,
    episodes: Annotated[int, Range(2, 1 << 24)] = 10_000,
    seed: Seed = 100,
    cells: str = "all",
    engine: str = "auto",
    out: Path | None = None,
    statistics: Annotated[int, Range(0, MOST_EPISODES)] = 10_000,
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
    training_seeds = recording.numbers("--seeds", seeds, 0, 2**32 - 1)
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is not a folder; name one for the table and the record")
    if not (statistics == 0 or 2 <= statistics <= MOST_EPISODES):
        raise InputError(f"--statistics {statistics:,}: out of range; give 2 to {MOST_EPISODES:,}, or 0 for none")
    from bench.papers.execution import paper as work
    from bench.papers.execution.cells import MARKETS, named_cells
    from bench.papers.execution.report import MEASURED, check_episodes
    from bench.papers.execution.tables import markdown
    from bench.papers.market import measuring, report
    from lobjax.learn.progress import phase

    chosen = named_cells(cells)
    check_episodes(episodes, seed)
    if train:
        work.check_agents(agents, training_seeds, chosen, episodes, seed, set)
    if out is not None and statistics:
        measuring.check_memory(statistics)
    cache = work.ProgramCache()
    found = {"bench": "execution-paper", "seed": seed, "measured": MEASURED, "agents": {}}
    found |= work.benchmarks(chosen, episodes, seed, engine, cache)
    if train:
        found["agents"] = work.trained_agents(
            agents, chosen, training_seeds, found["cells"], runs, cache, episodes, seed, set
        )
    found |= recording.origin()
    parts = list(markdown(found))
    if out is not None:
        work.write_text(out / work.RECORD, json.dumps(found, indent=1, allow_nan=False) + "\n")
        if train:
            work.draw_curves(out / work.CURVES, agents, chosen, training_seeds, runs)
            parts += [f"![Learning curves, with the paper's own points]({work.CURVES})"]
        work.write_text(out / work.TABLE, work.as_text(parts))  # before the markets are played, which takes its time
        if statistics:
            with phase("markets without an agent"):
                markets = measuring.measure({cell.market: MARKETS[cell.market] for cell in chosen}, statistics, seed)
            report.save(markets, out)
            parts += ["## The markets without an agent", report.markdown(markets)]
            work.write_text(out / work.TABLE, work.as_text(parts))
    print(work.as_text(parts), end="")
