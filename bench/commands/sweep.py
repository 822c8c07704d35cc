"""`python -m bench sweep`: seeds side by side in one compiled program, as a sweep plays them, against the same runs one after another."""

import sys
from pathlib import Path
from typing import Annotated

import tyro

from bench import recording
from lobjax.ranges import Range, ranged


@ranged
def sweep(
    *,
    config: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
    seeds: Annotated[int, Range(1, 10_000)] = 8,
    updates: Annotated[int, Range(1, 1_000_000)] = 4,
    runs: Annotated[int, Range(1, 1000)] = 5,
    out: Path | None = None,
) -> None:
    """Measure training steps a second of several seeds in one program and of the same seeds one after another, and their ratio.

    Both report to the host after every update, as `train run` and `train sweep` do. Compiling is apart. One record.

    Args:
        config: A training configuration; market making with an MLP of two layers of 64 and 64 environments a seed unless it is given.
        set: Replace values of it, such as n_envs=256.
        seeds: Of which there are so many in the program, and so many runs one after another.
        updates: Of each seed in a run of the measurement.
        runs: Of which the record has the median, the least and the most; 5 or more.
        out: A file of JSON lines that the record is added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    from bench.speed import sweep as work
    from lobjax.learn.config import load_config
    from lobjax.memory import exhaustion_as_input_error

    given = [*(() if config else work.DEFAULT), *set, "devices=1", "evaluation.episodes=0"]
    made = load_config(config or work.BASE, *given)
    with exhaustion_as_input_error(f"{seeds} seeds of {made.n_envs} environments", change=work.CHANGE):
        record = work.measured(made, seeds, updates, runs)
    print(
        f"{seeds} seeds together {record['steps_per_s']:,} steps/s, one after another {record['one_by_one_steps_per_s']:,}: "
        f"ratio {record['ratio']}; compiled in {record['compile_s']} s and {record['one_by_one_compile_s']} s",
        file=sys.stderr,
    )
    recording.append(out, record)
