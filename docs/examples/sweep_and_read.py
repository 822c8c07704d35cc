"""Sweep over values and seeds from Python, and read the table: which learning rate and entropy serve best?

Run: python docs/examples/sweep_and_read.py FOLDER [KEY=VALUE ...], such as seeds=4 train.total_steps=20000
"""

import sys
from pathlib import Path

import polars as pl

from lobjax.learn.sweep import load_sweep, run_sweep

SWEEP = {
    "base": "smoke",
    "train": {"total_steps": 4000},
    "space": {"algorithm.learning_rate": [3e-4, 3e-3], "algorithm.entropy_coefficient": [0.0, 0.02]},
    "method": "grid",
    "seeds": 3,
    "metric": "episode/return",
    "over": 0.25,  # of a run: its last quarter
}


def main(out: Path, *assignments: str) -> None:
    sweep = load_sweep(SWEEP, *assignments)
    table = run_sweep(sweep, out)  # all runs side by side in one compiled program; where it was stopped it goes on

    # A row for each trial and seed, as trials.parquet in the folder has it.
    value = pl.col("value")
    by_point = table.frame.group_by(list(sweep.space)).agg(value.mean(), value.std().alias("over seeds"))
    print(by_point.sort("value", descending=True))
    best = table.frame.sort("value", descending=True).row(0, named=True)
    print(f"the best single run: trial {best['trial']} with seed {best['seed']}, {best['value']:.3f} a mean episode")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
