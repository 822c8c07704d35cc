"""`python -m bench execution-cell`: one market, one parent order, one strategy; ends with one JSON line."""

from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.ranges import Range, Seed, ranged


@ranged
def execution_cell(
    *,
    market: str = "noise",
    lots: Annotated[int, Range(1, (1 << 20) - 1)] = 20,
    horizon: Annotated[float, Range(1e-6, 86_400.0)] = 150.0,
    step: Annotated[float, Range(1e-6, 86_400.0)] = 15.0,
    strategy: str = "sl",
    episodes: Annotated[int, Range(2, 1 << 24)] = 10_000,
    seed: Seed = 100,
    warm_up: Annotated[float, Range(0.0, 86_400.0)] | None = None,
    engine: str = "auto",
    capacity: Annotated[int, Range(0, 512)] = 0,
    out: Path | None = None,
) -> None:
    """Play a strategy that sells, and print its return in ticks per lot against the best bid at the start, as one JSON line.

    The markets and the task are those of Cheridito and Weiss (arXiv 2507.06345).

    Args:
        market: noise, tactical (noise and tactical traders) or strategic (all three).
        lots: To be sold within the horizon.
        horizon: Seconds; what is left then is sold at market. A multiple of the step.
        step: Seconds between decisions.
        strategy: sl (submit and leave), twap, vwap, or market (everything at once).
        episodes: How many, two or more.
        seed: Of the episodes: the same ones for every strategy.
        warm_up: Seconds that the market runs before the first decision; one step if it is not given.
        engine: auto, host, xla or kernel; all give the same figures.
        capacity: Orders that a side of the book can hold, a power of two; 0 for 256, or 512 for long episodes.
        out: A file of JSON lines that the record is added to.
    """
    recording.check_out(out)
    from bench.papers.execution import report as work
    from bench.papers.execution.cells import cell_config
    from bench.papers.execution.playing import INCLUDED, STRATEGIES, check_memory
    from lobjax.tasks import make

    if strategy not in STRATEGIES:
        raise InputError(f"--strategy {strategy}: unknown; {nearest(strategy, STRATEGIES)}")
    work.check_episodes(episodes, seed)
    config = cell_config(market, lots, horizon, step, warm_up, engine, capacity=capacity)
    env = make(config)
    env.engine  # noqa: B018 - an engine that cannot run here is better found before it is compiled for
    check_memory(env, episodes)
    result = work.played(work.ProgramCache(), env, strategy, episodes, seed, f"{market}, {lots} lots, {strategy}")
    work.refuse_wrong(result, config)
    asked = {"market": market, "lots": lots, "strategy": strategy, "seed": seed}
    meant = {"measured": work.MEASURED, "included": INCLUDED}
    recording.append(
        out, {"bench": "execution-cell", **asked, **work.figures(result), **work.sizes(env, config), **meant}
    )
